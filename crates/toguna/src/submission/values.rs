//! What a cell says, read exactly: amounts, dates, values of enums. Nothing is rounded, and nothing that could mean two
//! things is guessed; the refusal says what to write instead.

use jiff::civil;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::{catalogue::nearest, headings::plain};
use crate::{
    language::{Language, decimals},
    words,
};

/// How cells are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// Under a French heading a comma is the decimal sign.
    pub french: bool,
    /// The currency of amounts that do not name one; empty: they must.
    pub currency: &'a str,
    /// Of what is said about mistakes.
    pub language: Language,
}

/// The value of a field, or of an element of its list, as proto3 JSON.
pub fn read(field: &FieldDescriptor, text: &str, manner: Manner<'_>) -> Result<Value, String> {
    let language = manner.language;
    match field.kind() {
        Kind::Message(message) => message_value(&message, text, manner),
        Kind::Enum(kind) => enumeration(&kind, text, language),
        Kind::Bool => truth(text, language),
        Kind::Bytes => bytes(text, language),
        Kind::String => Ok(json!(text)),
        Kind::Double | Kind::Float => Err(language.say("no field is a float", "aucun champ n’est un flottant").into()),
        kind => whole(&kind, text, language),
    }
}

fn message_value(message: &MessageDescriptor, text: &str, manner: Manner<'_>) -> Result<Value, String> {
    let language = manner.language;
    match message.full_name() {
        "toguna.type.v1.Money" => money(text, manner),
        "toguna.type.v1.Date" => date(text, language),
        "toguna.type.v1.Period" => period(text, language),
        "toguna.type.v1.Decimal" => decimal(text, manner),
        "google.protobuf.Timestamp" | "google.protobuf.Duration" => Ok(json!(text)),
        "toguna.type.v1.Text" => Err(language.say(
            "say whose words they are: the column ends in .official, or in .translation".to_owned(),
            "dites de qui sont les mots : la colonne finit par .officiel, ou par .traduction".to_owned(),
        )),
        _ => {
            let fields = message.fields().map(|it| format!(".{}", it.name())).collect::<Vec<_>>().join(", ");
            Err(language.say(
                format!("this is no single value; its columns end in {fields}"),
                format!("ce n’est pas une seule valeur ; ses colonnes finissent par {fields}"),
            ))
        }
    }
}

/// `EUR 1500.00`, `1 500,00 EUR` under a French heading, `28534129500` with the row's currency XOF.
fn money(text: &str, manner: Manner<'_>) -> Result<Value, String> {
    let language = manner.language;
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let text = text.trim();
    let before = text.get(..3).filter(|code| is_code(code)).map(|code| (code, &text[3..]));
    let after = || {
        let (at, code) = (text.len().checked_sub(3)?, text.get(text.len() - 3..)?);
        is_code(code).then(|| (code, &text[..at]))
    };
    let (currency, amount) = before.or_else(after).unwrap_or((manner.currency, text));
    if !is_code(currency) {
        return Err(language.say(
            format!("“{text}” names no currency: write EUR 1500.00, or add a column `currency`"),
            format!("« {text} » ne dit pas la monnaie : écrivez 1500,00 EUR, ou ajoutez une colonne « devise »"),
        ));
    }
    let minor_units = minor_units(amount.trim(), decimals(currency), manner.french).ok_or_else(|| {
        let (point, comma) = match decimals(currency) {
            0 => ("1500", "1500"),
            3 => ("1500.000", "1500,000"),
            _ => ("1500.00", "1500,00"),
        };
        let example = if manner.french { comma } else { point };
        language.say(
            format!("“{text}” cannot be read exactly: {currency} has {} decimals, write {example}", decimals(currency)),
            format!(
                "« {text} » ne se lit pas exactement : {currency} a {} décimales, écrivez {example}",
                decimals(currency)
            ),
        )
    })?;
    Ok(json!({ "currency_code": currency, "minor_units": minor_units.to_string() }))
}

/// An amount's minor units; nothing where it could mean another amount.
fn minor_units(amount: &str, decimals: usize, french: bool) -> Option<i64> {
    let unsigned = amount.strip_prefix(['-', '\u{2212}']);
    let (whole, fraction) = match unsigned.unwrap_or(amount).split_once(if french { ['.', ','] } else { ['.', '.'] }) {
        Some((whole, fraction)) => (whole, fraction),
        // Without a sign no decimals are meant, and none are missing.
        None => (unsigned.unwrap_or(amount), &"000"[..decimals]),
    };
    let groups: Vec<&str> = whole.split([' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() == 1 || groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !grouped || !groups.iter().all(|group| digits(group)) || fraction.len() != decimals {
        return None;
    }
    if decimals > 0 && !digits(fraction) || decimals == 0 && amount.contains(['.', ',']) {
        return None;
    }
    let units: i64 = format!("{}{fraction}", groups.concat()).parse().ok()?;
    Some(if unsigned.is_some() { -units } else { units })
}

/// `2016-04-15`, or as much of it as is known: `2016-04`, `2016`.
fn date(text: &str, language: Language) -> Result<Value, String> {
    let no_date = || {
        language.say(
            format!("“{text}” is no date: write 2016-04-15, or 2016-04 or 2016 where no more is known"),
            format!(
                "« {text} » n’est pas une date : écrivez 2016-04-15, ou 2016-04 ou 2016 si l’on n’en sait pas plus"
            ),
        )
    };
    let part = |part: &str, digits: usize| {
        let right = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| part.parse::<i16>().ok()).flatten()
    };
    let parts: Vec<&str> = text.trim().split('-').collect();
    let read = match parts[..] {
        [year] => part(year, 4).map(|year| (year, 1, 1, 1)),
        [year, month] => part(year, 4).zip(part(month, 2)).map(|(year, month)| (year, month, 1, 2)),
        [year, month, day] => {
            part(year, 4).zip(part(month, 2)).zip(part(day, 2)).map(|((year, month), day)| (year, month, day, 3))
        }
        _ => None,
    };
    let (year, month, day, known) = read.ok_or_else(no_date)?;
    let small = |part: i16| i8::try_from(part).map_err(|_| no_date());
    let exact = civil::Date::new(year, small(month)?, small(day)?).map_err(|_| no_date())?;
    if exact.year() == 0 {
        return Err(no_date());
    }
    Ok(match known {
        1 => json!({ "year": year }),
        2 => json!({ "year": year, "month": month }),
        _ => json!({ "year": year, "month": month, "day": day }),
    })
}

