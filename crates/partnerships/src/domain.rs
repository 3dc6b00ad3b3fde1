//! What the register of partnerships knows and what it refuses. Pure: no clock, no storage, no wire.
//!
//! Three aggregates, one a stream: [`Partner`], [`Dialogue`], [`Agreement`].

pub mod act;
pub mod agreement;
pub mod country;
pub mod dialogue;
pub mod fact;
pub mod partner;

pub use act::ActError;
pub use agreement::{Agreement, AgreementCommand, AgreementError, AgreementEvent};
pub use country::Country;
pub use dialogue::{Dialogue, DialogueCommand, DialogueError, DialogueEvent};
pub use fact::{Applied, Confirmation, Fact, Records, Span, Standing};
pub use partner::{Partner, PartnerCommand, PartnerError, PartnerEvent};
