//! Any message of the services, a line a field, for people.

use contracts::toguna::r#type::v1::{Date, LocalizedText, Money, Period};
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage as _, Value};

use crate::{language::Language, output::Page, records, words};

/// The fields that are set, indented by depth.
pub(in crate::commands) fn message(message: &DynamicMessage, language: Language) -> String {
    let mut page = Page::default();
    write(message, language, 1, &mut page);
    page.text()
}

fn write(message: &DynamicMessage, language: Language, depth: usize, page: &mut Page) {
    for (field, value) in message.fields() {
        let label = format!("{}{}", "  ".repeat(depth), words::field(language, field.name()));
        let colon = language.say(":", "\u{202f}:");
        let values = value.as_list().unwrap_or(std::slice::from_ref(value));
        let mut scalars = Vec::new();
        for value in values {
            let nested = value.as_message().filter(|message| known(message, language).is_none());
            match nested {
                Some(message) => {
                    page.add(format!("{label}{colon}"));
                    write(message, language, depth + 1, page);
                }
                None => scalars.push(scalar(&field, value, language)),
            }
        }
        if !scalars.is_empty() {
            page.add(format!("{label}{colon} {}", scalars.join(", ")));
        }
    }
}

fn scalar(field: &FieldDescriptor, value: &Value, language: Language) -> String {
    match value {
        Value::Message(message) => known(message, language).unwrap_or_default(),
        Value::EnumNumber(number) => {
            let kind = field.kind();
            let value = kind.as_enum().and_then(|kind| kind.get_value(*number));
            value.map_or_else(|| number.to_string(), |value| words::value(language, &value))
        }
        Value::Bytes(bytes) => crate::local::hex(bytes),
        Value::String(words) => words.clone(),
        Value::Bool(true) => language.say("yes", "oui").to_owned(),
        Value::Bool(false) => language.say("no", "non").to_owned(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        // Lists were taken apart above, and our messages have no maps.
        Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// Values that have a form of their own.
fn known(message: &DynamicMessage, language: Language) -> Option<String> {
    match message.descriptor().full_name() {
        "toguna.type.v1.Money" => Some(words::money(language, message.transcode_to::<Money>().ok().as_ref())),
        "toguna.type.v1.Date" => Some(words::date(language, message.transcode_to::<Date>().ok().as_ref())),
        "toguna.type.v1.Period" => Some(words::period(language, message.transcode_to::<Period>().ok().as_ref())),
        "toguna.type.v1.LocalizedText" => {
            Some(words::text(language, message.transcode_to::<LocalizedText>().ok().as_ref()))
        }
        "toguna.type.v1.Decimal" => message.get_field_by_name("value").and_then(|it| it.as_str().map(str::to_owned)),
        "google.protobuf.Timestamp" => {
            message.transcode_to::<prost_types::Timestamp>().ok().and_then(|time| records::time(&time).ok())
        }
        _ => None,
    }
}
