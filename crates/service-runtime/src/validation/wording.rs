//! What is said of a value that breaks a rule of `buf.validate`; rules of `toguna.rules.v1` say it themselves.

use super::expression::Comparison;
use crate::Wording;

pub const REQUIRED: (&str, &str) = ("is required", "est obligatoire");
pub const UNKNOWN: (&str, &str) = ("has an unknown value", "a une valeur inconnue");
pub const NO_UUID: (&str, &str) = ("must be a UUID", "doit être un UUID");

pub fn too_long(length: u64, most: u64) -> Wording {
    let en = format!("has {length} characters, at most {most} are kept");
    (en, format!("compte {length} caractères, on en conserve au plus {most}")).into()
}

pub fn too_short(length: u64, least: u64) -> Wording {
    let en = format!("has {length} characters, at least {least} are needed");
    (en, format!("compte {length} caractères, il en faut au moins {least}")).into()
}

pub fn too_many(count: u64, most: u64) -> Wording {
    let en = format!("has {count} elements, at most {most} are taken");
    (en, format!("compte {count} éléments, au plus {most} sont admis")).into()
}

pub fn too_few(count: u64, least: u64) -> Wording {
    let en = format!("has {count} elements, at least {least} must be named");
    (en, format!("compte {count} éléments, il en faut au moins {least}")).into()
}

pub fn not_so_long(length: u64) -> Wording {
    (format!("must be {length} bytes long"), format!("doit être long de {length} octets")).into()
}

pub fn compared(comparison: Comparison, limit: i128) -> Wording {
    let (en, fr) = match comparison {
        Comparison::More => ("must be more than", "doit être supérieur à"),
        Comparison::AtLeast => ("must be at least", "doit être au moins"),
        Comparison::Less => ("must be less than", "doit être inférieur à"),
        Comparison::AtMost => ("must be at most", "doit être au plus"),
        Comparison::Other => ("must not be", "ne doit pas être"),
    };
    (format!("{en} {limit}"), format!("{fr} {limit}")).into()
}
