//! Between texts and their stored form.

use contracts::toguna::r#type::v1 as types;
use event_sourcing::{LocalizedText, Text, TextOrigin};

use crate::DecodeError;

/// A text on the wire.
pub fn text_to_proto(text: &LocalizedText) -> types::LocalizedText {
    let wording = |wording: &Text| types::Text {
        text: wording.text.clone(),
        origin: match wording.origin {
            TextOrigin::Official => types::TextOrigin::Official,
            TextOrigin::Translation => types::TextOrigin::Translation,
        }
        .into(),
    };
    types::LocalizedText { fr: text.fr.as_ref().map(wording), en: text.en.as_ref().map(wording) }
}

/// A text from the wire; unset: without any wording.
pub fn text_from_proto(text: Option<&types::LocalizedText>) -> Result<LocalizedText, DecodeError> {
    let wording = |wording: &types::Text| {
        let origin = match wording.origin() {
            types::TextOrigin::Official => TextOrigin::Official,
            types::TextOrigin::Translation => TextOrigin::Translation,
            types::TextOrigin::Unspecified => return Err(DecodeError::Missing("origin")),
        };
        Ok(Text { text: wording.text.clone(), origin })
    };
    let Some(text) = text else { return Ok(LocalizedText::default()) };
    Ok(LocalizedText { fr: text.fr.as_ref().map(wording).transpose()?, en: text.en.as_ref().map(wording).transpose()? })
}
