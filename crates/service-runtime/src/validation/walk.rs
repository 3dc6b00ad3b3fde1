//! A request's bytes, held against its shape. They are the encoding that we made of the request: each field once,
//! numbers by themselves.

use std::fmt;

use prost::{
    bytes::Buf as _,
    encoding::{WireType, decode_key, decode_varint},
};

use super::{
    rules::Rule,
    shape::{Field, FieldKind, Shape, Shapes},
    wording,
};
use crate::{Wording, status::Violation};

/// A value on the wire.
#[derive(Debug, Clone, Copy)]
enum Encoded<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The way from the request to a field.
#[derive(Debug, Clone, Copy)]
struct Path<'a> {
    outer: Option<&'a Path<'a>>,
    name: &'a str,
    index: Option<usize>,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

impl Shapes {
    /// Everything that is wrong with a request, in order of the fields' numbers.
    pub fn violations(&self, request: &str, encoded: &[u8]) -> Vec<Violation> {
        let mut walk = Walk { shapes: self, found: Vec::new() };
        if let Some(shape) = self.of(request) {
            walk.message(shape, encoded, None);
        }
        walk.found
    }
}

struct Walk<'s> {
    shapes: &'s Shapes,
    found: Vec<Violation>,
}

impl Walk<'_> {
    fn message(&mut self, shape: &Shape, encoded: &[u8], outer: Option<&Path>) {
        let sent = fields(encoded);
        for field in &shape.fields {
            let path = Path { outer, name: &field.name, index: None };
            let mut values = sent.iter().filter(|(number, _)| *number == field.number).map(|(_, value)| *value);
            if field.repeated {
                self.list(field, values, path);
            } else if let Some(value) = values.next() {
                self.value(field, value, &path);
            } else if field.rules.required {
                self.add(&path, wording::REQUIRED);
            } else if !field.presence && !field.rules.unless_zero {
                self.value(field, field.kind.zero(), &path);
            }
        }
        for choice in &shape.any_of {
            if !sent.iter().any(|(number, _)| choice.contains(number)) {
                let at = outer.map(ToString::to_string).unwrap_or_default();
                self.found.push(Violation { field: at, problem: wording::REQUIRED.into() });
            }
        }
    }

    fn list<'e>(&mut self, field: &Field, values: impl Iterator<Item = Encoded<'e>>, path: Path) {
        let most = field.rules.max_items.unwrap_or(u64::MAX);
        let mut count = 0;
        for (index, value) in values.enumerate() {
            count += 1;
            if count <= most {
                self.value(field, value, &Path { index: Some(index), ..path });
            }
        }
        if count > most {
            self.add(&path, wording::too_many(count, most));
        }
        match field.rules.min_items {
            _ if count == 0 && field.rules.required => self.add(&path, wording::REQUIRED),
            Some(least) if count < least => self.add(&path, wording::too_few(count, least)),
            _ => {}
        }
    }

    fn value(&mut self, field: &Field, value: Encoded, path: &Path) {
        if let (FieldKind::Message(shape), Encoded::Bytes(encoded)) = (field.kind, value) {
            let shapes = self.shapes;
            return self.message(shapes.at(shape), encoded, Some(path));
        }
        let empty = matches!(value, Encoded::Bytes([]));
        for rule in &field.rules.value {
            let Some(problem) = problem(rule, field.kind, value) else { continue };
            // That an empty text does not look like a name helps nobody.
            let problem = if empty { wording::REQUIRED.into() } else { problem };
            self.add(path, problem);
            if empty {
                return;
            }
        }
    }

    fn add(&mut self, path: &Path, problem: impl Into<Wording>) {
        self.found.push(Violation { field: path.to_string(), problem: problem.into() });
    }
}

impl FieldKind {
    fn zero(self) -> Encoded<'static> {
        match self {
            Self::Text | Self::Bytes | Self::Message(_) => Encoded::Bytes(&[]),
            Self::Signed | Self::Unsigned => Encoded::Number(0),
        }
    }
}

/// What is wrong with a value by one rule.
fn problem(rule: &Rule, kind: FieldKind, value: Encoded) -> Option<Wording> {
    match (rule, value) {
        (Rule::MinLen(least), Encoded::Bytes(text)) => {
            let length = characters(text);
            (length < *least).then(|| wording::too_short(length, *least))
        }
        (Rule::MaxLen(most), Encoded::Bytes(text)) => {
            // No text has more characters than bytes.
            let length = if text.len() as u64 > *most { characters(text) } else { 0 };
            (length > *most).then(|| wording::too_long(length, *most))
        }
        (Rule::Uuid, Encoded::Bytes(text)) => (!is_uuid(text)).then(|| wording::NO_UUID.into()),
        (Rule::Pattern(pattern), Encoded::Bytes(text)) => {
            (!pattern.regex.is_match(text)).then(|| pattern.problem.clone())
        }
        (Rule::Bytes(length), Encoded::Bytes(bytes)) => {
            (bytes.len() as u64 != *length).then(|| wording::not_so_long(*length))
        }
        (Rule::Defined(known), Encoded::Number(number)) => {
            // Enumerations are encoded as numbers of 64 bits, of which the lower half counts.
            let known = i32::try_from(number.cast_signed()).is_ok_and(|number| known.binary_search(&number).is_ok());
            (!known).then(|| wording::UNKNOWN.into())
        }
        (Rule::Number(comparison, limit), Encoded::Number(number)) => {
            let number = if kind == FieldKind::Signed { number.cast_signed().into() } else { i128::from(number) };
            (!comparison.holds(number, *limit)).then(|| wording::compared(*comparison, *limit))
        }
        _ => None,
    }
}

fn characters(text: &[u8]) -> u64 {
    // All bytes but those that go on with a character.
    text.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count() as u64
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The fields of a message, by number, as they come.
fn fields(mut encoded: &[u8]) -> Vec<(u32, Encoded<'_>)> {
    let mut fields = Vec::with_capacity(16);
    while encoded.has_remaining() {
        let (number, wire_type) = decode_key(&mut encoded).expect(OURS);
        match wire_type {
            WireType::Varint => fields.push((number, Encoded::Number(decode_varint(&mut encoded).expect(OURS)))),
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut encoded).expect(OURS)).expect(OURS);
                let (value, rest) = encoded.split_at(length);
                fields.push((number, Encoded::Bytes(value)));
                encoded = rest;
            }
            WireType::SixtyFourBit => encoded.advance(8),
            WireType::ThirtyTwoBit => encoded.advance(4),
            WireType::StartGroup | WireType::EndGroup => unreachable!("{OURS}"),
        }
    }
    fields
}

const OURS: &str = "the bytes are our own encoding";
