//! A partner: a state, one of its bodies, an organisation, a bank, an NGO, a company.

use event_sourcing::{Act, Aggregate, Date, Draft, LocalizedText, Recorded};

use super::{
    act::{ActError, REGISTRARS, require_role},
    country::Country,
    fact::{Applied, Confirmation, Fact, Records, Span},
};

/// What has happened to a partner. Stored for ever by `codec.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerEvent {
    /// It is in the register.
    Registered(Profile),
    /// It has other names from the event's date on.
    Renamed(Names),
    /// It is a part of another partner from the event's date on.
    ParentChanged {
        /// `partners/…`; `None`: of none.
        parent: Option<String>,
    },
    /// The state has a role from the event's date on.
    RoleStarted {
        /// The role.
        role: MigrationRole,
    },
    /// The state has a role no longer from the event's date on.
    RoleEnded {
        /// The role.
        role: MigrationRole,
    },
    /// The organisation confirmed a record from a source.
    RecordConfirmed(Box<Confirmation<PartnerEvent>>),
}

/// What a partner is when it enters the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it is.
    pub kind: PartnerKind,
    /// Its names.
    pub names: Names,
    /// The state it is, belongs to or has its seat in.
    pub country: Option<Country>,
    /// The partner that it is a part of, `partners/…`.
    pub parent: Option<String>,
}

/// The names of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// In full.
    pub full: LocalizedText,
    /// Acronyms or short names; may be empty.
    pub short: LocalizedText,
}

/// What a partner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartnerKind {
    /// A state.
    State,
    /// A ministry of a state.
    Ministry,
    /// Another body of a state.
    PublicAgency,
    /// A region, a district, a municipality.
    LocalAuthority,
    /// An organisation of states of the whole world.
    InternationalOrganisation,
    /// An organisation of states of a region.
    RegionalOrganisation,
    /// A bank.
    Bank,
    /// An association or foundation.
    Ngo,
    /// A company that is no bank.
    Company,
}

/// Where a state lies on a migration route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MigrationRole {
    /// People leave from it.
    Origin,
    /// People cross it.
    Transit,
    /// People live in it.
    Host,
}

/// A partner; without a profile where nothing is registered under its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partner(Option<Box<RegisteredPartner>>);

/// A partner that is in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredPartner {
    /// What it is, with its names and its parent of the day.
    pub profile: Profile,
    /// Roles on migration routes, in order of recording.
    pub roles: Vec<(MigrationRole, Span)>,
    /// Whose word its facts rest on.
    pub records: Records<PartnerEvent>,
    named: Option<Fact>,
    attached: Option<Fact>,
}

/// What can be asked of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerCommand {
    /// Enter it in the register.
    Register(Profile),
    /// Give it other names.
    Rename(Names),
    /// Make it a part of another partner.
    ChangeParent {
        /// `partners/…`; `None`: of none.
        parent: Option<String>,
        /// Whatever the new parent is itself a part of.
        ancestors: Vec<String>,
        /// The partner's own name.
        name: String,
    },
    /// The state takes a role.
    StartRole(MigrationRole),
    /// The state leaves a role.
    EndRole(MigrationRole),
    /// Confirm a record from a source.
    ConfirmRecord {
        /// Its version.
        version: u64,
    },
}

/// Why a partner refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerError {
    /// The act lacks something.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Another partner is registered under this name.
    #[error("registered already")]
    AlreadyRegistered,
    /// No partner is registered under this name.
    #[error("not registered")]
    NotRegistered,
    /// A partner of this kind has a country.
    #[error("needs its country")]
    CountryRequired,
    /// It would be a part of itself.
    #[error("{parent} is itself a part of {partner}")]
    ParentCycle {
        /// The parent asked for.
        parent: String,
        /// This partner.
        partner: String,
    },
    /// Only states have roles on migration routes.
    #[error("not a state")]
    NotAState,
    /// The state has this role already.
    #[error("has this role since {}", since.counts_from())]
    RoleHeld {
        /// Since when.
        since: Fact,
    },
    /// The state does not have this role on that day.
    #[error("does not have this role")]
    RoleNotHeld,
}

impl PartnerKind {
    /// Organisations of states, NGOs and companies may be at home in no single country.
    fn has_country(self) -> bool {
        match self {
            Self::State | Self::Ministry | Self::PublicAgency | Self::LocalAuthority | Self::Bank => true,
            Self::InternationalOrganisation | Self::RegionalOrganisation | Self::Ngo | Self::Company => false,
        }
    }
}

impl Partner {
    /// The partner, where it is registered.
    pub fn registered(&self) -> Result<&RegisteredPartner, PartnerError> {
        self.0.as_deref().ok_or(PartnerError::NotRegistered)
    }

    fn register(&self, profile: &Profile, act: &Act) -> Result<Vec<Draft<PartnerEvent>>, PartnerError> {
        require_role(act, REGISTRARS)?;
        match self.0.as_deref() {
            Some(registered) if registered.profile == *profile => return Ok(Vec::new()),
            Some(_) => return Err(PartnerError::AlreadyRegistered),
            None if profile.kind.has_country() && profile.country.is_none() => {
                return Err(PartnerError::CountryRequired);
            }
            None => {}
        }
        Ok(vec![act.draft(PartnerEvent::Registered(profile.clone()))])
    }
}

impl RegisteredPartner {
    fn new(profile: Profile) -> Self {
        Self { profile, roles: Vec::new(), records: Records::default(), named: None, attached: None }
    }

