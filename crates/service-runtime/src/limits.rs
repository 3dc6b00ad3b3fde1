//! How much of a service its callers may take: every number that an operator can change, with its variable.
//!
//! `docs/operations.md` says what each is for; a test holds the page to this table.

use std::time::Duration;

pub(crate) mod connections;
pub(crate) mod places;
pub(crate) mod shares;
pub(crate) mod turns;
pub(crate) mod unread;
pub(crate) mod unsent;

/// The limits of a server. Each is a whole number of at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, in all.
    pub connections: u32,
    /// Connections at a time from one address; of IPv6, from one network of 64 bits.
    pub connections_per_peer: u32,
    /// Calls at a time on one connection.
    pub streams_per_connection: u32,
    /// Mebibytes of requests that have come in part, in all; no address has more of them than is left free.
    pub unread_mebibytes: u32,
    /// The same from one address.
    pub unread_mebibytes_per_peer: u32,
    /// Mebibytes of answers that have not been taken, in all; no address has more of them than is left free.
    pub unsent_mebibytes: u32,
    /// The same for one address.
    pub unsent_mebibytes_per_peer: u32,
    /// Seconds in which a connection must have begun to speak.
    pub handshake_seconds: u32,
    /// Seconds after which a connection without a call is closed.
    pub idle_seconds: u32,
    /// The same where no call of a verified caller has come on it.
    pub unverified_idle_seconds: u32,
    /// Seconds after which a connection ends, give or take a tenth.
    pub age_seconds: u32,
    /// Seconds that its last calls then have.
    pub grace_seconds: u32,
    /// Commands a second of one organisation, in the long run.
    pub commands_per_second: u32,
    /// Commands that it may send at once after a silence.
    pub commands_burst: u32,
    /// Queries a second of one organisation, in the long run.
    pub queries_per_second: u32,
    /// Queries that it may send at once after a silence.
    pub queries_burst: u32,
    /// Calls of one organisation that are under way at a time, unread answers included.
    pub calls_at_once: u32,
    /// Queries of one organisation that read the database at a time; the others wait for each other.
    pub reads_at_once: u32,
    /// Replays of one organisation at a time.
    pub replays_at_once: u32,
    /// Refusals of one organisation that are kept one by one in a minute; those for the same reason beyond are counted.
    pub refusals_per_minute: u32,
    /// Days for which refusals are kept.
    pub refusal_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_peer: 256,
            streams_per_connection: 100,
            unread_mebibytes: 128,
            unread_mebibytes_per_peer: 32,
            unsent_mebibytes: 64,
            unsent_mebibytes_per_peer: 32,
            handshake_seconds: 10,
            idle_seconds: 600,
            unverified_idle_seconds: 30,
            age_seconds: 1800,
            grace_seconds: 300,
            commands_per_second: 20_000,
            commands_burst: 20_000,
            queries_per_second: 20_000,
            queries_burst: 20_000,
            calls_at_once: 2048,
            reads_at_once: 8,
            replays_at_once: 64,
            refusals_per_minute: 20,
            refusal_days: 3650,
        }
    }
}

/// Where a limit is kept.
type Place = fn(&mut Limits) -> &mut u32;

/// The variable of each limit.
pub const VARIABLES: [(&str, Place); 21] = [
    ("TOGUNA_MAX_CONNECTIONS", |limits| &mut limits.connections),
    ("TOGUNA_MAX_CONNECTIONS_PER_PEER", |limits| &mut limits.connections_per_peer),
    ("TOGUNA_MAX_STREAMS_PER_CONNECTION", |limits| &mut limits.streams_per_connection),
    ("TOGUNA_MAX_UNREAD_MEBIBYTES", |limits| &mut limits.unread_mebibytes),
    ("TOGUNA_MAX_UNREAD_MEBIBYTES_PER_PEER", |limits| &mut limits.unread_mebibytes_per_peer),
    ("TOGUNA_MAX_UNSENT_MEBIBYTES", |limits| &mut limits.unsent_mebibytes),
    ("TOGUNA_MAX_UNSENT_MEBIBYTES_PER_PEER", |limits| &mut limits.unsent_mebibytes_per_peer),
    ("TOGUNA_HANDSHAKE_SECONDS", |limits| &mut limits.handshake_seconds),
    ("TOGUNA_IDLE_SECONDS", |limits| &mut limits.idle_seconds),
    ("TOGUNA_UNVERIFIED_IDLE_SECONDS", |limits| &mut limits.unverified_idle_seconds),
    ("TOGUNA_CONNECTION_AGE_SECONDS", |limits| &mut limits.age_seconds),
    ("TOGUNA_CONNECTION_GRACE_SECONDS", |limits| &mut limits.grace_seconds),
    ("TOGUNA_COMMANDS_PER_SECOND", |limits| &mut limits.commands_per_second),
    ("TOGUNA_COMMANDS_BURST", |limits| &mut limits.commands_burst),
    ("TOGUNA_QUERIES_PER_SECOND", |limits| &mut limits.queries_per_second),
    ("TOGUNA_QUERIES_BURST", |limits| &mut limits.queries_burst),
    ("TOGUNA_MAX_CALLS_AT_ONCE", |limits| &mut limits.calls_at_once),
    ("TOGUNA_MAX_READS_AT_ONCE", |limits| &mut limits.reads_at_once),
    ("TOGUNA_MAX_REPLAYS_AT_ONCE", |limits| &mut limits.replays_at_once),
    ("TOGUNA_REFUSALS_PER_MINUTE", |limits| &mut limits.refusals_per_minute),
    ("TOGUNA_REFUSAL_DAYS", |limits| &mut limits.refusal_days),
];

impl Limits {
    /// Reads the variables that are set; says of each that is no such number what to set.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Self {
        let mut limits = Self::default();
        for (name, place) in VARIABLES {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else { continue };
            match text.parse() {
                Ok(number) if number > 0 => *place(&mut limits) = number,
                _ => problems.push(format!("{name}: set a whole number from 1 on, or nothing")),
            }
        }
        limits
    }
}

/// So many seconds.
pub(crate) fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

#[cfg(test)]
mod tests;
