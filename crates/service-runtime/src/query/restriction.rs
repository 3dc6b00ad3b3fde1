//! One comparison of a filter: what its words mean for a field of that kind.

use std::collections::BTreeMap;

use event_store::{Column, Condition, Date, Relation, StreamName};
use prost_reflect::EnumDescriptor;

use super::{
    Fault, Field, Kind, shown,
    tokens::{Piece, Sign, Token},
    wordings::plain,
};
use crate::{language::Wording, nearest::nearest, web};

/// Signs that compare one value with another.
const COMPARING: &[Sign] =
    &[Sign::Equal, Sign::NotEqual, Sign::Less, Sign::AtMost, Sign::More, Sign::AtLeast, Sign::Has];
/// Signs for what is the same or not.
const SAME: &[Sign] = &[Sign::Equal, Sign::NotEqual, Sign::Has];

impl Kind {
    /// What may stand between a field of this kind and a value.
    pub(super) fn signs(self) -> &'static [Sign] {
        match self {
            Self::Name(_) | Self::Text | Self::Number | Self::Date => COMPARING,
            Self::Enum(_) | Self::Words => SAME,
            Self::Names(_) | Self::Texts => &[Sign::Has],
        }
    }
}

/// The condition that a comparison is, or what is wrong with it. `at`: the column of the sign.
pub(super) fn restriction(field: &Field, (sign, at): (Sign, usize), value: &Token) -> Result<Condition, Fault> {
    let column = field.column();
    if !field.kind.signs().contains(&sign) {
        let signs = field.kind.signs().iter().map(|sign| format!("`{}`", sign.as_str())).collect::<Vec<_>>().join(", ");
        let (name, sign) = (field.name, sign.as_str());
        let problem = (
            format!("`{name}` is not compared by `{sign}`, but by {signs}"),
            format!("`{name}` ne se compare pas par `{sign}`, mais par {signs}"),
        );
        return Err(Fault::new(at, problem));
    }
    let text = match &value.piece {
        Piece::Word(star) if star == "*" && sign == Sign::Has => return Ok(is_set(field)),
        Piece::Word(text) | Piece::Quoted(text) => text.as_str(),
        Piece::Sign(_) | Piece::Open | Piece::Close => "",
    };
    let condition = match field.kind {
        Kind::Name(category) => named(column, sign, text, category),
        Kind::Names(category) => name_of(category, text).map(|name| Condition::Has(column, name)),
        Kind::Texts => Ok(Condition::Has(column, text.to_owned())),
        Kind::Text if sign == Sign::Has => Ok(Condition::Contains(column, text.to_ascii_lowercase())),
        Kind::Text => Ok(compared(column, sign, text.to_owned())),
        Kind::Words => Ok(worded(column, sign, text)),
        Kind::Enum(kind) => one_of(kind, text).map(|number| compared(column, sign, number.to_string())),
        Kind::Number => number(text).map(|number| compared(column, sign, number.to_string())),
        Kind::Date => days(text).map(|days| dated(column, sign, days)),
    };
    condition.map_err(|problem| {
        let Wording { en, fr } = problem;
        let written = shown(text);
        Fault::new(value.column, (format!("`{written}` {en}"), format!("`{written}` {fr}")))
    })
}

/// Number 0 of an enumeration, and of nothing else, stands for nothing.
fn is_set(field: &Field) -> Condition {
    match field.kind {
        Kind::Enum(_) => Condition::Is(field.column(), Relation::More, "0".to_owned()),
        _ => Condition::IsSet(field.column()),
    }
}

fn compared(column: Column, sign: Sign, value: String) -> Condition {
    let relation = match sign {
        Sign::Equal | Sign::Has | Sign::NotEqual => Relation::Equal,
        Sign::Less => Relation::Less,
        Sign::AtMost => Relation::AtMost,
        Sign::More => Relation::More,
        Sign::AtLeast => Relation::AtLeast,
    };
    unless(sign, Condition::Is(column, relation, value))
}

fn unless(sign: Sign, condition: Condition) -> Condition {
    if sign == Sign::NotEqual { Condition::Not(Box::new(condition)) } else { condition }
}

fn named(column: Column, sign: Sign, text: &str, category: &str) -> Result<Condition, Wording> {
    match sign {
        Sign::Has => Ok(Condition::Contains(column, text.to_ascii_lowercase())),
        Sign::Equal | Sign::NotEqual => Ok(compared(column, sign, name_of(category, text)?)),
        _ => Ok(compared(column, sign, text.to_owned())),
    }
}

