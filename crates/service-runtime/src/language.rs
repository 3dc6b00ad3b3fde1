//! Which of the two working languages a caller reads.

pub use event_store::{Language, Wording};

/// The language that an `accept-language` header prefers, whatever the region: `fr-ML, en;q=0.8` is French.
/// Of equal wishes the first counts; `*` takes English.
pub(crate) fn accepted(header: &str) -> Language {
    let mut best = (0.0, Language::default());
    for range in header.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        let language = match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "fr" => Language::French,
            "en" | "*" => Language::English,
            _ => continue,
        };
        if quality > best.0 && quality <= 1.0 {
            best = (quality, language);
        }
    }
    best.1
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
            assert_eq!(accepted(header), expected, "{header}");
        }
    }
}
