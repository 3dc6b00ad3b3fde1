//! The messages that only benchmarks have, and the stubs of their services.

use prost::{Message, Name};

/// Asks for events in a new stream.
#[derive(Clone, PartialEq, Message)]
pub struct Append {
    /// Id of the request, 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub request_id: Vec<u8>,
    /// The stream: `notes/…`.
    #[prost(string, tag = "2")]
    pub stream: String,
    /// What each event holds.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub events: Vec<Vec<u8>>,
}

/// They are in the log.
#[derive(Clone, PartialEq, Message)]
pub struct Appended {
    /// Whoever sends this sees them.
    #[prost(string, tag = "1")]
    pub consistency_token: String,
}

/// Something was noted: the event of the bare server's only aggregate.
#[derive(Clone, PartialEq, Message)]
pub struct Noted {
    /// What was noted.
    #[prost(bytes = "vec", tag = "1")]
    pub content: Vec<u8>,
}

impl Name for Noted {
    const NAME: &'static str = "Noted";
    const PACKAGE: &'static str = "bench";
}

#[expect(clippy::pedantic, clippy::allow_attributes, unused_qualifications, reason = "generated")]
mod stubs {
    include!(concat!(env!("OUT_DIR"), "/bench.Echo.rs"));
    include!(concat!(env!("OUT_DIR"), "/bench.Bare.rs"));
}

pub use stubs::{bare_client, bare_server, echo_client, echo_server};
