//! Who may do what: the role that the caller's token carries, and the organisation whose act it is.

use event_sourcing::{Act, Basis, Date, PartialDate};

/// Sits on a fund's committee.
pub const COMMITTEE_MEMBER: &str = "committee_member";
/// Chairs a fund's committee.
pub const COMMITTEE_CHAIR: &str = "committee_chair";
/// Gives to a fund.
pub const DONOR: &str = "donor";
/// Runs a fund and opens the files of its payments.
pub const FUND_MANAGER: &str = "fund_manager";
/// Signs contracts for a fund.
pub const CONTRACTING_AUTHORITY: &str = "contracting_authority";
/// Asks for payment.
pub const IMPLEMENTER: &str = "implementer";
/// Checks requests for payment.
pub const PAYMENT_VERIFIER: &str = "payment_verifier";
/// Orders payments and recoveries.
pub const AUTHORISING_OFFICER: &str = "authorising_officer";
/// Pays and takes in.
pub const ACCOUNTING_OFFICER: &str = "accounting_officer";
/// Follows a fund for a country where it works.
pub const NATIONAL_COUNTERPART: &str = "national_counterpart";
/// Is heard on a fund's committee.
pub const OBSERVER: &str = "observer";
/// Examines a fund.
pub const AUDITOR: &str = "auditor";
/// Keeps the register, and enters what others published.
pub const SECRETARIAT: &str = "secretariat";

/// Who enters what was published.
pub const RECORDERS: &[&str] = &[SECRETARIAT, FUND_MANAGER];

/// Why somebody may not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The token does not carry the role.
    #[error("this needs the role {role}")]
    RoleRequired {
        /// The role.
        role: &'static str,
    },
    /// It is for another organisation to do.
    #[error("this is for {expected} to do, not for {organisation}")]
    ActOfAnother {
        /// The organisation whose act it was said to be.
        organisation: String,
        /// The one whose act it must be.
        expected: String,
    },
    /// A record from a source does not do.
    #[error("this takes the act of {organisation} itself")]
    OwnActRequired {
        /// The organisation.
        organisation: String,
    },
}

/// The act is that of an organisation: its own, by somebody in the role, or one that it published, entered by the
/// fund's trustee.
pub fn act_of(organisation: &str, role: &'static str, trustee: &str, act: &Act) -> Result<(), AuthorityError> {
    is_of(organisation, act)?;
    in_role(&[role], trustee, act)
}

/// The act is an organisation's own, by somebody in the role.
pub fn own_act_of(organisation: &str, role: &'static str, act: &Act) -> Result<(), AuthorityError> {
    is_of(organisation, act)?;
    own_act(act)?;
    one_of(&[role], act)
}

/// The act is of whoever's it is said to be, not a record from a source.
pub fn own_act(act: &Act) -> Result<(), AuthorityError> {
    match act.basis {
        Basis::Act => Ok(()),
        Basis::RecordedFromSource => Err(AuthorityError::OwnActRequired { organisation: act.on_behalf_of.clone() }),
    }
}

/// The caller acts in one of the roles, the first of which is the one to ask for. What was published is entered by the
/// secretariat or a fund manager of the fund's trustee, whosever act it is: what others read of a fund fills none of
/// its ceilings.
pub fn in_role(roles: &[&'static str], trustee: &str, act: &Act) -> Result<(), AuthorityError> {
    match act.basis {
        Basis::Act => one_of(roles, act),
        Basis::RecordedFromSource => {
            one_of(RECORDERS, act)?;
            let organisation = act.actor.organisation.clone();
            if organisation == trustee {
                return Ok(());
            }
            Err(AuthorityError::ActOfAnother { organisation, expected: trustee.into() })
        }
    }
}

/// The caller has one of the roles, the first of which is the one to ask for.
pub fn one_of(roles: &[&'static str], act: &Act) -> Result<(), AuthorityError> {
    match roles {
        [role, ..] if !roles.iter().any(|role| act.has_role(role)) => Err(AuthorityError::RoleRequired { role }),
        _ => Ok(()),
    }
}

/// The day of an act: the last day that its date may mean, or the day of the command where no date is known.
pub fn act_day(act: &Act) -> Date {
    act.effective_on.map_or(act.today, PartialDate::latest)
}

fn is_of(organisation: &str, act: &Act) -> Result<(), AuthorityError> {
    if act.on_behalf_of == organisation {
        return Ok(());
    }
    Err(AuthorityError::ActOfAnother { organisation: act.on_behalf_of.clone(), expected: organisation.into() })
}
