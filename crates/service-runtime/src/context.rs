//! What is known of the call that is being answered, for whatever answers it: a task-local value that [`crate::layer`]
//! sets around the whole call, streamed answers included.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use contracts::toguna::errors::v1::ErrorReason;
use event_store::Actor;
use opentelemetry::trace::SpanContext;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{journal::Watch, language::Language, rates::Turn, status, telemetry};

/// The longest that a call may take to answer, whatever its caller allows.
pub(crate) const LONGEST_CALL: Duration = Duration::from_mins(1);

tokio::task_local! {
    pub(crate) static CALL: Arc<CallContext>;
}

/// One call, as seen from outside.
#[derive(Debug)]
pub(crate) struct CallContext {
    /// The RPC as gRPC names it, `toguna.log.v1.LogService/GetLog`; empty outside of a call.
    pub method: String,
    /// The language of its errors.
    pub language: Language,
    /// Its span: the caller's trace continued, or one begun here.
    pub trace: SpanContext,
    /// When it came.
    pub started: Instant,
    /// When the caller stops waiting for the answer, or for its beginning where it is streamed.
    pub deadline: Instant,
    /// When the caller stops listening, where it said so: also to a streamed answer, which may take longer than
    /// [`LONGEST_CALL`].
    pub last_word: Option<Instant>,
    /// Whether the caller should have said how long it waits, and did not.
    pub waits_for_ever: bool,
    /// Cancelled when its connection takes no more calls: an answer without an end is to end.
    pub leaving: CancellationToken,
    /// Who calls, once that is verified.
    pub caller: OnceLock<Actor>,
    /// Its organisation's turn, held until the answer has gone.
    pub turn: OnceLock<Turn>,
    /// Its organisation's turn to read the database, held until the answer is made.
    pub reading: Mutex<Option<OwnedSemaphorePermit>>,
    /// Who calls and why it is refused, should that be kept.
    pub watch: Watch,
}

impl CallContext {
    /// The call that this task answers; outside of a call, one that began just now.
    pub fn current() -> Arc<Self> {
        CALL.try_with(Arc::clone).unwrap_or_else(|_| {
            let started = Instant::now();
            let trace = telemetry::continued(&SpanContext::empty_context());
            Arc::new(Self {
                method: String::new(),
                language: Language::default(),
                trace,
                started,
                deadline: started + LONGEST_CALL,
                last_word: None,
                waits_for_ever: false,
                leaving: CancellationToken::new(),
                caller: OnceLock::new(),
                turn: OnceLock::new(),
                reading: Mutex::default(),
                watch: Watch::default(),
            })
        })
    }

    /// The call holds this turn to read until its answer is made.
    pub fn reads(&self, turn: OwnedSemaphorePermit) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
    }

    /// The answer is made: others may read.
    pub fn has_read(&self) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// `DEADLINE_REQUIRED` where the caller does not say how long it waits; to be asked of those alone who may call.
    pub fn require_deadline(&self) -> Result<(), Status> {
        if self.waits_for_ever {
            return Err(status::refused(ErrorReason::DeadlineRequired).into());
        }
        Ok(())
    }

    /// Until when it may wait for something and still tell the caller in time that it did not come.
    pub fn patience(&self) -> Instant {
        self.shortly_before(self.deadline)
    }

    /// Until when a streamed answer may go on and still end in order.
    pub fn farewell(&self) -> Option<Instant> {
        self.last_word.map(|end| self.shortly_before(end))
    }

    fn shortly_before(&self, end: Instant) -> Instant {
        let whole = end.saturating_duration_since(self.started);
        end - (whole / 10).min(Duration::from_millis(500))
    }
}