/// `2015-01-01/2019-12-31`; an open end stays empty.
fn period(text: &str, language: Language) -> Result<Value, String> {
    let (start, end) = text.split_once('/').ok_or_else(|| {
        language.say(
            format!("“{text}” is no period: write 2015-01-01/2019-12-31"),
            format!("« {text} » n’est pas une période : écrivez 2015-01-01/2019-12-31"),
        )
    })?;
    let mut fields = serde_json::Map::new();
    for (name, text) in [("start", start.trim()), ("end", end.trim())] {
        if !text.is_empty() {
            fields.insert(name.to_owned(), date(text, language)?);
        }
    }
    Ok(fields.into())
}

fn decimal(text: &str, manner: Manner<'_>) -> Result<Value, String> {
    let text = text.trim();
    let pointed = if manner.french { text.replacen(',', ".", 1) } else { text.to_owned() };
    let digits = pointed.strip_prefix('-').unwrap_or(&pointed);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let right = [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if right {
        return Ok(json!({ "value": pointed }));
    }
    Err(manner.language.say(
        format!("“{text}” is no number: write 22.72"),
        format!("« {text} » n’est pas un nombre : écrivez {}", if manner.french { "22,72" } else { "22.72" }),
    ))
}

/// By its name with or without that of its enum, or by its French word.
fn enumeration(kind: &EnumDescriptor, text: &str, language: Language) -> Result<Value, String> {
    let wanted = plain(text);
    let zero = kind.default_value();
    // Every value begins with the name of its enum, which every enum's zero value shows.
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let short = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
    let values: Vec<_> = kind.values().filter(|value| value.number() != 0).collect();
    let meant = values.iter().find(|value| {
        let french = words::value(Language::Fr, value);
        [plain(value.name()), short(value.name()), plain(&french)].contains(&wanted)
    });
    if let Some(value) = meant {
        return Ok(json!(value.name()));
    }
    let names: Vec<String> = values.iter().map(|value| short(value.name())).collect();
    let near = nearest(&wanted, names.iter().map(String::as_str));
    let (list, near) = (names.join(", "), near.map(|near| (near.to_owned(), near.to_owned())));
    let near =
        near.map(|(en, fr)| language.say(format!("; did you mean {en}?"), format!(" ; vouliez-vous dire {fr} ?")));
    let near = near.unwrap_or_default();
    Err(language.say(
        format!("“{text}” is none of: {list}{near}"),
        format!("« {text} » n’est aucune de ces valeurs : {list}{near}"),
    ))
}

fn truth(text: &str, language: Language) -> Result<Value, String> {
    match plain(text).as_str() {
        "true" | "yes" | "oui" | "vrai" | "1" => Ok(json!(true)),
        "false" | "no" | "non" | "faux" | "0" => Ok(json!(false)),
        _ => Err(language.say(format!("“{text}” is not yes or no"), format!("« {text} » n’est ni oui ni non"))),
    }
}

fn whole(kind: &Kind, text: &str, language: Language) -> Result<Value, String> {
    let text = text.trim();
    let fits = match kind {
        Kind::Uint32 | Kind::Fixed32 => text.parse::<u32>().is_ok(),
        Kind::Uint64 | Kind::Fixed64 => text.parse::<u64>().is_ok(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse::<i32>().is_ok(),
        _ => text.parse::<i64>().is_ok(),
    };
    if fits && !text.starts_with('+') {
        return Ok(json!(text));
    }
    Err(language.say(format!("“{text}” is no whole number"), format!("« {text} » n’est pas un nombre entier")))
}

/// Hexadecimal, as every tool prints digests; proto3 JSON has bytes in base64.
fn bytes(text: &str, language: Language) -> Result<Value, String> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    let bytes = bytes.filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or_else(|| {
        language.say(format!("“{text}” is not hexadecimal"), format!("« {text} » n’est pas hexadécimal"))
    })?;
    Ok(json!(base64(&bytes)))
}

/// Bytes as proto3 JSON writes them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().enumerate().fold(0u32, |bits, (index, byte)| bits | u32::from(*byte) << (16 - 8 * index));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
