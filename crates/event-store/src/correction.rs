//! Why a correction is refused, as every service says it.

use contracts::{
    reasons::{Reason, ReasonName},
    toguna::errors::v1::ErrorReason,
};
use event_sourcing::{CorrectionError, StreamName};

use crate::{Interrupt, Refusal, Value};

/// A refused correction of a record of a stream.
#[derive(Debug, thiserror::Error)]
#[error("a correction of {stream} is refused")]
struct CorrectionRefused<E: Refusal> {
    stream: StreamName,
    #[source]
    error: CorrectionError<E>,
}

pub(crate) fn refusal<E: Refusal>(stream: &StreamName, error: CorrectionError<E>) -> Interrupt {
    CorrectionRefused { stream: stream.clone(), error }.into()
}

impl<E: Refusal> Refusal for CorrectionRefused<E> {
    fn reason(&self) -> &'static Reason {
        match &self.error {
            CorrectionError::BreaksRule(rule) => rule.reason(),
            CorrectionError::SamePerson => ErrorReason::SecondPersonRequired.reason(),
            CorrectionError::NotYourRecord { .. } => ErrorReason::NotYourRecord.reason(),
            CorrectionError::NoSuchRecord { .. }
            | CorrectionError::NotAFact { .. }
            | CorrectionError::OtherKind { .. }
            | CorrectionError::NoReason { .. }
            | CorrectionError::NoOpenProposal { .. } => ErrorReason::RecordNotCorrectable.reason(),
        }
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        let mut values = match &self.error {
            CorrectionError::BreaksRule(rule) => rule.values(),
            CorrectionError::NoSuchRecord { version }
            | CorrectionError::NotAFact { version }
            | CorrectionError::OtherKind { version }
            | CorrectionError::NoReason { version }
            | CorrectionError::NotYourRecord { version }
            | CorrectionError::NoOpenProposal { version } => vec![("version", Value::name(version))],
            CorrectionError::SamePerson => Vec::new(),
        };
        values.extend(self.problem().map(|problem| ("problem", problem.into())));
        if !values.iter().any(|(key, _)| *key == "resource") {
            values.push(("resource", Value::name(&self.stream)));
        }
        values
    }
}

impl<E: Refusal> CorrectionRefused<E> {
    /// Why the record cannot be corrected in this way.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        Some(match &self.error {
            CorrectionError::NoSuchRecord { .. } => {
                ("there is no such record", "il n’y a pas d’enregistrement de ce numéro")
            }
            CorrectionError::NotAFact { .. } => {
                ("it is itself about a correction", "il porte lui-même sur une correction")
            }
            CorrectionError::OtherKind { .. } => (
                "what is to take its place is an event of another kind",
                "ce qui doit le remplacer est un événement d’un autre genre",
            ),
            CorrectionError::NoOpenProposal { .. } => {
                ("it is no open proposal", "ce n’est pas une proposition ouverte")
            }
            CorrectionError::NoReason { .. } => {
                ("a correction says why, in the act’s reason", "une correction dit pourquoi, dans le motif de l’acte")
            }
            CorrectionError::SamePerson | CorrectionError::NotYourRecord { .. } | CorrectionError::BreaksRule(_) => {
                return None;
            }
        })
    }
}
