//! What commitments knows of the world, and its rules: pure, without I/O, clock or chance.
//!
//! An aggregate a file, each with its events, state, commands, decide and evolve in that order; the values they share
//! beside them.

mod agreement_standing;
mod commitment;
mod cycle;
mod framework;
mod indicator;
mod initiative;
mod mandate;
mod measure;
mod money;
mod plan_item;
mod quantity;

pub use agreement_standing::{
    AgreementStanding, AgreementStandingCommand, AgreementStandingError, AgreementStandingEvent, Contestation, Says,
    Standing,
};
pub use commitment::{
    Closure, Commitment, CommitmentCommand, CommitmentError, CommitmentEvent, CommitmentStatus, OpenCycle, Report,
    ReportStatus, Terms, Verdict,
};
pub use cycle::{Cycle, CycleCommand, CycleError, CycleEvent, Opening};
pub use framework::{
    Framework, FrameworkCommand, FrameworkError, FrameworkEvent, FrameworkKind, Item, NewItem, Plan, ReferenceCountry,
    Registration,
};
pub use indicator::{
    Aggregation, Definition, Indicator, IndicatorCommand, IndicatorError, IndicatorEvent, Restatement, Target, Value,
};
pub use initiative::{
    BudgetLine, Description, Initiative, InitiativeCommand, InitiativeError, InitiativeEvent, InitiativeStatus,
    InitiativeType, LegalBasis, Verification,
};
pub use mandate::MandateError;
pub use measure::{MeasurePoint, SourceStatus, Subject, SubjectNotReportable};
pub use money::Money;
pub use plan_item::{PlanItemKind, PlanItemReference};
pub use quantity::{Figure, NotAFigure, Quantity, Words};
