//! Messages as JSON, as protobuf maps them: names in lower camel case or as in the protos, 64-bit integers as text,
//! bytes as base64.
//!
//! What is read is looked through first, so that whoever wrote it is told of every fault at once, in both languages,
//! and of fields that do not exist: a misspelt one would otherwise be lost without a word.

mod explain;
mod tree;

use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;

use crate::status::Violation;

/// Reads a message, or says all that is wrong with it.
pub(super) fn read(kind: &MessageDescriptor, text: &[u8]) -> Result<DynamicMessage, Vec<Violation>> {
    message(kind, tree::read(text).map_err(|violation| vec![violation])?)
}

/// Makes a message of JSON that was read, or says all that is wrong with it.
pub(super) fn message(kind: &MessageDescriptor, tree: Value) -> Result<DynamicMessage, Vec<Violation>> {
    let violations = explain::violations(kind, &tree);
    if !violations.is_empty() {
        return Err(violations);
    }
    DynamicMessage::deserialize(kind.clone(), tree).map_err(|error| {
        let problem = (format!("cannot be read: {error}"), format!("ne peut être lu\u{202f}: {error}"));
        vec![Violation { field: String::new(), problem: problem.into() }]
    })
}

/// An encoded message as JSON.
pub(super) fn written(kind: &MessageDescriptor, encoded: &[u8]) -> Result<Vec<u8>, Unwritable> {
    let message = DynamicMessage::decode(kind.clone(), encoded).map_err(Unwritable::Encoding)?;
    serde_json::to_vec(&message).map_err(Unwritable::Value)
}

/// A message of ours that has no JSON.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error("an answer is not of its type")]
    Encoding(#[source] prost::DecodeError),
    #[error("an answer holds a value that JSON has no form for")]
    Value(#[source] serde_json::Error),
}

#[cfg(test)]
mod tests;
