//! Why an agreement refuses.

use event_sourcing::{Date, PartialDate};

use super::events::AgreementScope;
use crate::domain::act::ActError;

/// Why an agreement refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// The act lacks something.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Another agreement is registered under this name.
    #[error("registered already")]
    AlreadyRegistered,
    /// No agreement is registered under this name.
    #[error("not registered")]
    NotRegistered,
    /// The parties do not fit the scope.
    #[error("{parties} different parties")]
    PartiesDoNotFit {
        /// The scope.
        scope: AgreementScope,
        /// How many different ones are named.
        parties: usize,
    },
    /// A rule asks for more parties than there can be.
    #[error("the rule asks for {wanted} of {parties} parties")]
    RuleCannotBeMet {
        /// What it asks for.
        wanted: usize,
        /// How many there are.
        parties: usize,
    },
    /// Not a party.
    #[error("{organisation} is not a party")]
    NotAParty {
        /// Who.
        organisation: String,
    },
    /// The instrument lets nobody accede.
    #[error("not open to accession")]
    NotOpenToAccession,
    /// There is nobody to deposit an instrument with.
    #[error("no depositary")]
    NoDepositary,
    /// Something else is recorded of the same thing.
    #[error("recorded already, by record {version}")]
    AlreadyRecorded {
        /// Where.
        version: u64,
    },
    /// Outcomes are stated by the depositary or a source.
    #[error("stated by the depositary or a source")]
    StatedByDepositaryOrSource,
    /// The agreement had ended by then.
    #[error("ended on {on}")]
    Ended {
        /// When.
        on: PartialDate,
    },
    /// The end would lie before the beginning.
    #[error("{end} lies before {beginning}")]
    EndsBeforeItBegan {
        /// The beginning.
        beginning: PartialDate,
        /// The end.
        end: PartialDate,
    },
    /// Neither in force nor applied provisionally on that day.
    #[error("not in operation")]
    NotInOperation,
    /// The party suspends it already.
    #[error("{party} suspends it already")]
    AlreadySuspended {
        /// The party.
        party: String,
        /// Since when.
        since: PartialDate,
    },
    /// The party does not suspend it.
    #[error("{party} does not suspend it")]
    NotSuspended {
        /// The party.
        party: String,
    },
    /// The party denounced it already.
    #[error("{party} denounced it already")]
    AlreadyDenounced {
        /// The party.
        party: String,
    },
    /// The denunciation would take effect before the notice has run.
    #[error("takes effect on {earliest} at the earliest")]
    NoticeTooShort {
        /// The instrument's notice.
        months: u32,
        /// The end of it.
        earliest: Date,
    },
    /// There is no such amendment.
    #[error("no amendment {amendment}")]
    NoSuchAmendment {
        /// Its id.
        amendment: String,
    },
}
