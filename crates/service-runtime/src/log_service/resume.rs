//! Where a replay has come to, as text that its caller keeps and sends back.

use std::{fmt, str::FromStr};

use event_store::{Epoch, EventFilter, InvalidToken};
use sha2::{Digest as _, Sha256};

/// Tells filters apart: the first 64 bits of a SHA-256, for nobody gains anything by another filter with the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FilterHash(u64);

/// Hexadecimal digits of it in a token.
const DIGITS: usize = 16;

impl FilterHash {
    /// The same for the same filter, in whatever order its types come.
    pub fn of(filter: &EventFilter) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        part(filter.stream.as_ref().map(event_store::StreamName::as_str).unwrap_or_default());
        part(filter.category.as_deref().unwrap_or_default());
        part(filter.organisation.as_deref().unwrap_or_default());
        let mut types: Vec<&str> = filter.types.iter().map(String::as_str).collect();
        types.sort_unstable();
        types.dedup();
        types.into_iter().for_each(part);
        let hash: [u8; 32] = hash.finalize().into();
        Self(u64::from_be_bytes(*hash.first_chunk().expect("a hash is longer")))
    }
}

/// A place in the replay of one log with one filter. It authorises nothing: whoever makes one up is told less or more
/// of a log that he may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResumeToken {
    /// Name of the log.
    pub log: String,
    /// Its history.
    pub epoch: Epoch,
    /// Everything up to this position was looked at.
    pub position: u64,
    /// Position of the last matching event up to there; 0: none is known.
    pub last_event: u64,
    /// What matched.
    pub filter: FilterHash,
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, epoch, position, last_event, filter: FilterHash(filter) } = self;
        write!(f, "{log}.{epoch}.{position}.{last_event}.{filter:016x}")
    }
}

impl FromStr for ResumeToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let [log, epoch, position, last_event, filter] = text.split('.').collect::<Vec<_>>()[..] else {
            return Err(InvalidToken);
        };
        let named = (1..=63).contains(&log.len()) && log.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let hashed = filter.len() == DIGITS && filter.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| plain).map(i64::cast_unsigned).ok_or(InvalidToken)
        };
        let (position, last_event) = (number(position)?, number(last_event)?);
        if !named || !hashed || last_event > position {
            return Err(InvalidToken);
        }
        let filter = FilterHash(u64::from_str_radix(filter, 16).map_err(|_| InvalidToken)?);
        Ok(Self { log: log.to_owned(), epoch: epoch.parse()?, position, last_event, filter })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn token() -> ResumeToken {
        ResumeToken {
            log: "partnerships".to_owned(),
            epoch: Uuid::from_u128(7).into(),
            position: 42,
            last_event: 40,
            filter: FilterHash::of(&EventFilter::default()),
        }
    }

    #[test]
    fn a_token_reads_back_as_written() {
        assert_eq!(token().to_string().parse(), Ok(token()));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let whole = token().to_string();
        let parts: Vec<&str> = whole.split('.').collect();
        let with = |index: usize, part: &str| {
            let mut parts = parts.clone();
            parts[index] = part;
            parts.join(".")
        };
        for text in [
            String::new(),
            parts[..4].join("."),
            format!("{whole}.1"),
            with(0, "Partnerships"),
            with(0, ""),
            with(1, "00"),
            with(2, "-1"),
            with(2, "+42"),
            with(2, "18446744073709551615"),
            with(3, "43"),
            with(3, ""),
            with(4, "xyz"),
            with(4, "00000000000000000"),
        ] {
            assert_eq!(text.parse::<ResumeToken>(), Err(InvalidToken), "{text}");
        }
    }

    #[test]
    fn filters_are_told_apart_and_the_order_of_types_is_none() {
        let stream = EventFilter { stream: "agreements/x".parse().ok(), ..EventFilter::default() };
        let category = EventFilter { category: Some("agreements/x".to_owned()), ..EventFilter::default() };
        let types = |types: &[&str]| EventFilter {
            types: types.iter().map(|it| (*it).to_owned()).collect(),
            ..EventFilter::default()
        };
        let filters =
            [EventFilter::default(), stream, category, types(&["a"]), types(&["a", "b"]), types(&["ab"]), types(&[""])];
        for (index, filter) in filters.iter().enumerate() {
            for other in &filters[..index] {
                assert_ne!(FilterHash::of(filter), FilterHash::of(other), "{filter:?} {other:?}");
            }
        }
        assert_eq!(FilterHash::of(&types(&["b", "a", "b"])), FilterHash::of(&types(&["a", "b"])));
    }
}
