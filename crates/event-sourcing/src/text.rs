//! Texts in the two working languages, each with where its wording comes from.

/// The same text in French and English. A language without a sourced or translated wording stays `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LocalizedText {
    /// French.
    pub fr: Option<Text>,
    /// English.
    pub en: Option<Text>,
}

/// One wording in one language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The words.
    pub text: String,
    /// Whose words they are.
    pub origin: TextOrigin,
}

/// Where a wording comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextOrigin {
    /// The issuer's own.
    Official,
    /// Made for the record, of no official standing.
    Translation,
}

impl LocalizedText {
    /// An official French wording alone.
    pub fn official_fr(text: impl Into<String>) -> Self {
        Self { fr: Some(Text { text: text.into(), origin: TextOrigin::Official }), en: None }
    }

    /// An official English wording alone.
    pub fn official_en(text: impl Into<String>) -> Self {
        Self { fr: None, en: Some(Text { text: text.into(), origin: TextOrigin::Official }) }
    }

    /// Whether it has no wording at all.
    pub fn is_empty(&self) -> bool {
        self.fr.is_none() && self.en.is_none()
    }
}
