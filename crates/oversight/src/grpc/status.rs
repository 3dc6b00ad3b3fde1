//! From what oversight refuses to statuses.

use contracts::{reasons::ReasonName as _, toguna::oversight::v1::ErrorReason};
use event_store::Value;
use figures::TooLarge;
use service_runtime::status::{Explained, internal};
use tonic::Status;

use crate::{memory::NoAnswer, projections::TablesError};

/// No answer is made now.
pub(super) fn no_answer(error: &NoAnswer) -> Status {
    match error {
        NoAnswer::NotReadYet { log } => {
            Explained::by(ErrorReason::LogsNotReadYet.reason()).with("log", log.clone()).into()
        }
        NoAnswer::NotUnderstood { log, position } => Explained::by(ErrorReason::LogNotUnderstood.reason())
            .with("log", log.clone())
            .with("position", position.to_string())
            .into(),
        NoAnswer::Tables(error) => tables(error),
    }
}

fn tables(error: &TablesError) -> Status {
    match error {
        TablesError::Database(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "the tables cannot be read");
            Explained::by(ErrorReason::RecordsUnavailable.reason()).into()
        }
        TablesError::NoRecord(_) | TablesError::Unreadable(_) => internal(error),
    }
}

/// A sum cannot be stated.
pub(super) fn too_large(error: &TooLarge) -> Status {
    Explained::by(ErrorReason::FigureTooLarge.reason())
        .with("currency_code", error.currency_code.clone())
        .with("minor_units", Value::count(error.minor_units))
        .into()
}

#[cfg(test)]
mod tests;
