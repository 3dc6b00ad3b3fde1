//! What can have happened to a commitment. Stored for ever: `codec/commitment.rs` names the message of each.

use event_sourcing::{LocalizedText, PartialDate, StreamName};

use crate::domain::plan_item::PlanItemReference;

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitmentEvent {
    /// A partner promised something, or was reported to.
    Declared(Terms),
    /// The owner confirmed a promise recorded from a source.
    Confirmed,
    /// The secretariat entered it in the register.
    Registered {
        /// Number in the register.
        reference: Option<String>,
    },
    /// It was said to rest on one more agreement.
    AgreementLinked {
        /// The agreement.
        agreement: StreamName,
    },
    /// Progress, noted outside any cycle.
    ProgressNoted {
        /// What was done.
        text: LocalizedText,
    },
    /// The owner reported in an open cycle.
    ProgressSubmitted {
        /// The cycle.
        cycle: StreamName,
        /// What was done.
        text: LocalizedText,
    },
    /// The owner added documents to its report: the record's sources.
    EvidenceAttached {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// Another organisation returned a report.
    ProgressReturned {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// Another organisation verified a report.
    ProgressVerified {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// The owner gave itself more time.
    DueDateExtended {
        /// The new date.
        due_on: PartialDate,
    },
    /// It was linked to another plan of its framework.
    Migrated {
        /// What it answered before.
        from: PlanItemReference,
        /// What it answers from now on.
        to: PlanItemReference,
    },
    /// Something happened that bears on it.
    IncidentNoted {
        /// What happened.
        text: LocalizedText,
    },
    /// The owner kept it.
    Fulfilled,
    /// The owner kept it in part, and that closes it.
    PartlyFulfilled {
        /// What was not done.
        outstanding: LocalizedText,
    },
    /// The owner withdrew it.
    Withdrawn,
    /// It lapsed after its date.
    Lapsed,
}

/// What was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whose promise it is.
    pub owner: String,
    /// The plan item it answers.
    pub answers: PlanItemReference,
    /// What is promised.
    pub text: LocalizedText,
    /// By when.
    pub due_on: Option<PartialDate>,
    /// What will prove it; empty: nothing in particular.
    pub evidence_required: LocalizedText,
    /// The agreements it rests on.
    pub agreements: Vec<StreamName>,
}
