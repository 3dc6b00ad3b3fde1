//! Gives each row its request id: the one that the same row had before, the author's, or a new one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Problem, catalogue,
    outbox::{Entry, Outbox},
    rows::Row,
};
use crate::{language::Language, local::hex, services};

/// A row with its id.
#[derive(Debug)]
pub struct Enrolled {
    /// The row.
    pub row: Row,
    /// Its id.
    pub request_id: Uuid,
    /// What it is recognised by.
    pub fingerprint: String,
    /// The outbox does not have it yet.
    pub new: bool,
}

/// Rows of an organisation with their ids. Fails with every row whose author gave it the id of another one.
pub fn enrol(
    rows: Vec<Row>,
    outbox: &Outbox,
    organisation: &str,
    language: Language,
) -> Result<Vec<Enrolled>, Vec<Problem>> {
    let mut enrolled = Vec::with_capacity(rows.len());
    let mut problems = Vec::new();
    // How many rows of this content came before in these files: each is a command of its own.
    let mut same: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids: BTreeMap<Uuid, u64> = BTreeMap::new();
    for row in rows {
        if let Some(request_id) = row.request_id {
            let id = request_id.to_string();
            let fingerprint = fingerprint(&row, organisation, &id);
            let known = outbox.with_id(organisation, &id);
            let before = ids.insert(request_id, row.line).map(|line| (row.file.clone(), line));
            let other = known.filter(|entry| entry.fingerprint != fingerprint);
            if let Some((file, line)) = before.or(other.map(|entry| (entry.file.clone(), entry.line))) {
                problems.push(Problem::at(&row.file, row.line, "request_id", used(&file, line, language)));
            }
            enrolled.push(Enrolled { row, request_id, fingerprint, new: known.is_none() });
        } else {
            let count = same.entry(fingerprint(&row, organisation, "")).or_default();
            let fingerprint = fingerprint(&row, organisation, &count.to_string());
            *count += 1;
            let known = outbox.same(&fingerprint).and_then(|entry| Uuid::parse_str(&entry.request_id).ok());
            let request_id = known.unwrap_or_else(Uuid::now_v7);
            enrolled.push(Enrolled { row, request_id, fingerprint, new: known.is_none() });
        }
    }
    if problems.is_empty() { Ok(enrolled) } else { Err(problems) }
}

fn used(file: &str, line: u64, language: Language) -> String {
    language.say(
        format!("{file}, line {line}, has this id already"),
        format!("{file}, ligne {line}, a déjà cet identifiant"),
    )
}

/// Tells the contents of rows apart, and rows of the same content by `which`.
fn fingerprint(row: &Row, organisation: &str, which: &str) -> String {
    let mut hash = Sha256::new();
    for part in [organisation, &catalogue::full_name(&row.method), which] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(row.request.encode_to_vec());
    hex(&hash.finalize())
}

impl Enrolled {
    /// As the outbox keeps it.
    pub fn entry(&self, organisation: &str) -> Result<Entry> {
        Ok(Entry {
            request_id: self.request_id.to_string(),
            fingerprint: self.fingerprint.clone(),
            organisation: organisation.to_owned(),
            file: self.row.file.clone(),
            line: self.row.line,
            rpc: catalogue::full_name(&self.row.method),
            request: serde_json::to_value(&self.row.request)?,
        })
    }

    /// As the outbox gives it back.
    pub fn of(entry: &Entry) -> Result<Self> {
        let method = services::method(&entry.rpc)?;
        let request = DynamicMessage::deserialize(method.input(), entry.request.clone())?;
        let request_id = Uuid::parse_str(&entry.request_id).context("a request id is a UUID")?;
        let (file, line) = (entry.file.clone(), entry.line);
        let row = Row { file, line, method, request, request_id: None, columns: Vec::new() };
        Ok(Self { row, request_id, fingerprint: entry.fingerprint.clone(), new: false })
    }
}
