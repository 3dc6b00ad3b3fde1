//! The log of a service in Postgres: appended by one writer, loaded, decided on and read by position; its copy in NATS
//! JetStream; and what is built from logs: read models and reactions.
//!
//! Not here: what events mean. Start at [`Log::open`] and [`Log::execute`].

mod act;
mod appender;
mod chain;
mod checkpoint;
mod correction;
mod epochs;
mod error;
mod execute;
mod feed;
mod follower;
mod freshness;
mod gate;
mod generations;
mod histories;
mod journal;
mod log;
mod lookups;
mod nats;
mod projection;
pub mod publication;
mod reaction;
mod read;
mod read_models;
mod record;
pub mod relay;
mod requests;
mod resource;
mod roles;
mod select;
mod stored;
mod subscription;
mod tail;
pub mod testing;
mod text;
mod token;
mod touched;
mod trace;
mod tree;
mod unit;
mod wording;

pub use act::{date_from_proto, date_to_proto, from_record as act_from_record, source_from_proto, source_to_proto};
pub use epochs::LogEpoch;
pub use error::{DecodeError, ExecuteError, StaleVersion, StoreError};
pub use event_sourcing::{
    Act, Actor, Aggregate, Basis, Certainty, Correction, Date, Draft, Entry, History, InvalidName, LocalizedText,
    PartialDate, Period, Recorded, Source, StreamName, Text, TextOrigin, Timestamp,
};
pub use execute::{CommandMeta, EventContent, EventReference, Executed};
pub use follower::{Board, FollowerState, FollowerStatus, Followers, Following};
pub use freshness::{Freshness, NotFresh};
pub use futures::future::BoxFuture;
pub use generations::{
    Comparing, Comparison, Difference, FirstEvent, GenerationError, GenerationRecord, Generations, GenerationsRecord,
    LivePool,
};
pub use journal::{Journal, JournalWriter, Refused, RefusedFilter, at as refused_at};
pub use log::{Log, Published};
pub use nats::{Nats, NatsError};
pub use projection::{Projection, ProjectionError};
pub use reaction::{Reaction, ReactionCommand};
pub use read::{EventFilter, Page, PageLimit, Pages};
pub use read_models::open_read_models;
pub use record::{MAX_RECORD_BYTES, StoredEvent};
pub use resource::{period_from_proto, period_to_proto, provenance};
pub use select::{Column, Condition, Holds, Order, Relation, SelectedRow, Selection};
pub use stored::{Decoding, Payload, Stored, any_payload, decode_record};
pub use text::{text_from_proto, text_to_proto};
pub use token::{ConsistencyToken, Epoch, InvalidToken};
pub use touched::Touched;
pub use tree::{HeadFault, TreeHead};
pub use unit::{Interrupt, Refusal, Unit};
pub use wording::{Language, Value, Wording};
