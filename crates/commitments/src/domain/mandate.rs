//! Who may do what: the few rules on roles and organisations that the aggregates share.

use event_sourcing::{Act, Actor, Basis};

const SECRETARIAT: &str = "secretariat";
const FOCAL_POINT: &str = "focal_point";
const CONTRIBUTOR: &str = "contributor";
const IMPLEMENTER: &str = "implementer";
const VERIFIER: &str = "verifier";

/// Why an act is not one that counts here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MandateError {
    /// The token carries none of these roles.
    #[error("this needs one of the roles {roles:?}")]
    RoleRequired {
        /// Any of them does.
        roles: &'static [&'static str],
    },
    /// Another organisation's act.
    #[error("only {owner} can do this")]
    NotTheOwner {
        /// Whose act it takes.
        owner: String,
    },
    /// A record from a source where the organisation itself must act.
    #[error("this takes the act of {organisation} itself")]
    OwnActRequired {
        /// Who must act.
        organisation: String,
    },
    /// Another organisation keeps the register.
    #[error("{secretariat} keeps the register")]
    NotTheSecretariat {
        /// Who keeps it.
        secretariat: String,
    },
    /// Who reports does not verify.
    #[error("another organisation than {owner}, and another person, verifies")]
    VerifierIsReporter {
        /// Whose report it is.
        owner: String,
    },
    /// The act does not say why.
    #[error("the act says no reason")]
    ReasonRequired,
}

/// One of these roles.
pub fn has_role(act: &Act, roles: &'static [&'static str]) -> Result<(), MandateError> {
    if roles.iter().any(|role| act.has_role(role)) { Ok(()) } else { Err(MandateError::RoleRequired { roles }) }
}

/// The secretariat, whatever its organisation.
pub fn is_secretariat(act: &Act) -> Result<(), MandateError> {
    has_role(act, &[SECRETARIAT])
}

/// The secretariat of the organisation that keeps the register.
pub fn keeps_register(act: &Act, secretariat: &str) -> Result<(), MandateError> {
    is_secretariat(act)?;
    if act.actor.organisation == secretariat {
        Ok(())
    } else {
        Err(MandateError::NotTheSecretariat { secretariat: secretariat.into() })
    }
}

/// What an organisation says of its own work: itself, by a focal point or contributor, or as others read it in a
/// source, which secretariats record too.
pub fn speaks_for(act: &Act, owner: &str) -> Result<(), MandateError> {
    if act.on_behalf_of != owner {
        return Err(MandateError::NotTheOwner { owner: owner.into() });
    }
    match act.basis {
        Basis::Act => has_role(act, &[FOCAL_POINT, CONTRIBUTOR]),
        Basis::RecordedFromSource => has_role(act, &[FOCAL_POINT, CONTRIBUTOR, SECRETARIAT]),
    }
}

/// The organisation itself, by a focal point or contributor. No source stands in for it.
pub fn acts_for(act: &Act, owner: &str) -> Result<(), MandateError> {
    is_own_act(act, owner)?;
    has_role(act, &[FOCAL_POINT, CONTRIBUTOR])
}

/// The organisation itself, by its focal point. No source stands in for it.
pub fn binds(act: &Act, owner: &str) -> Result<(), MandateError> {
    is_own_act(act, owner)?;
    has_role(act, &[FOCAL_POINT])
}

/// Whoever measures: reports stand side by side, each under the name of who says so.
pub fn measures(act: &Act) -> Result<(), MandateError> {
    match act.basis {
        Basis::Act => has_role(act, &[FOCAL_POINT, CONTRIBUTOR, IMPLEMENTER]),
        Basis::RecordedFromSource => has_role(act, &[FOCAL_POINT, CONTRIBUTOR, IMPLEMENTER, SECRETARIAT]),
    }
}

/// Whoever may note what bears on a promise.
pub fn observes(act: &Act) -> Result<(), MandateError> {
    has_role(act, &[FOCAL_POINT, CONTRIBUTOR, SECRETARIAT, VERIFIER])
}

/// Another organisation than the owner, itself, and another person than the one who reported.
pub fn judges(act: &Act, owner: &str, reporter: &Actor) -> Result<(), MandateError> {
    has_role(act, &[VERIFIER])?;
    if act.basis != Basis::Act {
        return Err(MandateError::OwnActRequired { organisation: act.on_behalf_of.clone() });
    }
    if act.on_behalf_of == owner || act.actor.is_same_person_as(reporter) {
        return Err(MandateError::VerifierIsReporter { owner: owner.into() });
    }
    Ok(())
}

/// The act says why.
pub fn says_why(act: &Act) -> Result<(), MandateError> {
    if act.reason.trim().is_empty() { Err(MandateError::ReasonRequired) } else { Ok(()) }
}

fn is_own_act(act: &Act, owner: &str) -> Result<(), MandateError> {
    if act.on_behalf_of != owner {
        return Err(MandateError::NotTheOwner { owner: owner.into() });
    }
    match act.basis {
        Basis::Act => Ok(()),
        Basis::RecordedFromSource => Err(MandateError::OwnActRequired { organisation: owner.into() }),
    }
}
