//! What is known of the call that is being answered, for whatever answers it: a task-local value that [`crate::layer`]
//! sets around the whole call, streamed answers included.

use std::{sync::Arc, time::Duration};

use opentelemetry::trace::SpanContext;
use tokio::time::Instant;

use crate::{language::Language, telemetry};

/// The longest that a call may take to answer, and what a caller without a deadline gets.
pub(crate) const LONGEST_CALL: Duration = Duration::from_mins(1);

tokio::task_local! {
    pub(crate) static CALL: Arc<CallContext>;
}

/// One call, as seen from outside.
#[derive(Debug)]
pub(crate) struct CallContext {
    /// The language of its errors.
    pub language: Language,
    /// Its span: the caller's trace continued, or one begun here.
    pub trace: SpanContext,
    /// When it came.
    pub started: Instant,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

impl CallContext {
    /// The call that this task answers; outside of a call, one that began just now.
    pub fn current() -> Arc<Self> {
        CALL.try_with(Arc::clone).unwrap_or_else(|_| {
            let started = Instant::now();
            let trace = telemetry::continued(&SpanContext::empty_context());
            Arc::new(Self { language: Language::default(), trace, started, deadline: started + LONGEST_CALL })
        })
    }

    /// Until when it may wait for something and still tell the caller in time that it did not come.
    pub fn patience(&self) -> Instant {
        let whole = self.deadline.saturating_duration_since(self.started);
        self.deadline - (whole / 10).min(Duration::from_millis(500))
    }
}
