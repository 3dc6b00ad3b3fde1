//! Messages and enums as JSON Schema, each once, by its full name.

use std::fmt::Write as _;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{Comments, reference};
use crate::validation::{Comparison, Rule, Rules};

/// The schemas that something refers to.
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    made: Map<String, Value>,
}

impl<'a> Schemas<'a> {
    pub fn new(comments: &'a Comments) -> Self {
        Self { comments, made: Map::new() }
    }

    /// In order of their names.
    pub fn finish(mut self) -> Map<String, Value> {
        self.made.sort_keys();
        self.made
    }

    /// A reference to the schema of a message, which is made where it is not there yet.
    pub fn of(&mut self, message: &MessageDescriptor) -> Value {
        let name = message.full_name();
        if let Some(schema) = well_known(name) {
            return schema;
        }
        if !self.made.contains_key(name) {
            // It may hold itself.
            self.made.insert(name.to_owned(), Value::Null);
            let schema = self.object(message);
            self.made.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    fn object(&mut self, message: &MessageDescriptor) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            let mut schema = self.of_field(&field);
            let mut told = self.comments.of(&field.parent_file(), field.path()).to_owned();
            if let Some(choice) = field.containing_oneof().filter(|choice| !choice.is_synthetic()) {
                let others = choice.fields().filter(|other| other.number() != field.number());
                let others: Vec<String> = others.map(|other| format!("`{}`", other.json_name())).collect();
                if !others.is_empty() {
                    let _ = write!(told, " Not together with {}.", others.join(", "));
                }
            }
            schema["description"] = told.into();
            if Rules::of(&field).ask_for_it() && field.containing_oneof().is_none() {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut object = json!({
            "type": "object",
            "description": self.comments.of(&message.parent_file(), message.path()),
            "properties": properties,
        });
        if !required.is_empty() {
            object["required"] = required.into();
        }
        object
    }

    /// The schema of a field's value.
    pub fn of_field(&mut self, field: &FieldDescriptor) -> Value {
        let one = |schemas: &mut Self, kind: Kind| match kind {
            Kind::Message(message) => schemas.of(&message),
            Kind::Enum(kind) => schemas.of_enum(&kind),
            kind => scalar(&kind),
        };
        let rules = Rules::of(field);
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                json!({ "type": "object", "additionalProperties": one(self, entry.map_entry_value_field().kind()) })
            }
            kind if field.is_list() => {
                let mut list = json!({ "type": "array", "items": held(one(self, kind), &rules) });
                for (limit, count) in [("minItems", rules.min_items), ("maxItems", rules.max_items)] {
                    if let Some(count) = count {
                        list[limit] = count.into();
                    }
                }
                list
            }
            kind => held(one(self, kind), &rules),
        }
    }

    fn of_enum(&mut self, kind: &EnumDescriptor) -> Value {
        let name = kind.full_name();
        if !self.made.contains_key(name) {
            let mut told = self.comments.of(&kind.parent_file(), kind.path()).to_owned();
            for value in kind.values() {
                let comment = self.comments.of(&value.parent_file(), value.path());
                let _ = write!(told, "\n- `{}`: {comment}", value.name());
            }
            let values: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
            self.made.insert(name.to_owned(), json!({ "type": "string", "description": told, "enum": values }));
        }
        reference(name)
    }
}

/// A value's schema with what JSON Schema can say of its rules; of messages, enumerations and integers that are texts
/// it is left to their descriptions.
fn held(mut schema: Value, rules: &Rules) -> Value {
    for rule in &rules.value {
        match rule {
            Rule::MinLen(least) => schema["minLength"] = (*least).into(),
            Rule::MaxLen(most) => schema["maxLength"] = (*most).into(),
            Rule::Uuid => schema["format"] = "uuid".into(),
            Rule::Pattern(pattern) => {
                let empty = if rules.unless_zero { "^$|" } else { "" };
                schema["pattern"] = format!("{empty}{}", of_ecma(pattern.regex.as_str())).into();
            }
            Rule::Number(comparison, limit) if schema["type"] == "integer" => {
                let limit = i64::try_from(*limit).expect("an integer of 32 bits");
                match comparison {
                    Comparison::More => schema["exclusiveMinimum"] = limit.into(),
                    Comparison::AtLeast => schema["minimum"] = limit.into(),
                    Comparison::Less => schema["exclusiveMaximum"] = limit.into(),
                    Comparison::AtMost => schema["maximum"] = limit.into(),
                    Comparison::Other => schema["not"] = json!({ "const": limit }),
                }
            }
            Rule::Bytes(_) | Rule::Defined(_) | Rule::Number(..) => {}
        }
    }
    schema
}

/// A pattern in the syntax of ECMA-262: `\x{202A}` is written `\u202A` there.
fn of_ecma(pattern: &str) -> String {
    let mut parts = pattern.split("\\x{");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap_or((part, ""));
        let _ = write!(written, "\\u{code:0>4}{rest}");
    }
    written
}

fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Double | Kind::Float => json!({ "type": "number" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
        Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "format": "uint32", "minimum": 0 }),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]+$" })
        }
        Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]+$" }),
        Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Kind::String | Kind::Message(_) | Kind::Enum(_) => json!({ "type": "string" }),
    }
}

/// Messages of protobuf itself that have a form of their own in JSON.
fn well_known(name: &str) -> Option<Value> {
    match name {
        "google.protobuf.Timestamp" => Some(json!({ "type": "string", "format": "date-time" })),
        "google.protobuf.Duration" => Some(json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$" })),
        _ if name.starts_with("google.protobuf.") => Some(json!({})),
        _ => None,
    }
}
