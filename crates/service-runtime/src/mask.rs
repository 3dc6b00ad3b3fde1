//! Parts of resources: only those fields that a caller asked for.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use prost_types::FieldMask;
use tonic::Status;

use crate::{Fields, language::Wording, nearest::nearest, status, web};

/// Paths of a mask at most.
const MAX_PATHS: usize = 100;

/// Which fields of resources an answer holds. Without a mask it costs nothing.
#[derive(Debug)]
pub struct Mask(Option<(MessageDescriptor, Tree)>);

/// The fields that are wanted of a message, by number; none: all of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tree(BTreeMap<u32, Tree>);

impl Mask {
    /// Reads the mask of a request. A path leads through lists to all of their elements; `*` is everything, and so is
    /// a mask without paths.
    pub(crate) fn read<R: Name>(fields: &mut Fields, mask: Option<&FieldMask>) -> Self {
        let Some(mask) = mask.filter(|mask| !mask.paths.is_empty() && !mask.paths.iter().any(|path| path == "*"))
        else {
            return Self(None);
        };
        fields.at_most("read_mask", mask.paths.len(), MAX_PATHS);
        let resource = web::schema::message(&R::full_name()).expect("the descriptors were compiled with us");
        let mut tree = Tree::default();
        for path in mask.paths.iter().take(MAX_PATHS) {
            match steps(&resource, path) {
                Ok(steps) => tree.add(&steps),
                Err(problem) => fields.violation("read_mask", problem),
            }
        }
        Self(Some((resource, tree)))
    }

    /// Leaves of a resource what is wanted.
    pub fn of<R: Message + Default>(&self, resource: R) -> Result<R, Status> {
        let Some((descriptor, tree)) = &self.0 else { return Ok(resource) };
        let whole = DynamicMessage::decode(descriptor.clone(), resource.encode_to_vec().as_slice());
        let mut part = whole.map_err(|error| status::internal(&error))?;
        tree.cut(&mut part);
        part.transcode_to().map_err(|error| status::internal(&error))
    }
}

impl Tree {
    /// A path that is wanted whole makes longer ones needless.
    fn add(&mut self, steps: &[u32]) {
        let mut tree = self;
        for (place, step) in steps.iter().enumerate() {
            let known = tree.0.contains_key(step);
            tree = tree.0.entry(*step).or_default();
            if known && tree.0.is_empty() {
                return;
            }
            if place + 1 == steps.len() {
                tree.0.clear();
            }
        }
    }

    fn cut(&self, message: &mut DynamicMessage) {
        if self.0.is_empty() {
            return;
        }
        let there: Vec<FieldDescriptor> = message.fields().map(|(field, _)| field).collect();
        for field in there {
            match self.0.get(&field.number()) {
                None => message.clear_field(&field),
                Some(wanted) if wanted.0.is_empty() => {}
                Some(wanted) => match message.get_field_mut(&field) {
                    Value::Message(inner) => wanted.cut(inner),
                    Value::List(elements) => {
                        elements.iter_mut().filter_map(Value::as_message_mut).for_each(|inner| wanted.cut(inner));
                    }
                    _ => {}
                },
            }
        }
    }
}

/// The numbers of the fields on a path.
fn steps(resource: &MessageDescriptor, path: &str) -> Result<Vec<u32>, Wording> {
    let mut message = Some(resource.clone());
    let mut steps = Vec::new();
    let mut before = String::new();
    for name in path.split('.') {
        let field = message.as_ref().and_then(|message| message.get_field_by_name(name));
        let Some(field) = field else { return Err(unknown(message.as_ref(), &before, path, name)) };
        steps.push(field.number());
        before = format!("{before}{name}.");
        message = match field.kind() {
            Kind::Message(inner) if !field.is_map() => Some(inner),
            _ => None,
        };
    }
    Ok(steps)
}

fn unknown(message: Option<&MessageDescriptor>, before: &str, path: &str, name: &str) -> Wording {
    let path: String = path.chars().take(80).collect();
    let names: Vec<String> =
        message.iter().flat_map(|message| message.fields()).map(|it| it.name().to_owned()).collect();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => (
            format!("`{path}` is no field; did you mean `{before}{meant}`?"),
            format!("`{path}` n’est pas un champ\u{202f}; vouliez-vous dire `{before}{meant}`\u{202f}?"),
        ),
        None => (format!("`{path}` is no field"), format!("`{path}` n’est pas un champ")),
    }
    .into()
}

#[cfg(test)]
mod tests;
