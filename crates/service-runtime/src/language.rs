//! The two working languages, and which of them a caller reads.

use std::borrow::Cow;

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
    /// The language that an `accept-language` header prefers, whatever the region: `fr-ML, en;q=0.8` is French.
    /// Of equal wishes the first counts; `*` takes English.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let language = match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "fr" => Self::French,
                "en" | "*" => Self::English,
                _ => continue,
            };
            if quality > best.0 && quality <= 1.0 {
                best = (quality, language);
            }
        }
        best.1
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_gets_the_language_that_it_prefers() {
        for (header, expected) in [
            ("fr", Language::French),
            ("fr-ML", Language::French),
            ("FR-fr, en;q=0.9", Language::French),
            ("bm, fr;q=0.8, en;q=0.5", Language::French),
            ("en;q=0.5,fr;q=0.6", Language::French),
            ("en-GB, fr", Language::English),
            ("fr;q=0.3, en;q=0.7", Language::English),
            ("fr;q=0, *", Language::English),
            ("de", Language::English),
            ("", Language::English),
            ("fr;q=abc", Language::French),
            (";;,,=", Language::English),
            ("fr;q=0", Language::English),
            ("en;q=0.5, fr;q=7", Language::English),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
