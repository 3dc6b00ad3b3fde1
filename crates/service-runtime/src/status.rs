//! From every refusal and failure to a gRPC status that programs and people can act on: code, stable reason, values,
//! every violation, when to retry, the trace, and a text in the caller's language.

mod resources;

use std::{collections::HashMap, error::Error, fmt::Display, time::Duration};

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::errors::v1::ErrorReason,
};
use event_store::{ExecuteError, MAX_RECORD_BYTES, NotFresh, Refusal, StaleVersion, StoreError, Value};
use tokio::time::Instant;
use tonic::{
    Code, Status,
    metadata::{Ascii, MetadataValue},
};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    context::CallContext,
    language::{Language, Wording},
};

/// The domain in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "toguna";

/// Clients take 8 KiB of trailers; details are sent in base64, and the message beside them, where each byte that is not
/// ASCII takes three.
const MAX_VIOLATION_BYTES: usize = 2560;
/// Of one value, or one violation in the message: what is longer is cut.
const MAX_VALUE_BYTES: usize = 300;
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// What `RetryInfo` is to people's programs, for the libraries of gRPC themselves.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// One field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request: `act.sources[0].title`.
    pub field: String,
    /// What is wrong with it.
    pub problem: Wording,
}

/// A status in the making: a reason and the values that its texts speak of.
#[derive(Debug)]
pub struct Explained {
    reason: &'static Reason,
    values: Vec<(&'static str, Value)>,
    violations: Vec<Violation>,
    exceeded: Option<(String, Wording)>,
    retry_in: Option<Duration>,
}

impl Explained {
    /// Begins with the reason.
    pub fn by(reason: &'static Reason) -> Self {
        let retry_in = reason.retryable.then_some(RETRY_DELAY);
        Self { reason, values: Vec::new(), violations: Vec::new(), exceeded: None, retry_in }
    }

    /// Adds whose budget is used up, and which: `google.rpc.QuotaFailure`.
    #[must_use]
    pub fn exceeding(mut self, subject: impl Into<String>, budget: Wording) -> Self {
        self.exceeded = Some((subject.into(), budget));
        self
    }

    /// Says after how long the same call may succeed, where that is known better than by the reason alone.
    #[must_use]
    pub fn retry_in(mut self, wait: Duration) -> Self {
        self.retry_in = Some(wait);
        self
    }

    /// Adds a value for the placeholder `{key}` of the reason's texts.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((key, value.into()));
        self
    }

    /// Adds what is wrong with the request's fields. So many that they would not fit into trailers are cut, and the
    /// last one says so.
    #[must_use]
    pub fn violating(mut self, violations: Vec<Violation>) -> Self {
        let total = violations.len();
        let mut bytes = 0;
        for violation in violations {
            bytes += violation.field.len() + violation.problem.en.len().max(violation.problem.fr.len());
            if bytes > MAX_VIOLATION_BYTES {
                break;
            }
            self.violations.push(violation);
        }
        if self.violations.len() < total {
            let more = total - self.violations.len();
            let problem = Wording::from((format!("and {more} more"), format!("et {more} de plus")));
            self.violations.push(Violation { field: String::new(), problem });
        }
        self
    }

    fn text(&self, language: Language) -> String {
        let template = match language {
            Language::English => self.reason.en,
            Language::French => self.reason.fr,
        };
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, (key, after))) =
            rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            text.push_str(before);
            match self.values.iter().find(|(name, _)| *name == key) {
                Some((_, value)) => text.push_str(shortened(value.say(language))),
                None if key == "violations" => text.push_str(&self.first_violations(language)),
                None => {
                    debug_assert!(false, "{} is given without {key}", self.reason.name);
                    text.push_str(key);
                }
            }
            rest = after;
        }
        text + rest
    }

    /// The message names a few; `google.rpc.BadRequest` lists them.
    fn first_violations(&self, language: Language) -> String {
        let few: Vec<_> = self
            .violations
            .iter()
            .take(3)
            .map(|violation| format!("{} {}", violation.field, violation.problem.say(language)))
            .map(|violation| shortened(&violation).to_owned())
            .collect();
        let separator = match language {
            Language::English => "; ",
            Language::French => "\u{202f}; ",
        };
        let more = if self.violations.len() > few.len() { separator.to_owned() + "…" } else { String::new() };
        few.join(separator) + &more
    }
}

