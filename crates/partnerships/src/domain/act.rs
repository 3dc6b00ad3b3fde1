//! What every aggregate asks of an act: a role, a date, the organisation itself.

use event_sourcing::{Act, Basis, PartialDate};

/// Keeps the register, and the lists of dialogues.
pub const SECRETARIAT: &str = "secretariat";
/// Speaks for an organisation in daily work.
pub const FOCAL_POINT: &str = "focal_point";
/// Has full powers to bind an organisation.
pub const SIGNATORY: &str = "signatory";
/// Keeps the instruments of an agreement.
pub const DEPOSITARY: &str = "depositary";

/// Who enters things in the register.
pub const REGISTRARS: &[&str] = &[SECRETARIAT];
/// Who records what sources say of another organisation's acts.
pub const RECORDERS: &[&str] = &[SECRETARIAT, FOCAL_POINT];
/// Who speaks for an organisation where nothing binds it.
pub const SPEAKERS: &[&str] = &[FOCAL_POINT, SIGNATORY];

/// What an act lacks, whatever the aggregate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The token carries none of these roles.
    #[error("needs one of the roles {roles:?}")]
    RoleRequired {
        /// Any of them would do.
        roles: &'static [&'static str],
    },
    /// The act has effects from its date on, and has none.
    #[error("needs its date")]
    DateRequired,
    /// The act is said to have happened on a day that has not come.
    #[error("{on} has not come yet")]
    DateInFuture {
        /// The day.
        on: PartialDate,
    },
    /// Only the organisation itself can do this.
    #[error("needs the act of {organisation} itself")]
    OwnActRequired {
        /// Whose act it takes.
        organisation: String,
    },
    /// The act is one organisation's, what it does another's.
    #[error("{organisation} acts for {on_behalf_of}")]
    ActsForAnother {
        /// Whose act it is.
        organisation: String,
        /// Who would have to act.
        on_behalf_of: String,
    },
    /// The record is not one that was made from a source.
    #[error("record {version} does not wait for confirmation")]
    NothingToConfirm {
        /// The version named.
        version: u64,
    },
    /// The record is of another organisation's act.
    #[error("record {version} is confirmed by {organisation}")]
    NotYoursToConfirm {
        /// The version named.
        version: u64,
        /// Who may confirm it.
        organisation: String,
    },
}

/// The caller's token carries one of the roles.
pub fn require_role(act: &Act, roles: &'static [&'static str]) -> Result<(), ActError> {
    if roles.iter().any(|role| act.has_role(role)) { Ok(()) } else { Err(ActError::RoleRequired { roles }) }
}

/// The role that an organisation's act takes: one of its own where it acts itself, a recorder's where a source speaks.
pub fn require_role_of(act: &Act, own: &'static [&'static str]) -> Result<(), ActError> {
    match act.basis {
        Basis::Act => require_role(act, own),
        Basis::RecordedFromSource => require_role(act, RECORDERS),
    }
}

/// The act's date, which must be known.
pub fn require_date(act: &Act) -> Result<PartialDate, ActError> {
    act.effective_on.ok_or(ActError::DateRequired)
}

/// What was done cannot lie in the future. A date of which only the month or the year is known may have come.
pub fn require_past(act: &Act) -> Result<(), ActError> {
    match act.effective_on {
        Some(on) if on.earliest() > act.today => Err(ActError::DateInFuture { on }),
        Some(_) | None => Ok(()),
    }
}
