//! How values of the services' types are written for people, in the two languages.

use contracts::toguna::{
    log::v1::Certainty,
    oversight::v1::Figure,
    r#type::v1::{Date, LocalizedText, Money, Period, Text, TextOrigin},
};
use prost_reflect::EnumValueDescriptor;

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
    let Some(text) = text else { return String::new() };
    let (first, second) = language.say((&text.en, &text.fr), (&text.fr, &text.en));
    let Some(Text { text, origin }) = first.as_ref().or(second.as_ref()) else { return String::new() };
    let own = *origin == i32::from(TextOrigin::Official);
    format!("{text}{}", if own { "" } else { " *" })
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

fn word(language: Language, english: &str) -> String {
    let french = || FRENCH.iter().find(|(known, _)| *known == english).map_or(english, |(_, french)| french);
    match language {
        Language::En => english.to_owned(),
        Language::Fr => french().to_owned(),
    }
}

fn none() -> String {
    "—".to_owned()
}

/// The field's words, as ministries use them.
const FRENCH: &[(&str, &str)] = &[
    ("unspecified", "sans indication"),
    ("exact", "exact"),
    ("inferred", "déduit"),
    ("illustrative", "illustratif"),
    ("act", "acte"),
    ("recorded from source", "repris d’une source"),
    // Commitments.
    ("proposed", "proposé"),
    ("endorsed", "entériné"),
    ("in progress", "en cours"),
    ("reported", "déclaré"),
    ("verified", "vérifié"),
    ("returned", "renvoyé"),
    ("fulfilled", "tenu"),
    ("partly fulfilled", "partiellement tenu"),
    ("withdrawn", "retiré"),
    ("lapsed", "caduc"),
    ("confirmed", "confirmé"),
    ("unconfirmed", "non confirmé"),
    ("project", "projet"),
    ("policy", "politique"),
    ("domain", "domaine"),
    ("objective", "objectif"),
    ("priority", "priorité"),
    ("initiative", "initiative"),
    ("action", "action"),
    ("axis", "axe"),
    // Agreements.
    ("registered", "enregistré"),
    ("negotiating", "en négociation"),
    ("initialled", "paraphé"),
    ("adopted", "adopté"),
    ("signed", "signé"),
    ("provisionally applied", "appliqué à titre provisoire"),
    ("in force", "en vigueur"),
    ("suspended", "suspendu"),
    ("terminated", "éteint"),
    ("expired", "expiré"),
    ("superseded", "remplacé"),
    ("binding", "contraignant"),
    ("non binding", "non contraignant"),
    ("contested", "contesté"),
    ("treaty", "traité"),
    ("convention", "convention"),
    ("memorandum", "mémorandum d’entente"),
    ("joint communique", "communiqué conjoint"),
    ("political declaration", "déclaration politique"),
    // Money.
    ("open", "en cours"),
    ("closed", "clos"),
    ("published", "publié"),
    ("approved", "approuvé"),
    ("prefinancing", "préfinancement"),
    ("interim", "paiement intermédiaire"),
    ("balance", "solde"),
    ("requested", "demandé"),
    ("initiated", "engagé"),
    ("authorised", "ordonnancé"),
    ("disbursed", "décaissé"),
    ("rejected", "rejeté"),
];

#[cfg(test)]
mod tests;
