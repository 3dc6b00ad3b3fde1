//! Which stored events count in a figure, and reading them.

use contracts::toguna::log::v1 as pb;
use prost::Name as _;

/// A stored event that this version cannot read. No figure is made past it: it would have a hole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// The log has no such event, as far as this version knows.
    #[error("the event type {0} is not known")]
    UnknownType(String),
    /// The payload is not such a message.
    #[error("the payload is no {type_name}")]
    Payload {
        /// Full name of the message type.
        type_name: String,
        /// Why.
        #[source]
        source: prost::DecodeError,
    },
    /// A part that every such record has is not there, or has no meaning.
    #[error("{0} is missing or malformed")]
    Missing(&'static str),
}

/// The events of one log that count.
pub(crate) trait Event: Sized {
    /// Reads a payload; `None`: such an event never counts.
    fn read(type_name: &str, payload: &[u8]) -> Result<Option<Self>, NotUnderstood>;
    /// Full name of the message type.
    fn type_name(&self) -> String;
}

/// Whether an event that decoded has the parts without which a figure would have a hole.
pub(crate) trait Complete: Sized {
    /// The event itself, if it has.
    fn complete(self) -> Result<Self, NotUnderstood> {
        Ok(self)
    }
}

/// What one record means for figures.
pub(crate) enum Meaning<F> {
    /// Nothing.
    Nothing,
    /// A fact.
    Fact(F),
    /// The fact that stands in the place of the one recorded at `mistaken_version` of the same stream.
    Correction { mistaken_version: u64, right: F, effective_on: Option<contracts::toguna::r#type::v1::Date> },
}

pub(crate) fn meaning<F: Event>(record: &pb::EventRecord) -> Result<Meaning<F>, NotUnderstood> {
    if record.r#type == pb::CorrectionProposed::full_name() {
        return Ok(Meaning::Nothing);
    }
    if record.r#type != pb::RecordCorrected::full_name() {
        return Ok(F::read(&record.r#type, &record.payload)?.map_or(Meaning::Nothing, Meaning::Fact));
    }
    let corrected: pb::RecordCorrected = message(&record.payload)?;
    let right = corrected.right.ok_or(NotUnderstood::Missing("right"))?;
    let type_name = right.type_url.rsplit('/').next().unwrap_or_default();
    Ok(F::read(type_name, &right.value)?.map_or(Meaning::Nothing, |right| Meaning::Correction {
        mistaken_version: corrected.mistaken_version,
        right,
        effective_on: corrected.effective_on,
    }))
}

pub(crate) fn message<M: prost::Message + prost::Name + Default>(payload: &[u8]) -> Result<M, NotUnderstood> {
    M::decode(payload).map_err(|source| NotUnderstood::Payload { type_name: M::full_name(), source })
}

/// An enum over the events of a log that count, and the names of those that do not. An event in neither list is not
/// understood: whoever adds one says here whether it counts.
macro_rules! events {
    (
        $(#[$doc:meta])* $name:ident of $package:literal:
        counts { $($counts:ident),* $(,)? }
        counts_not { $($other:ident),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum $name { $($counts(pb::$counts)),* }

        impl $crate::event::Event for $name {
            fn read(type_name: &str, payload: &[u8]) -> Result<Option<Self>, $crate::event::NotUnderstood> {
                match type_name.strip_prefix(concat!($package, ".")).unwrap_or_default() {
                    $(<pb::$counts as prost::Name>::NAME => {
                        $crate::event::message(payload).map(Self::$counts).and_then($crate::event::Complete::complete).map(Some)
                    })*
                    $(<pb::$other as prost::Name>::NAME => Ok(None),)*
                    _ => Err($crate::event::NotUnderstood::UnknownType(type_name.to_owned())),
                }
            }

            fn type_name(&self) -> String {
                match self { $(Self::$counts(_) => <pb::$counts as prost::Name>::full_name()),* }
            }
        }
    };
}
pub(crate) use events;
