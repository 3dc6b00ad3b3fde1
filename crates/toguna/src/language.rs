//! French and English, and how each writes amounts and dates.

use serde::Deserialize;

/// A working language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Language {
    /// The language of a locale such as `fr_ML.UTF-8`: French where it says so, else English.
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_lowercase().starts_with("fr") { Self::Fr } else { Self::En }
    }

    /// The language that the environment asks for: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is set.
    pub fn of_environment() -> Self {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).map_or_else(Self::default, |it| Self::of_locale(&it))
    }

    /// As in `accept-language`.
    pub fn code(self) -> &'static str {
        self.say("en", "fr")
    }

    /// The one wording or the other.
    pub fn say<T>(self, english: T, french: T) -> T {
        match self {
            Self::En => english,
            Self::Fr => french,
        }
    }

    /// An amount of minor units: `EUR 43,500,000.00`, `43 500 000,00 EUR`.
    pub fn money(self, currency: &str, minor_units: i64) -> String {
        let plain = decimal(currency, minor_units);
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("\u{2212}", digits));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let whole = grouped(whole, self.say(',', '\u{202f}'));
        let number = match fraction {
            Some(fraction) => format!("{sign}{whole}{}{fraction}", self.say('.', ',')),
            None => format!("{sign}{whole}"),
        };
        self.say(format!("{currency} {number}"), format!("{number}\u{a0}{currency}"))
    }

    /// A count: `1,252`, `1 252`.
    pub fn count(self, count: u64) -> String {
        grouped(&count.to_string(), self.say(',', '\u{202f}'))
    }

    /// A date as exactly as known: `15 April 2016`, `1er avril 2016`, `avril 2016`, `2016`. Month and day 0: not known.
    pub fn date(self, year: i32, month: i32, day: i32) -> String {
        let name = usize::try_from(month - 1).ok().and_then(|index| self.say(MONTHS_EN, MONTHS_FR).get(index).copied());
        match (name, day) {
            (None, _) => year.to_string(),
            (Some(month), 0) => format!("{month} {year}"),
            (Some(month), 1) => format!("{} {month} {year}", self.say("1", "1er")),
            (Some(month), day) => format!("{day} {month} {year}"),
        }
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

/// How many decimals a currency has (ISO 4217); two unless it is one of those without.
pub fn decimals(currency: &str) -> usize {
    match currency {
        "XOF" | "XAF" | "GNF" | "DJF" | "RWF" | "UGX" | "BIF" | "KMF" | "JPY" => 0,
        "TND" | "LYD" => 3,
        _ => 2,
    }
}

/// An amount of minor units as a plain decimal number: `43500000.00`, `28534129500`.
pub fn decimal(currency: &str, minor_units: i64) -> String {
    let decimals = decimals(currency);
    let sign = if minor_units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor_units.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

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

/// One text in the two languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Words {
    /// The text in a language.
    pub fn in_language(&self, language: Language) -> &str {
        language.say(&self.en, &self.fr)
    }
}

#[cfg(test)]
mod tests;
