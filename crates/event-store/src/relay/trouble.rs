//! What keeps a relay from its work, and a broker that stores nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::RelayError;
use crate::NatsError;

/// What keeps a relay from its work, as far as somebody can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// There is no connection to NATS.
    Unreachable,
    /// NATS answers, but its stream takes nothing.
    StoresNothing,
    /// The log cannot be read.
    LogUnreadable,
    /// Something that the relay puts right by itself, by comparing and trying again.
    Passing,
}

impl Trouble {
    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "start nats-server, or mend NATS_URL or the network; the relay goes on by itself",
            Self::StoresNothing => {
                "the disk of nats-server may be full: its log says \"Critical write error\" then; make room there and \
                 restart it; the relay goes on by itself, also without the restart once a message can be stored again"
            }
            Self::LogUnreadable => "see whether PostgreSQL runs and takes connections; the relay goes on by itself",
            Self::Passing => "nothing, unless it stays; the relay tries again by itself",
        }
    }

    pub(super) fn of(error: &RelayError, standstill: Option<&Standstill>) -> Self {
        match error {
            RelayError::Nats(NatsError::Disconnected | NatsError::Connect(_))
            | RelayError::NotTaken(NatsError::Disconnected | NatsError::Connect(_)) => Self::Unreachable,
            RelayError::Nats(_) | RelayError::NotTaken(_) if standstill.is_some_and(Standstill::is_one) => {
                Self::StoresNothing
            }
            RelayError::Store(_) | RelayError::LogTooSlow => Self::LogUnreadable,
            RelayError::Nats(_)
            | RelayError::NotTaken(_)
            | RelayError::LogMoved
            | RelayError::NoCopy(_)
            | RelayError::Gone
            | RelayError::LostTail(_) => Self::Passing,
        }
    }
}

/// A stream that has taken nothing, for all that was tried.
///
/// A nats-server whose disk was full once refuses batches as incomplete while it is full, and afterwards answers no
/// publication to that stream any more, until it is started again.
#[derive(Debug)]
pub(super) struct Standstill {
    /// Where the stream stands.
    at: u64,
    since: Instant,
    tries: u32,
    /// The connection over which this was seen: a broker that was started again deserves new tries.
    connection: u64,
}

impl Standstill {
    /// Counts one more try in vain at a place.
    pub fn again(before: Option<Self>, at: u64, connection: u64) -> Self {
        let same = before.filter(|before| before.at == at && before.connection == connection);
        let (since, tries) = same.map_or((Instant::now(), 0), |before| (before.since, before.tries));
        Self { at, since, tries: tries + 1, connection }
    }

    /// Whether it is about this place, still.
    pub fn is_at(&self, at: u64, connection: u64) -> bool {
        self.at == at && self.connection == connection
    }

    /// One failure may be chance.
    pub fn is_one(&self) -> bool {
        self.tries > 1
    }

    /// Whether it lasts longer than that.
    pub fn lasts(&self, longer_than: Duration) -> bool {
        self.is_one() && self.since.elapsed() >= longer_than
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_stands_still_when_two_tries_at_one_place_were_in_vain() {
        let first = Standstill::again(None, 7, 1);
        assert!(!first.is_one() && first.is_at(7, 1) && !first.is_at(8, 1));
        let second = Standstill::again(Some(first), 7, 1);
        assert!(second.is_one() && second.lasts(Duration::ZERO) && !second.lasts(Duration::from_mins(1)));
        assert!(!Standstill::again(Some(second), 8, 1).is_one(), "it has moved");
    }

    #[test]
    fn a_broker_that_was_started_again_gets_new_tries() {
        let second = Standstill::again(Some(Standstill::again(None, 7, 1)), 7, 1);
        assert!(!Standstill::again(Some(second), 7, 2).is_one());
    }

    #[test]
    fn trouble_says_whom_to_turn_to() {
        let silent = RelayError::NotTaken(NatsError::TimedOut { operation: "acknowledge a batch" });
        let once = Standstill::again(None, 7, 1);
        assert_eq!(Trouble::of(&silent, Some(&once)), Trouble::Passing);
        let twice = Standstill::again(Some(once), 7, 1);
        assert_eq!(Trouble::of(&silent, Some(&twice)), Trouble::StoresNothing);
        assert_eq!(Trouble::of(&NatsError::Disconnected.into(), Some(&twice)), Trouble::Unreachable);
        assert_eq!(Trouble::of(&RelayError::LogTooSlow, None), Trouble::LogUnreadable);
    }
}