impl From<Explained> for Status {
    fn from(mut explained: Explained) -> Self {
        let call = CallContext::current();
        call.watch.tells(explained.reason, &explained.values);
        let trace_id = call.trace.trace_id().to_string();
        explained.values.push(("trace_id", trace_id.clone().into()));
        let values: HashMap<_, _> = explained
            .values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), shortened(&value.plain).to_owned()))
            .collect();
        let mut details = ErrorDetails::with_error_info(explained.reason.name, DOMAIN, values);
        for violation in &explained.violations {
            details.add_bad_request_violation(violation.field.clone(), violation.problem.say(call.language));
        }
        if let Some((subject, budget)) = &explained.exceeded {
            details.add_quota_failure_violation(subject, budget.say(call.language));
        }
        if let Some(wait) = explained.retry_in {
            details.set_retry_info(Some(wait));
        }
        resources::add(&mut details, explained.reason.name, &explained.values);
        details.set_request_info(trace_id, "");
        details.set_localized_message(call.language.tag(), explained.text(call.language));
        let code = Code::from_i32(explained.reason.code);
        let mut status = Self::with_error_details(code, explained.text(Language::English), details);
        // With other codes no library sends again by itself, and some would if they were told when.
        if let Some(wait) = explained.retry_in.filter(|_| code == Code::Unavailable) {
            status.metadata_mut().insert(PUSHBACK, pushback(wait, call.deadline));
        }
        status
    }
}

/// When a library that sends again by itself, as the service config lets it, is to do so: after the same wait, or not
/// at all (-1) where the caller has stopped waiting by then, so that the caller hears the reason, and not merely that
/// its deadline has passed.
fn pushback(wait: Duration, deadline: Instant) -> MetadataValue<Ascii> {
    if Instant::now() + wait >= deadline {
        return MetadataValue::from_static("-1");
    }
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into()
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_VALUE_BYTES)]
}

/// One of the reasons that every service may give, without values.
pub fn refused(reason: ErrorReason) -> Explained {
    Explained::by(reason.reason())
}

/// The request is malformed.
pub fn invalid(violations: Vec<Violation>) -> Status {
    refused(ErrorReason::InvalidRequest).violating(violations).into()
}

/// There is no such resource.
pub fn not_found(resource: impl Display) -> Status {
    refused(ErrorReason::NotFound).with("resource", resource.to_string()).into()
}

/// Something failed that is not the caller's fault and not its business: it is logged whole and told by its trace id.
pub fn internal(error: &(dyn Error + 'static)) -> Status {
    tracing::error!(error = chain(error), "a call failed");
    refused(ErrorReason::Internal).into()
}

/// A rule refused a command.
pub fn refusal(refusal: &dyn Refusal) -> Status {
    tracing::debug!(reason = refusal.reason().name, "refused");
    let explained = Explained::by(refusal.reason());
    refusal.values().into_iter().fold(explained, |explained, (key, value)| explained.with(key, value)).into()
}

/// The log could not be read or written.
pub fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Record { .. } => internal(error),
        StoreError::Closed => refused(ErrorReason::LogUnavailable).into(),
        StoreError::Database(_) | StoreError::Migrate(_) | StoreError::Head(_) => {
            tracing::error!(error = chain(error), "the log failed");
            refused(ErrorReason::LogUnavailable).into()
        }
    }
}

/// What the caller has seen was not seen here in time.
pub(crate) fn not_fresh(error: NotFresh) -> Status {
    match error {
        NotFresh::Behind { log, position, wanted, seconds } => refused(ErrorReason::ReadModelBehind)
            .with("log", log)
            .with("position", Value::name(position))
            .with("wanted", Value::name(wanted))
            .with("events", Value::count(wanted.saturating_sub(position)))
            .with("seconds", Value::count(seconds)),
        NotFresh::ForeignLog { log } => refused(ErrorReason::TokenForeignLog).with("log", log),
        NotFresh::OtherEpoch { log } => refused(ErrorReason::TokenOtherEpoch).with("log", log),
    }
    .into()
}

/// A command had no effect.
pub(crate) fn execute(error: &ExecuteError, request_id: &str) -> Status {
    match error {
        ExecuteError::Refused(by_rule) => refusal(by_rule.as_ref()),
        ExecuteError::StaleVersion(stale) => {
            let all = |value: fn(&StaleVersion) -> String| {
                stale.iter().map(value).collect::<Vec<_>>().join(resources::SEPARATOR)
            };
            refused(ErrorReason::StaleVersion)
                .with("resource", all(|stale| stale.stream.to_string()))
                .with("etag", all(|stale| crate::call::etag(stale.version)))
                .into()
        }
        ExecuteError::RequestIdReused => {
            refused(ErrorReason::RequestIdReused).with("request_id", request_id.to_owned()).into()
        }
        ExecuteError::EventTooLarge { bytes } => refused(ErrorReason::EventTooLarge)
            .with("bytes", Value::count(bytes))
            .with("limit", Value::count(MAX_RECORD_BYTES))
            .into(),
        ExecuteError::Overloaded => refused(ErrorReason::Overloaded).into(),
        ExecuteError::Unavailable(error) => store(error),
    }
}

/// An error and what caused it, one after the other.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
