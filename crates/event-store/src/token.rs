//! Which history, and how far.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The random identity of one history of a log. A restored or forked log gets another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch([u8; 16]);

impl Epoch {
    /// Its 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn uuid(self) -> Uuid {
        Uuid::from_bytes(self.0)
    }
}

impl From<Uuid> for Epoch {
    fn from(uuid: Uuid) -> Self {
        Self(uuid.into_bytes())
    }
}

impl TryFrom<&[u8]> for Epoch {
    type Error = InvalidToken;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidToken> {
        bytes.try_into().map(Self).map_err(|_| InvalidToken)
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_bytes(self.0).simple())
    }
}

impl FromStr for Epoch {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.len() == 32 {
            Uuid::try_parse(text).map(Self::from).map_err(|_| InvalidToken)
        } else {
            Err(InvalidToken)
        }
    }
}

/// A point in a log's history: whoever has seen it has seen every event up to the position. Opaque to callers, who get
/// it with each answer and send it back with what must see that answer's effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsistencyToken {
    /// Name of the log.
    pub log: String,
    /// Its history.
    pub epoch: Epoch,
    /// Position in it.
    pub position: u64,
}

/// Not a consistency token, or not an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a consistency token")]
pub struct InvalidToken;

impl fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.log, self.epoch, self.position)
    }
}

impl FromStr for ConsistencyToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let [log, epoch, position] = text.split('.').collect::<Vec<_>>()[..] else { return Err(InvalidToken) };
        let named = (1..=63).contains(&log.len()) && log.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !named || position.starts_with(['+', '0']) && position != "0" {
            return Err(InvalidToken);
        }
        let position = position.parse().map_err(|_| InvalidToken)?;
        Ok(Self { log: log.into(), epoch: epoch.parse()?, position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_written() {
        let token = ConsistencyToken { log: "partnerships".into(), epoch: Uuid::from_u128(7).into(), position: 42 };
        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let epoch = "00000000000000000000000000000007";
        for text in [
            "",
            "a",
            "a.b.c",
            &format!("a.{epoch}.-1"),
            &format!("a.{epoch}.01"),
            &format!("A.{epoch}.1"),
            &format!("a.{epoch}.1.2"),
        ] {
            assert_eq!(text.parse::<ConsistencyToken>(), Err(InvalidToken), "{text}");
        }
    }
}
