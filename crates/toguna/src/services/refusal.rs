//! A service's refusal, as a person reads it.

use std::{fmt, time::Duration};

use contracts::reasons::REASONS;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What a service answered instead of doing what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// The stable reason: `EXCEEDS_DECISION_CEILING`; empty where the answer came from elsewhere than a service.
    pub reason: String,
    /// For the caller, in the language that was asked for.
    pub message: String,
    /// Every field that was not as it must be, and why.
    pub violations: Vec<(String, String)>,
    /// How long the service asked to be left alone.
    pub after: Duration,
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let localized = details.localized_message().map(|message| message.message.clone());
        Self {
            code: status.code(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            message: localized.unwrap_or_else(|| status.message().to_owned()),
            after: details.retry_info().and_then(|retry| retry.retry_delay).unwrap_or_default(),
            violations: violations.iter().map(|it| (it.field.clone(), it.description.clone())).collect(),
        }
    }
}

impl Refusal {
    /// Whether the same call may succeed later: the service is starting, busy, or has not yet seen what it must; or it
    /// was not a service that answered, but a line that broke or a machine on the way.
    pub fn is_passing(&self) -> bool {
        match REASONS.iter().find(|known| known.name == self.reason) {
            Some(known) => known.retryable,
            None if self.reason.is_empty() => is_of_the_line(self.code),
            None => matches!(self.code, Code::Unavailable | Code::ResourceExhausted),
        }
    }
}

/// Codes that libraries give to connections that ended, each to its own kind of end: what an address or a token that is
/// wrong would be answered with is not among them.
fn is_of_the_line(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::DataLoss
    )
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            write!(formatter, "{:?}: {}", self.code, self.message)?;
        } else {
            write!(formatter, "{}: {}", self.reason, self.message)?;
        }
        self.violations.iter().try_for_each(|(field, why)| write!(formatter, "\n  {field}: {why}"))
    }
}

impl std::error::Error for Refusal {}
