//! Names of streams, which are the names of resources.

use std::{fmt, str::FromStr, sync::Arc};

/// `agreements/ml-fr-1994-circulation`: a category and an id. Cheap to clone.
///
/// An id is `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, so that a ministry off line can mint it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

/// Not the name of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is a category, a slash and an id of 1 to 63 lower-case letters, digits and inner hyphens")]
pub struct InvalidName;

impl StreamName {
    /// The name of a resource of a category.
    pub fn new(category: &str, id: &str) -> Result<Self, InvalidName> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let id_ok = (1..=63).contains(&id.len()) && id.bytes().all(inner) && !id.starts_with('-') && !id.ends_with('-');
        let category_ok =
            !category.is_empty() && category.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if id_ok && category_ok { Ok(Self(format!("{category}/{id}").into())) } else { Err(InvalidName) }
    }

    /// What kind of resource it is: `agreements`.
    pub fn category(&self) -> &str {
        self.0.split_once('/').map_or("", |(category, _)| category)
    }

    /// Which one: `ml-fr-1994-circulation`.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (category, id) = text.split_once('/').ok_or(InvalidName)?;
        Self::new(category, id)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_category_and_an_id() {
        let name: StreamName = "decisions/t05-eutf-sah-ml-07".parse().expect("a name");
        assert_eq!((name.category(), name.id()), ("decisions", "t05-eutf-sah-ml-07"));
    }

    #[test]
    fn what_cannot_be_typed_on_any_keyboard_is_refused() {
        let long = format!("partners/{}", "a".repeat(64));
        for text in [
            "",
            "partners",
            "partners/",
            "/ml",
            "partners/ML",
            "partners/-ml",
            "partners/ml-",
            "a/b/c",
            "partners/é",
            &long,
        ] {
            assert_eq!(text.parse::<StreamName>(), Err(InvalidName), "{text}");
        }
    }
}
