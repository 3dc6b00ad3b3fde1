//! What is wrong with JSON that should be a message.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use crate::{language::Wording, nearest::nearest, status::Violation};

/// More are not told; nobody mends so many at a time.
const MOST: usize = 100;
/// Values of an enum that are named to whoever misses one.
const FEW: usize = 12;

/// Every fault, with the path of the field as the protos name it.
pub(super) fn violations(kind: &MessageDescriptor, tree: &Value) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    found.message(kind, tree, "");
    found.0
}

struct Found(Vec<Violation>);

impl Found {
    fn add(&mut self, field: &str, problem: impl Into<Wording>) {
        if self.0.len() < MOST {
            self.0.push(Violation { field: field.to_owned(), problem: problem.into() });
        }
    }

    fn message(&mut self, kind: &MessageDescriptor, tree: &Value, path: &str) {
        let Some(members) = tree.as_object() else {
            return self.add(path, ("must be an object: {…}", "doit être un objet\u{202f}: {…}"));
        };
        let mut given = Vec::new();
        for (name, value) in members {
            if self.0.len() >= MOST {
                return;
            }
            let field = kind.get_field_by_json_name(name).or_else(|| kind.get_field_by_name(name));
            let Some(field) = field else {
                self.unknown(kind, name, path);
                continue;
            };
            // As protobuf has it: the same as not given.
            if value.is_null() {
                continue;
            }
            let path = join(path, field.name());
            if given.contains(&field.number()) {
                self.add(&path, ("is given twice", "figure deux fois"));
            }
            given.push(field.number());
            if let Some(other) = rival(&field, members) {
                self.add(
                    &path,
                    (
                        format!("cannot be given beside {other}"),
                        format!("ne peut être donné en même temps que {other}"),
                    ),
                );
            }
            self.field(&field, value, &path);
        }
    }

    fn unknown(&mut self, kind: &MessageDescriptor, name: &str, path: &str) {
        let names: Vec<String> = kind.fields().map(|field| field.json_name().to_owned()).collect();
        let problem = match nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => (
                format!("is no field here; did you mean {meant}?"),
                format!("n’est pas un champ ici\u{202f}; vouliez-vous dire {meant}\u{202f}?"),
            ),
            None => ("is no field here".to_owned(), "n’est pas un champ ici".to_owned()),
        };
        let shown: String = name.chars().take(80).collect();
        self.add(&join(path, &shown), problem);
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value, path: &str) {
        if !field.is_list() {
            return self.value(field, value, path);
        }
        let Some(items) = value.as_array() else {
            return self.add(path, ("must be a list: […]", "doit être une liste\u{202f}: […]"));
        };
        for (index, item) in items.iter().enumerate() {
            self.value(field, item, &format!("{path}[{index}]"));
        }
    }

    fn value(&mut self, field: &FieldDescriptor, value: &Value, path: &str) {
        match field.kind() {
            Kind::Message(kind) if !field.is_map() && !kind.full_name().starts_with("google.protobuf.") => {
                self.message(&kind, value, path);
            }
            kind => {
                if value.is_null() || !fits(field, value) {
                    self.add(path, expected(&kind, value));
                }
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Another field of the same choice that comes before this one.
fn rival(field: &FieldDescriptor, members: &Map<String, Value>) -> Option<String> {
    let given = |other: &FieldDescriptor| {
        [other.json_name(), other.name()].iter().any(|name| members.get(*name).is_some_and(|value| !value.is_null()))
    };
    let choice = field.containing_oneof()?;
    choice.fields().find(|other| other.number() < field.number() && given(other)).map(|other| other.name().to_owned())
}

/// Whether a field takes a value: asked by reading a message with nothing else in it.
fn fits(field: &FieldDescriptor, value: &Value) -> bool {
    let value = if field.is_list() { Value::from(vec![value.clone()]) } else { value.clone() };
    let alone = Value::from(Map::from_iter([(field.json_name().to_owned(), value)]));
    DynamicMessage::deserialize(field.parent_message().clone(), alone).is_ok()
}

fn expected(kind: &Kind, value: &Value) -> Wording {
    match kind {
        Kind::Bool => ("must be true or false", "doit être true ou false").into(),
        Kind::String => ("must be a text in quotes", "doit être un texte entre guillemets droits").into(),
        Kind::Bytes => ("must be bytes in base64", "doit être des octets en base64").into(),
        Kind::Double | Kind::Float => ("must be a number", "doit être un nombre").into(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            ("must be a whole number of 32 bits", "doit être un nombre entier de 32 bits").into()
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            ("must be a whole number of 64 bits", "doit être un nombre entier de 64 bits").into()
        }
        Kind::Uint32 | Kind::Fixed32 => {
            ("must be a whole number of 32 bits, without a sign", "doit être un nombre entier de 32 bits, sans signe")
                .into()
        }
        Kind::Uint64 | Kind::Fixed64 => {
            ("must be a whole number of 64 bits, without a sign", "doit être un nombre entier de 64 bits, sans signe")
                .into()
        }
        Kind::Enum(kind) => one_of(kind, value),
        Kind::Message(kind) => match kind.full_name() {
            "google.protobuf.Timestamp" => (
                "must be a point in time such as \"2026-11-23T10:00:00Z\"",
                "doit être un instant comme \"2026-11-23T10:00:00Z\"",
            )
                .into(),
            "google.protobuf.Duration" => {
                ("must be a duration in seconds such as \"30s\"", "doit être une durée en secondes comme \"30s\"")
                    .into()
            }
            name => (format!("must be a {name}"), format!("doit être un {name}")).into(),
        },
    }
}

fn one_of(kind: &EnumDescriptor, value: &Value) -> Wording {
    let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
    if let Some(meant) = value.as_str().and_then(|text| nearest(text, names.iter().map(String::as_str))) {
        return (
            format!("is not known; did you mean {meant}?"),
            format!("est inconnu\u{202f}; vouliez-vous dire {meant}\u{202f}?"),
        )
            .into();
    }
    // The first one stands for nothing.
    let few: Vec<&str> = names.iter().skip(1).take(FEW).map(String::as_str).collect();
    let more = if names.len() > FEW + 1 { ", …" } else { "" };
    let few = few.join(", ") + more;
    (format!("must be one of {few}"), format!("doit être l’une des valeurs {few}")).into()
}
