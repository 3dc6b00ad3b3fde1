//! What people read, in both languages: words, and the values that the texts of refusals speak of, each as its language
//! writes it.

use std::{borrow::Cow, fmt::Display};

use event_sourcing::PartialDate;

/// A working language of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, also of callers who asked for neither.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }
}

/// The same words in both languages. A text given alone stands for both: a number, a name, a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// English.
    pub en: Cow<'static, str>,
    /// French.
    pub fr: Cow<'static, str>,
}

impl Wording {
    /// The words in one language.
    pub fn say(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::French => &self.fr,
        }
    }
}

impl From<(&'static str, &'static str)> for Wording {
    fn from((en, fr): (&'static str, &'static str)) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }
}

impl From<(String, String)> for Wording {
    fn from((en, fr): (String, String)) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }
}

impl From<&'static str> for Wording {
    fn from(text: &'static str) -> Self {
        Self::from((text, text))
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Self {
        Self { en: text.clone().into(), fr: text.into() }
    }
}

/// A value that the texts of a refusal speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// As programs read it, in `google.rpc.ErrorInfo`: `3200000.00`, `2021-12-31`, `AUTHORISED`.
    pub plain: Cow<'static, str>,
    /// As people read it: `3,200,000.00`, `31 décembre 2021`, `authorised`.
    pub said: Wording,
}

impl Value {
    /// What is the same in every language: the name of a resource, a code, a version.
    pub fn name(name: impl Display) -> Self {
        Wording::from(name.to_string()).into()
    }

    /// Something that has a code for programs, and words for people.
    pub fn coded(code: impl Into<Cow<'static, str>>, words: impl Into<Wording>) -> Self {
        Self { plain: code.into(), said: words.into() }
    }

    /// So many of something: `65,535`, `65 535`.
    pub fn count(count: impl Display) -> Self {
        Self::amount(&count.to_string())
    }

    /// An amount in the main unit of its currency, given as `3200000.00`: `3,200,000.00`, `3 200 000,00`.
    pub fn amount(digits: &str) -> Self {
        let (sign, unsigned) = digits.strip_prefix('-').map_or(("", digits), |unsigned| ("\u{2212}", unsigned));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let written = |group: char, point: char| {
            let whole = grouped(whole, group);
            if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{point}{fraction}") }
        };
        Self::coded(digits.to_owned(), (written(',', '.'), written('\u{202f}', ',')))
    }

    /// A date as exactly as it is known: `1 April 2016`, `1er avril 2016`; `avril 2016`; `2016`.
    pub fn date(date: impl Into<PartialDate>) -> Self {
        let date = date.into();
        let (year, month, day) = date.parts();
        let name = |names: [&'static str; 12]| {
            month.and_then(|month| names.get(usize::try_from(month).ok()?.checked_sub(1)?).copied())
        };
        let written = |name: Option<&str>, first: &str| match (name, day) {
            (None, _) => year.to_string(),
            (Some(name), None) => format!("{name} {year}"),
            (Some(name), Some(1)) => format!("{first} {name} {year}"),
            (Some(name), Some(day)) => format!("{day} {name} {year}"),
        };
        Self::coded(date.to_string(), (written(name(MONTHS_EN), "1"), written(name(MONTHS_FR), "1er")))
    }

    /// A date after *since* and *depuis*: French has an article before a day, and none before a month or a year.
    pub fn since(date: impl Into<PartialDate>) -> Self {
        let date = date.into();
        let mut since = Self::date(date);
        if date.exact().is_some() {
            since.said.fr = format!("le {}", since.said.fr).into();
        }
        since
    }

    /// As people read it in one language.
    pub fn say(&self, language: Language) -> &str {
        self.said.say(language)
    }
}

/// Programs read what the English say.
impl<T: Into<Wording>> From<T> for Value {
    fn from(words: T) -> Self {
        let said = words.into();
        Self { plain: said.en.clone(), said }
    }
}

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// Digits in threes.
fn grouped(digits: &str, separator: char) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &Value) -> [&str; 3] {
        [&value.plain, &value.said.en, &value.said.fr]
    }

    #[test]
    fn amounts_are_written_as_each_language_writes_them() {
        for (plain, english, french) in [
            ("3200000.00", "3,200,000.00", "3\u{202f}200\u{202f}000,00"),
            ("28534129500", "28,534,129,500", "28\u{202f}534\u{202f}129\u{202f}500"),
            ("-1000.5", "\u{2212}1,000.5", "\u{2212}1\u{202f}000,5"),
            ("999", "999", "999"),
            ("0.05", "0.05", "0,05"),
        ] {
            assert_eq!(all(&Value::amount(plain)), [plain, english, french]);
        }
        assert_eq!(all(&Value::count(65_535)), ["65535", "65,535", "65\u{202f}535"]);
    }

    #[test]
    fn dates_are_written_as_each_language_writes_them_and_as_exactly_as_they_are_known() {
        for (plain, english, french, since) in [
            ("2016-04-15", "15 April 2016", "15 avril 2016", "le 15 avril 2016"),
            ("2022-01-01", "1 January 2022", "1er janvier 2022", "le 1er janvier 2022"),
            ("2019-12", "December 2019", "décembre 2019", "décembre 2019"),
            ("2019", "2019", "2019", "2019"),
        ] {
            let date: PartialDate = plain.parse().expect("a date");
            assert_eq!(all(&Value::date(date)), [plain, english, french]);
            assert_eq!(all(&Value::since(date)), [plain, english, since]);
        }
    }

    #[test]
    fn words_are_for_people_and_codes_for_programs() {
        let stage = Value::coded("AUTHORISED", ("authorised", "ordonnancé"));
        assert_eq!([stage.say(Language::English), stage.say(Language::French)], ["authorised", "ordonnancé"]);
        assert_eq!(stage.plain, "AUTHORISED");
        assert_eq!(all(&Value::name("funds/eutf-africa")), ["funds/eutf-africa"; 3]);
    }
}