    fn decide(&self, command: &PartnerCommand, act: &Act) -> Result<Vec<Draft<PartnerEvent>>, PartnerError> {
        let event = match command {
            PartnerCommand::Register(_) => return Err(PartnerError::AlreadyRegistered),
            PartnerCommand::Rename(names) => {
                require_role(act, REGISTRARS)?;
                (self.profile.names != *names).then(|| PartnerEvent::Renamed(names.clone()))
            }
            PartnerCommand::ChangeParent { parent, ancestors, name } => {
                require_role(act, REGISTRARS)?;
                if let Some(parent) = parent
                    && (parent == name || ancestors.contains(name))
                {
                    return Err(PartnerError::ParentCycle { parent: parent.clone(), partner: name.clone() });
                }
                (self.profile.parent != *parent).then(|| PartnerEvent::ParentChanged { parent: parent.clone() })
            }
            PartnerCommand::StartRole(role) => self.start_role(*role, act)?,
            PartnerCommand::EndRole(role) => self.end_role(*role, act)?,
            PartnerCommand::ConfirmRecord { version } => self
                .records
                .confirmation(*version, act)?
                .map(|confirmation| PartnerEvent::RecordConfirmed(Box::new(confirmation))),
        };
        Ok(event.map(|event| act.draft(event)).into_iter().collect())
    }

    fn start_role(&self, role: MigrationRole, act: &Act) -> Result<Option<PartnerEvent>, PartnerError> {
        self.require_state(act)?;
        if let Some(held) = self.held(role, day(act)) {
            let same_day = held.start.on == act.effective_on;
            return if same_day { Ok(None) } else { Err(PartnerError::RoleHeld { since: held.start }) };
        }
        Ok(Some(PartnerEvent::RoleStarted { role }))
    }

    fn end_role(&self, role: MigrationRole, act: &Act) -> Result<Option<PartnerEvent>, PartnerError> {
        self.require_state(act)?;
        self.held(role, day(act)).ok_or(PartnerError::RoleNotHeld)?;
        Ok(Some(PartnerEvent::RoleEnded { role }))
    }

    fn require_state(&self, act: &Act) -> Result<(), PartnerError> {
        require_role(act, REGISTRARS)?;
        if self.profile.kind == PartnerKind::State { Ok(()) } else { Err(PartnerError::NotAState) }
    }

    /// The role as held on a day, where it is not known to have ended.
    fn held(&self, role: MigrationRole, day: Date) -> Option<&Span> {
        self.roles.iter().filter(|(held, _)| *held == role).map(|(_, span)| span).find(|span| span.may_cover(day))
    }

    fn apply(mut self, applied: &Applied<'_, PartnerEvent>) -> Self {
        self.records.note(applied, false);
        let fact = applied.fact;
        match applied.event {
            // Names may be recorded out of order: those of the latest date stand.
            PartnerEvent::Renamed(names) if self.named.is_none_or(|named| named <= fact) => {
                self.profile.names = names.clone();
                self.named = Some(fact);
            }
            PartnerEvent::ParentChanged { parent } if self.attached.is_none_or(|attached| attached <= fact) => {
                self.profile.parent.clone_from(parent);
                self.attached = Some(fact);
            }
            PartnerEvent::Registered(_) | PartnerEvent::Renamed(_) | PartnerEvent::ParentChanged { .. } => {}
            PartnerEvent::RoleStarted { role } => self.roles.push((*role, Span::from(fact))),
            PartnerEvent::RoleEnded { role } => {
                let open = self
                    .roles
                    .iter_mut()
                    .filter(|(held, span)| held == role && span.end.is_none() && span.start <= fact)
                    .max_by_key(|(_, span)| span.start);
                if let Some((_, span)) = open {
                    span.end = Some(fact);
                }
            }
            PartnerEvent::RecordConfirmed(confirmation) => self.records.confirm(confirmation),
        }
        self
    }
}

fn day(act: &Act) -> Date {
    act.effective_on.map_or(act.today, event_sourcing::PartialDate::latest)
}

impl Aggregate for Partner {
    const CATEGORY: &'static str = "partners";
    type Command = PartnerCommand;
    type Event = PartnerEvent;
    type Error = PartnerError;

    fn decide(&self, command: &PartnerCommand, act: &Act) -> Result<Vec<Draft<PartnerEvent>>, PartnerError> {
        match (command, self.0.as_deref()) {
            (PartnerCommand::Register(profile), _) => self.register(profile, act),
            (_, Some(registered)) => registered.decide(command, act),
            (_, None) => Err(PartnerError::NotRegistered),
        }
    }

    fn evolve(self, event: &Recorded<PartnerEvent>) -> Self {
        let applied = Applied::from(event);
        let registered = match (self.0, &event.event) {
            (Some(registered), _) => *registered,
            (None, PartnerEvent::Registered(profile)) => RegisteredPartner::new(profile.clone()),
            (None, _) => return Self(None),
        };
        Self(Some(Box::new(registered.apply(&applied))))
    }

    fn is_timeless(event: &PartnerEvent) -> bool {
        matches!(event, PartnerEvent::Registered(_) | PartnerEvent::RecordConfirmed(_))
    }

    fn check(&self) -> Result<(), PartnerError> {
        let Some(partner) = self.0.as_deref() else { return Ok(()) };
        if partner.profile.kind.has_country() && partner.profile.country.is_none() {
            return Err(PartnerError::CountryRequired);
        }
        if partner.profile.kind != PartnerKind::State && !partner.roles.is_empty() {
            return Err(PartnerError::NotAState);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
