//! Which field a column means: by the field's path in the request (`names.fr.official`), by its French words
//! (`noms.fr.officiel`), or by a shorter heading of the table beside this file.

use std::{collections::BTreeMap, sync::LazyLock};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde::Deserialize;

use super::catalogue::nearest;
use crate::{language::Language, words};

/// Columns that are about the row and no field of its request, or read in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// Which command the row is.
    Command,
    /// The request id, where the author gives one.
    RequestId,
    /// The currency of the row's amounts that do not name theirs.
    Currency,
    /// What only the program says: dry run and tokens.
    Ours,
}

/// Where a cell goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// From the request inwards; never empty.
    pub steps: Vec<Step>,
    /// What the cell is there.
    pub leaf: Leaf,
    /// The heading is French: so are its numbers.
    pub french: bool,
}

/// One field on the way.
#[derive(Debug, Clone)]
pub struct Step {
    /// The field.
    pub field: FieldDescriptor,
    /// Which element of a list, where the heading says.
    pub index: Option<usize>,
}

/// What a cell is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// The field's value.
    Value,
    /// A wording of this origin: the value of `TextOrigin`.
    Wording(&'static str),
    /// The type of an event that stands for the field.
    EventType,
}

impl Target {
    /// The path as services write it in violations, without indexes: `act.sources.title`.
    pub fn path(&self) -> String {
        self.steps.iter().map(|step| step.field.name()).collect::<Vec<_>>().join(".")
    }
}

/// Lower-case ASCII words joined by `_`: what is compared of a heading.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    for char in text.chars().flat_map(char::to_lowercase) {
        let letters = match char {
            'à' | 'â' | 'ä' | 'á' => "a",
            'ç' => "c",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'î' | 'ï' | 'í' => "i",
            'ô' | 'ö' | 'ó' => "o",
            'ù' | 'û' | 'ü' | 'ú' => "u",
            'œ' => "oe",
            'æ' => "ae",
            // An accent that some systems write as a sign of its own.
            '\u{300}'..='\u{36f}' => "",
            char if char.is_ascii_alphanumeric() => {
                plain.push(char);
                continue;
            }
            _ if plain.is_empty() || plain.ends_with('_') => "",
            _ => "_",
        };
        plain.push_str(letters);
    }
    plain.truncate(plain.trim_end_matches('_').len());
    plain
}

/// Whether a heading is a column about the row itself.
pub fn special(heading: &str) -> Option<Special> {
    let known = [
        ("command", Special::Command),
        ("request_id", Special::RequestId),
        ("currency", Special::Currency),
        ("validate_only", Special::Ours),
        ("at_least_as_fresh", Special::Ours),
    ];
    known.into_iter().find(|(name, _)| called(name, heading).is_some()).map(|(_, special)| special)
}

/// The field that a heading means in a request. `event` is the type that stands for the request's field of any event.
/// Fails with the name that was probably meant.
pub fn resolve(
    request: &MessageDescriptor,
    heading: &str,
    event: Option<&MessageDescriptor>,
) -> Result<Target, Option<String>> {
    let dotted = heading.replace('[', ".").replace(']', "");
    let segments: Vec<&str> = dotted.split('.').map(str::trim).filter(|segment| !segment.is_empty()).collect();
    let act = request.get_field_by_name("act");
    let below_act = || {
        let act = act.clone()?;
        let message = act.kind().as_message()?.clone();
        let found = Walk::below(vec![Step { field: act, index: None }], message, event).along(&segments);
        found.ok()
    };
    Walk::below(Vec::new(), request.clone(), event).along(&segments).or_else(|near| below_act().ok_or(near))
}

/// A walk from message to message.
struct Walk<'a> {
    steps: Vec<Step>,
    message: Option<MessageDescriptor>,
    event: Option<&'a MessageDescriptor>,
    french: bool,
}

impl<'a> Walk<'a> {
    fn below(steps: Vec<Step>, message: MessageDescriptor, event: Option<&'a MessageDescriptor>) -> Self {
        Self { steps, message: Some(message), event, french: false }
    }

    fn along(mut self, segments: &[&str]) -> Result<Target, Option<String>> {
        for (place, segment) in segments.iter().enumerate() {
            let last = place + 1 == segments.len();
            if let Some(leaf) = self.special_leaf(segment).filter(|_| last) {
                return Ok(Target { steps: self.steps, leaf, french: self.french });
            }
            let within = self.steps.last_mut().filter(|step| step.field.is_list());
            match (segment.parse::<usize>().ok().and_then(|number| number.checked_sub(1)), within) {
                (Some(index), Some(step)) if index < 1000 => step.index = Some(index),
                _ => self.enter(segment)?,
            }
        }
        if self.steps.is_empty() {
            return Err(None);
        }
        Ok(Target { steps: self.steps, leaf: Leaf::Value, french: self.french })
    }

    /// Names that no field has, but a message is written by.
    fn special_leaf(&mut self, segment: &str) -> Option<Leaf> {
        let origins = [("official", "TEXT_ORIGIN_OFFICIAL"), ("translation", "TEXT_ORIGIN_TRANSLATION")];
        match self.message.as_ref()?.full_name() {
            "toguna.type.v1.Text" => origins.into_iter().find_map(|(name, origin)| {
                self.french |= called(name, segment)?;
                Some(Leaf::Wording(origin))
            }),
            "google.protobuf.Any" => called("type", segment).map(|_| Leaf::EventType),
            _ => None,
        }
    }

    fn enter(&mut self, segment: &str) -> Result<(), Option<String>> {
        let message = match self.message.take() {
            Some(any) if any.full_name() == "google.protobuf.Any" => self.event.cloned(),
            message => message,
        };
        let message = message.ok_or(None)?;
        let field = message.fields().find_map(|field| Some((called(field.name(), segment)?, field)));
        let Some((french, field)) = field else {
            let fields: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
            let near = nearest(segment, fields.iter().map(String::as_str));
            let before = self.steps.iter().map(|step| step.field.name());
            return Err(near.map(|near| before.chain([near]).collect::<Vec<_>>().join(".")));
        };
        self.french |= french;
        self.message = match field.kind() {
            Kind::Message(message) => Some(message),
            _ => None,
        };
        self.steps.push(Step { field, index: None });
        Ok(())
    }
}

/// Whether a field is called so: in English, or (`true`) in French.
fn called(field: &str, heading: &str) -> Option<bool> {
    let squeezed = |text: &str| plain(text).replace('_', "");
    let heading = squeezed(heading);
    let among = |names: &BTreeMap<String, Vec<String>>| {
        names.get(field).is_some_and(|names| names.iter().any(|name| squeezed(name) == heading))
    };
    if squeezed(field) == heading || among(&TABLE.english) {
        return Some(false);
    }
    (squeezed(&words::field(Language::Fr, field)) == heading || among(&TABLE.french)).then_some(true)
}

/// Headings by the field that they mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    english: BTreeMap<String, Vec<String>>,
    french: BTreeMap<String, Vec<String>>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("headings.toml")).expect("the table is right, as a test shows"));
