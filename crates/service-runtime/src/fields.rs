//! From the fields of a request to values that hold what they promise, with every violation at once.

use contracts::toguna::r#type::v1 as types;
use event_store::{Date, LocalizedText, PartialDate, Period, StreamName, Text, TextOrigin};
use prost::{Message, Name};
use rust_decimal::Decimal;
use tonic::Status;

use crate::{
    language::Wording,
    status::{self, Violation},
    validation,
};

/// Category of the streams of organisations.
pub const PARTNERS: &str = "partners";

const REQUIRED: (&str, &str) = ("is required", "est obligatoire");

/// Reads the fields of one request. Each method gives the field's value, or notes what is wrong and gives some value
/// of its type, which nobody sees because [`Fields::finish`] then fails.
#[derive(Debug, Default)]
pub struct Fields {
    violations: Vec<Violation>,
    /// How many of them are of the request's shape; they come first.
    of_shape: usize,
}

impl Fields {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a request: what is wrong with its shape, as `proto/` declares it, is noted already.
    pub fn of<Q: Message + Name>(request: &Q) -> Self {
        Self::after(validation::violations(request))
    }

    /// Goes on after what is wrong with the request's shape.
    pub(crate) fn after(violations: Vec<Violation>) -> Self {
        Self { of_shape: violations.len(), violations }
    }

    /// Notes what is wrong with a field: a text for both languages, or English and French. Where the shape of the field,
    /// of a part of it or of what it is a part of is wrong, that was said, and the field has no value to speak of.
    pub fn violation(&mut self, field: impl Into<String>, problem: impl Into<Wording>) {
        let field = field.into();
        let shape = &self.violations[..self.of_shape];
        if !shape.iter().any(|known| is_part(&known.field, &field) || is_part(&field, &known.field)) {
            self.violations.push(Violation { field, problem: problem.into() });
        }
    }

    /// `INVALID_ARGUMENT` with every violation, if there is one.
    pub fn finish(self) -> Result<(), Status> {
        if self.violations.is_empty() { Ok(()) } else { Err(status::invalid(self.violations)) }
    }

    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// The name of a resource of a category: `agreements/ml-fr-1994-circulation`.
    pub fn name(&mut self, field: &str, text: &str, category: &str) -> StreamName {
        match text.parse::<StreamName>() {
            Ok(name) if name.category() == category => return name,
            _ if text.is_empty() => self.violation(field, REQUIRED),
            _ => self.violation(
                field,
                (
                    format!("must be `{category}/` and 1 to 63 lower-case letters, digits and inner hyphens"),
                    format!(
                        "doit être `{category}/` suivi de 1 à 63 minuscules, chiffres et traits d’union intérieurs"
                    ),
                ),
            ),
        }
        StreamName::new(category, "x").expect("a category is a valid first part of a name")
    }

    /// The name of a resource of a category; empty: `None`.
    pub fn optional_name(&mut self, field: &str, text: &str, category: &str) -> Option<StreamName> {
        (!text.is_empty()).then(|| self.name(field, text, category))
    }

    /// The name of an organisation: `partners/ml`.
    pub fn organisation(&mut self, field: &str, text: &str) -> String {
        self.name(field, text, PARTNERS).to_string()
    }

    /// A text of 1 to `max` characters, on one line.
    pub fn text(&mut self, field: &str, text: &str, max: usize) -> String {
        if text.is_empty() {
            self.violation(field, REQUIRED);
        }
        self.optional_text(field, text, max).unwrap_or_default()
    }

