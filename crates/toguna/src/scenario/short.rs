//! The short forms of the scenario's files, made into proto3 JSON by the type of each field.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::{language::decimals, services, submission::values::base64};

/// The same value with every short form written out.
pub(super) fn expand(message: &MessageDescriptor, value: Value, versions: &BTreeMap<String, u64>) -> Result<Value> {
    match (message.full_name(), value) {
        ("toguna.type.v1.Money", Value::String(text)) => money(&text),
        ("toguna.type.v1.Date", Value::String(text)) => date(&text),
        ("toguna.type.v1.Period", Value::String(text)) => period(&text),
        ("toguna.type.v1.Decimal", Value::String(text)) => Ok(json!({ "value": text })),
        ("toguna.type.v1.Text", Value::Object(fields)) => text(fields),
        ("toguna.log.v1.Source", Value::Object(fields)) => source(message, fields, versions),
        ("google.protobuf.Any", Value::Object(fields)) => any(fields, versions),
        (_, Value::Object(fields)) => object(message, fields, versions),
        (_, value) => Ok(value),
    }
}

fn object(message: &MessageDescriptor, fields: Map<String, Value>, versions: &BTreeMap<String, u64>) -> Result<Value> {
    let mut expanded = Map::new();
    for (name, value) in fields {
        let field = message.get_field_by_name(&name).or_else(|| message.get_field_by_json_name(&name));
        let field = field.with_context(|| format!("{} has no field {name}", message.full_name()))?;
        let value = match value {
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| single(&field, value, versions)).collect::<Result<_>>()?)
            }
            value => single(&field, value, versions)?,
        };
        expanded.insert(name, value);
    }
    Ok(Value::Object(expanded))
}

fn single(field: &FieldDescriptor, value: Value, versions: &BTreeMap<String, u64>) -> Result<Value> {
    match (field.kind(), value) {
        (Kind::Message(message), value) => {
            expand(&message, value, versions).with_context(|| format!("in {}", field.name()))
        }
        (Kind::Enum(kind), Value::String(text)) => {
            enumeration(&kind, &text).with_context(|| format!("in {}", field.name()))
        }
        (Kind::Uint64, Value::String(text)) => match text.strip_prefix("version of ") {
            Some(key) => {
                let version = versions.get(key).with_context(|| format!("no act {key:?} before this one"))?;
                Ok(json!(version))
            }
            None => Ok(Value::String(text)),
        },
        (_, value) => Ok(value),
    }
}

fn money(text: &str) -> Result<Value> {
    let (currency, amount) = text.split_once(' ').with_context(|| format!("{text:?} is no amount: EUR 1.00"))?;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    ensure!(fraction.len() == decimals(currency), "{text:?}: {currency} has {} decimals", decimals(currency));
    let minor_units: i64 = format!("{whole}{fraction}").parse().with_context(|| format!("{text:?} is no amount"))?;
    Ok(json!({ "currency_code": currency, "minor_units": minor_units }))
}

fn date(text: &str) -> Result<Value> {
    let part = |part: &str| part.parse::<u32>().with_context(|| format!("{text:?} is no date: 2016-04-15"));
    match text.split('-').collect::<Vec<_>>()[..] {
        [year] => Ok(json!({ "year": part(year)? })),
        [year, month] => Ok(json!({ "year": part(year)?, "month": part(month)? })),
        [year, month, day] => Ok(json!({ "year": part(year)?, "month": part(month)?, "day": part(day)? })),
        _ => bail!("{text:?} is no date: 2016-04-15"),
    }
}

fn period(text: &str) -> Result<Value> {
    let (start, end) = text.split_once('/').with_context(|| format!("{text:?} is no period: 2015-01-01/2019-12-31"))?;
    let mut fields = Map::new();
    for (name, end) in [("start", start), ("end", end)] {
        if !end.is_empty() {
            fields.insert(name.to_owned(), date(end)?);
        }
    }
    Ok(Value::Object(fields))
}

fn text(mut fields: Map<String, Value>) -> Result<Value> {
    for origin in ["official", "translation"] {
        if let Some(words) = fields.remove(origin) {
            ensure!(fields.is_empty(), "a text is either official or a translation");
            return Ok(json!({ "text": words, "origin": format!("TEXT_ORIGIN_{}", origin.to_uppercase()) }));
        }
    }
    Ok(Value::Object(fields))
}

fn enumeration(kind: &EnumDescriptor, text: &str) -> Result<Value> {
    let wanted = text.to_uppercase();
    let known = |name: &str| kind.get_value_by_name(name).is_some();
    if known(&wanted) {
        return Ok(json!(wanted));
    }
    // Every value begins with the name of its enum, which every enum's zero value shows.
    let zero = kind.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let full = format!("{prefix}{wanted}");
    ensure!(known(&full), "{} has no value {text:?}", kind.full_name());
    Ok(json!(full))
}

/// Digests are written in hexadecimal, as every tool prints them; proto3 JSON has bytes in base64.
fn source(
    message: &MessageDescriptor,
    mut fields: Map<String, Value>,
    versions: &BTreeMap<String, u64>,
) -> Result<Value> {
    if let Some(Value::String(digest)) = fields.remove("sha256") {
        ensure!(digest.len() == 64, "sha256 is 64 hexadecimal digits");
        let byte = |index: usize| u8::from_str_radix(digest.get(index..index + 2).unwrap_or_default(), 16);
        let bytes = (0..64).step_by(2).map(byte).collect::<Result<Vec<u8>, _>>().context("sha256 is hexadecimal")?;
        fields.insert("sha256".to_owned(), json!(base64(&bytes)));
    }
    object(message, fields, versions)
}

fn any(mut fields: Map<String, Value>, versions: &BTreeMap<String, u64>) -> Result<Value> {
    let Some(Value::String(name)) = fields.remove("type") else { return Ok(Value::Object(fields)) };
    let message = services::pool().get_message_by_name(&name).with_context(|| format!("there is no {name}"))?;
    let Value::Object(mut fields) = expand(&message, Value::Object(fields), versions)? else {
        bail!("{name} has fields")
    };
    fields.insert("@type".to_owned(), json!(format!("type.googleapis.com/{name}")));
    Ok(Value::Object(fields))
}
