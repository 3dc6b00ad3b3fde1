//! Why a correction is refused, as every service says it.

use contracts::{
    reasons::{Reason, ReasonName},
    toguna::errors::v1::ErrorReason,
};
use event_sourcing::{CorrectionError, StreamName};

use crate::{Interrupt, Refusal};

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
            | CorrectionError::NoReason
            | CorrectionError::NoOpenProposal { .. } => ErrorReason::RecordNotCorrectable.reason(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let version = match &self.error {
            CorrectionError::BreaksRule(rule) => {
                let mut metadata = rule.metadata();
                if !metadata.iter().any(|(key, _)| *key == "resource") {
                    metadata.push(("resource", self.stream.to_string()));
                }
                return metadata;
            }
            CorrectionError::NoSuchRecord { version }
            | CorrectionError::NotAFact { version }
            | CorrectionError::OtherKind { version }
            | CorrectionError::NotYourRecord { version }
            | CorrectionError::NoOpenProposal { version } => version.to_string(),
            CorrectionError::NoReason | CorrectionError::SamePerson => String::new(),
        };
        vec![("resource", self.stream.to_string()), ("version", version), ("problem", self.error.to_string())]
    }
}
