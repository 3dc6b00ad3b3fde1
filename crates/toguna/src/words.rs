//! How values of the services' types are written for people, in the two languages.

use std::{collections::BTreeMap, sync::LazyLock};

use contracts::toguna::{
    log::v1::Certainty,
    oversight::v1::Figure,
    r#type::v1::{Date, LocalizedText, Money, Period, Text, TextOrigin},
};
use prost_reflect::EnumValueDescriptor;
use serde::Deserialize;

use crate::language::Language;

/// An amount; a dash where there is none.
pub fn money(language: Language, money: Option<&Money>) -> String {
    money.map_or_else(none, |money| language.money(&money.currency_code, money.minor_units))
}

/// Amounts of several currencies, never added up; a dash where there is none.
pub fn amounts(language: Language, amounts: &[Money]) -> String {
    if amounts.is_empty() {
        return none();
    }
    amounts.iter().map(|money| language.money(&money.currency_code, money.minor_units)).collect::<Vec<_>>().join("\n")
}

/// A figure, marked where it is not exact: `≈` inferred, `◊` illustrative, `?` unconfirmed.
pub fn figure(language: Language, figure: Option<&Figure>) -> String {
    let Some(figure) = figure.filter(|figure| figure.records > 0) else { return none() };
    format!("{}{}", amounts(language, &figure.amounts), marks(figure.certainty(), figure.unconfirmed))
}

/// Marks of what is not exact: `≈` inferred, `◊` illustrative, `?` unconfirmed.
pub fn marks(certainty: Certainty, unconfirmed: bool) -> String {
    let certainty = match certainty {
        Certainty::Unspecified | Certainty::Exact => "",
        Certainty::Inferred => " ≈",
        Certainty::Illustrative => " ◊",
    };
    format!("{certainty}{}", if unconfirmed { " ?" } else { "" })
}

/// What the marks mean.
pub fn legend(language: Language) -> &'static str {
    language.say(
        "≈ inferred from the sources · ◊ illustrative, made up · ? recorded from a source, not confirmed by its author",
        "≈ déduit des sources · ◊ illustratif, inventé · ? repris d’une source, non confirmé par son auteur",
    )
}

/// A date, as exactly as known; a dash where there is none.
pub fn date(language: Language, date: Option<&Date>) -> String {
    date.map_or_else(none, |date| language.date(date.year, date.month, date.day))
}

/// A span of days; a dash where there is none.
pub fn period(language: Language, period: Option<&Period>) -> String {
    let Some(period) = period else { return none() };
    let end = |end: Option<&Date>| end.map_or_else(|| "…".to_owned(), |it| date(language, Some(it)));
    format!("{} – {}", end(period.start.as_ref()), end(period.end.as_ref()))
}

/// The wording in the language, else in the other one; one that is not the issuer's own is marked by `*`.
pub fn text(language: Language, text: Option<&LocalizedText>) -> String {
    let Some(Text { text, origin }) = text.and_then(|text| wording(language, text)) else { return String::new() };
    let own = *origin == i32::from(TextOrigin::Official);
    format!("{text}{}", if own { "" } else { " *" })
}

/// The same without a mark: for units and the like, where nobody asks whose words they are.
pub fn plain(language: Language, text: Option<&LocalizedText>) -> String {
    text.and_then(|text| wording(language, text)).map(|wording| wording.text.clone()).unwrap_or_default()
}

fn wording(language: Language, text: &LocalizedText) -> Option<&Text> {
    let (first, second) = language.say((&text.en, &text.fr), (&text.fr, &text.en));
    first.as_ref().or(second.as_ref())
}

/// A value of an enum: `in progress`, `en cours`.
pub fn value(language: Language, value: &EnumValueDescriptor) -> String {
    let zero = value.parent_enum().default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let english = value.name().strip_prefix(prefix).unwrap_or(value.name()).to_lowercase().replace('_', " ");
    word(language, &english)
}

/// A value of a generated enum, by its name in `proto/`.
pub fn named(language: Language, name: &str, prefix: &str) -> String {
    word(language, &name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace('_', " "))
}

/// The name of a field: `due on`, `échéance`.
pub fn field(language: Language, name: &str) -> String {
    match (language, FRENCH.fields.get(name)) {
        (Language::Fr, Some(french)) => french.clone(),
        (Language::Fr, None) | (Language::En, _) => name.replace('_', " "),
    }
}

/// A decimal number, its thousands grouped: `11,420`, `11 420`; `22.72`, `22,72`.
pub fn number(language: Language, number: &str) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), |count| language.count(count));
    if fraction.is_empty() { whole } else { format!("{whole}{}{fraction}", language.say('.', ',')) }
}

fn word(language: Language, english: &str) -> String {
    match (language, FRENCH.values.get(english)) {
        (Language::Fr, Some(french)) => french.clone(),
        (Language::Fr, None) | (Language::En, _) => english.to_owned(),
    }
}

fn none() -> String {
    "—".to_owned()
}

/// The field's words, as ministries use them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct French {
    values: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

static FRENCH: LazyLock<French> =
    LazyLock::new(|| toml::from_str(include_str!("words/french.toml")).expect("the table is right, as a test shows"));

#[cfg(test)]
mod tests;