fn name_of(category: &str, text: &str) -> Result<String, Wording> {
    match text.parse::<StreamName>() {
        Ok(name) if name.category() == category => Ok(name.to_string()),
        _ => match StreamName::new(category, text) {
            Ok(meant) => Err((
                format!("is no name; did you mean `{meant}`?"),
                format!("n’est pas un nom\u{202f}; vouliez-vous dire `{meant}`\u{202f}?"),
            )
                .into()),
            Err(_) => {
                Err((format!("is no name such as `{category}/…`"), format!("n’est pas un nom comme `{category}/…`"))
                    .into())
            }
        },
    }
}

fn worded(column: Column, sign: Sign, text: &str) -> Condition {
    let words = plain(text);
    match sign {
        Sign::Has => Condition::Contains(column, words),
        // Wordings stand between line breaks, which no wording has.
        _ => unless(sign, Condition::Contains(column, format!("\n{words}\n"))),
    }
}

fn number(text: &str) -> Result<i64, Wording> {
    text.parse().map_err(|_| ("is no whole number of 64 bits", "n’est pas un nombre entier de 64 bits").into())
}

/// The first and the last day that a date may mean.
fn days(text: &str) -> Result<(Date, Date), Wording> {
    let read = || {
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())?
        };
        let narrow = |part: i16| i8::try_from(part).ok();
        let mut parts = text.split('-');
        let year = parts.next().and_then(|year| digits(year, 4)).filter(|year| *year > 0)?;
        let (month, day) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let Some(month) = month else {
            return Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?));
        };
        let first = Date::new(year, narrow(digits(month, 2)?)?, 1).ok()?;
        let Some(day) = day else { return Some((first, first.last_of_month())) };
        let day = Date::new(year, first.month(), narrow(digits(day, 2)?)?).ok()?;
        Some((day, day))
    };
    read().ok_or_else(|| {
        ("is no date such as 2024-05-31, 2024-05 or 2024", "n’est pas une date comme 2024-05-31, 2024-05 ou 2024")
            .into()
    })
}

fn dated(column: Column, sign: Sign, (first, last): (Date, Date)) -> Condition {
    let is = |relation, day: Date| Condition::Is(column, relation, day.to_string());
    match sign {
        Sign::Less => is(Relation::Less, first),
        Sign::AtMost => is(Relation::AtMost, last),
        Sign::More => is(Relation::More, last),
        Sign::AtLeast => is(Relation::AtLeast, first),
        Sign::Equal | Sign::Has | Sign::NotEqual => {
            unless(sign, Condition::All(vec![is(Relation::AtLeast, first), is(Relation::AtMost, last)]))
        }
    }
}

fn one_of(kind: &str, text: &str) -> Result<i32, Wording> {
    let values = values(kind);
    // Answers in JSON have the whole names.
    let prefix = prefix_of(kind);
    let short = text.strip_prefix(prefix.as_str()).unwrap_or(text);
    if let Some(number) = values.get(short) {
        return Ok(*number);
    }
    let names = || values.keys().map(String::as_str);
    if let Some(meant) = nearest(short, names()) {
        return Err((
            format!("is not known; did you mean `{meant}`?"),
            format!("est inconnu\u{202f}; vouliez-vous dire `{meant}`\u{202f}?"),
        )
            .into());
    }
    let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err((format!("is not known; there are {all}"), format!("est inconnu\u{202f}; il y a {all}")).into())
}

/// The values of an enumeration but for that which stands for nothing, as filters write them, with their numbers.
pub(super) fn values(kind: &str) -> BTreeMap<String, i32> {
    let prefix = prefix_of(kind);
    let named = enumeration(kind).into_iter().flat_map(|kind| kind.values().collect::<Vec<_>>());
    let known = named.filter(|value| value.number() != 0);
    known.map(|value| (value.name().trim_start_matches(prefix.as_str()).to_owned(), value.number())).collect()
}

pub(super) fn enumeration(kind: &str) -> Option<EnumDescriptor> {
    web::schema::all().get_enum_by_name(kind)
}

/// What the names of all values of an enumeration begin with: `AGREEMENT_PHASE_`.
fn prefix_of(kind: &str) -> String {
    let name = kind.rsplit('.').next().unwrap_or_default();
    let mut prefix = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.extend(character.to_uppercase());
    }
    prefix + "_"
}