    /// A text of at most `max` characters, on one line; empty: `None`.
    pub fn optional_text(&mut self, field: &str, text: &str, max: usize) -> Option<String> {
        if text.chars().any(is_disruptive) {
            self.violation(
                field,
                (
                    "must have no control characters, line breaks or changes of direction",
                    "ne doit contenir ni caractère de commande, ni saut de ligne, ni changement de direction",
                ),
            );
        }
        if text.trim() != text {
            self.violation(
                field,
                ("must not begin or end with a space", "ne doit ni commencer ni finir par une espace"),
            );
        }
        let length = text.chars().count();
        if length > max {
            self.violation(
                field,
                (
                    format!("has {length} characters, at most {max} are kept"),
                    format!("compte {length} caractères, on en conserve au plus {max}"),
                ),
            );
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// No more than `max` elements of a repeated field.
    pub fn at_most(&mut self, field: &str, length: usize, max: usize) {
        if length > max {
            self.violation(
                field,
                (
                    format!("has {length} elements, at most {max} are taken"),
                    format!("compte {length} éléments, au plus {max} sont admis"),
                ),
            );
        }
    }

    /// An amount: ISO 4217 code and minor units, of whatever sign.
    pub fn money(&mut self, field: &str, money: Option<&types::Money>) -> (String, i64) {
        let Some(money) = money else {
            self.violation(field, REQUIRED);
            return (String::from("XXX"), 0);
        };
        let code = money.currency_code.as_bytes();
        if code.len() != 3 || !code.iter().all(u8::is_ascii_uppercase) {
            self.violation(
                format!("{field}.currency_code"),
                (
                    "must be three upper-case letters, as in ISO 4217",
                    "doit être trois majuscules, comme dans l’ISO 4217",
                ),
            );
        }
        (money.currency_code.clone(), money.minor_units)
    }

    /// A date as exactly as it is known.
    pub fn date(&mut self, field: &str, date: Option<&types::Date>) -> PartialDate {
        if date.is_none() {
            self.violation(field, REQUIRED);
        }
        self.optional_date(field, date).unwrap_or(SOME_DAY.into())
    }

    /// A date as exactly as it is known; unset: `None`.
    pub fn optional_date(&mut self, field: &str, date: Option<&types::Date>) -> Option<PartialDate> {
        let read = event_store::date_from_proto(date?);
        if read.is_err() {
            self.violation(field, ("is not a date", "n’est pas une date"));
        }
        read.ok()
    }

    /// A date of which the day is known.
    pub fn exact_date(&mut self, field: &str, date: Option<&types::Date>) -> Date {
        if date.is_none() {
            self.violation(field, REQUIRED);
        }
        self.optional_exact_date(field, date).unwrap_or(SOME_DAY)
    }

    /// A date of which the day is known; unset: `None`.
    pub fn optional_exact_date(&mut self, field: &str, date: Option<&types::Date>) -> Option<Date> {
        let date = self.optional_date(field, date)?;
        if date.exact().is_none() {
            self.violation(field, ("must have a month and a day", "doit avoir un mois et un jour"));
        }
        date.exact()
    }

    /// A span of days, both included, each end open where it is unset.
    pub fn period(&mut self, field: &str, period: Option<&types::Period>) -> Period {
        let Some(period) = period else {
            self.violation(field, REQUIRED);
            return Period::default();
        };
        let start = self.optional_exact_date(&format!("{field}.start"), period.start.as_ref());
        let end = self.optional_exact_date(&format!("{field}.end"), period.end.as_ref());
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            self.violation(field, ("ends before it starts", "finit avant de commencer"));
        }
        Period { start, end }
    }

    /// A text in at least one of the two languages, each wording of at most `max` characters.
    pub fn localized(&mut self, field: &str, text: Option<&types::LocalizedText>, max: usize) -> LocalizedText {
        let read = self.optional_localized(field, text, max);
        if text.is_none_or(|text| text.fr.is_none() && text.en.is_none()) {
            self.violation(field, REQUIRED);
        }
        read
    }

    /// A text in any of the two languages, or none.
    pub fn optional_localized(
        &mut self,
        field: &str,
        text: Option<&types::LocalizedText>,
        max: usize,
    ) -> LocalizedText {
        let Some(text) = text else { return LocalizedText::default() };
        let mut wording = |language: &str, sent: Option<&types::Text>| {
            let (path, sent) = (format!("{field}.{language}"), sent?);
            let origin = self.enumeration(&format!("{path}.origin"), sent.origin, |origin| match origin {
                types::TextOrigin::Official => Some(TextOrigin::Official),
                types::TextOrigin::Translation => Some(TextOrigin::Translation),
                types::TextOrigin::Unspecified => None,
            });
            Some(Text { text: self.text(&format!("{path}.text"), &sent.text, max), origin })
        };
        LocalizedText { fr: wording("fr", text.fr.as_ref()), en: wording("en", text.en.as_ref()) }
    }

    /// An exact decimal number of at most 28 digits.
    pub fn decimal(&mut self, field: &str, decimal: Option<&types::Decimal>) -> Decimal {
        let Some(decimal) = decimal else {
            self.violation(field, REQUIRED);
            return Decimal::ZERO;
        };
        read_decimal(&decimal.value).unwrap_or_else(|| {
            self.violation(
                format!("{field}.value"),
                (
                    "must be an optional minus, digits, and an optional point and digits, 28 of them at most",
                    "doit être un moins facultatif, des chiffres, puis un point et des chiffres facultatifs, 28 au plus",
                ),
            );
            Decimal::ZERO
        })
    }

    /// One of the values of an enumeration. `read` gives `None` for what may not be sent, such as the zero value.
    pub fn enumeration<P: TryFrom<i32>, T>(&mut self, field: &str, value: i32, read: impl Fn(P) -> Option<T>) -> T {
        let known = |number: i32| P::try_from(number).ok().and_then(&read);
        known(value).unwrap_or_else(|| {
            let problem = if value == 0 { REQUIRED } else { ("has an unknown value", "a une valeur inconnue") };
            self.violation(field, problem);
            (1..=MOST_VALUES).find_map(known).expect("an enumeration has a value beside zero")
        })
    }

    /// One of the values of an enumeration; unspecified: `None`.
    pub fn optional_enumeration<P: TryFrom<i32>, T>(
        &mut self,
        field: &str,
        value: i32,
        read: impl Fn(P) -> Option<T>,
    ) -> Option<T> {
        (value != 0).then(|| self.enumeration(field, value, read))
    }
}

/// More values than any enumeration of the API has.
const MOST_VALUES: i32 = 1000;

/// Stands where a date should be, until the request is refused.
const SOME_DAY: Date = Date::constant(1, 1, 1);

/// Control characters, line and paragraph separators, and what turns the direction of writing: they make a text look
/// like another.
fn is_disruptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a path is that of a field, or leads on from there.
fn is_part(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn read_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let count = unsigned.bytes().filter(u8::is_ascii_digit).count();
    (digits(whole) && digits(fraction) && count <= 28).then(|| Decimal::from_str_exact(text).ok()).flatten()
}

#[cfg(test)]
mod tests;
