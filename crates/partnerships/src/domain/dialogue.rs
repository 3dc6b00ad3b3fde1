//! A dialogue on migration, such as the Rabat and the Khartoum Process, and who takes part in it.
//!
//! Membership is a dated fact with a source (rule A8). What the dialogue's side says and what a partner claims of
//! itself stand side by side: neither replaces the other.

use std::collections::BTreeMap;

use event_sourcing::{Act, Aggregate, Basis, Draft, LocalizedText, PartialDate, Recorded};

use super::{
    act::{ActError, REGISTRARS, SPEAKERS, require_role, require_role_of},
    fact::{Applied, Confirmation, Fact, Records},
};

/// What has happened to a dialogue. Stored for ever by `codec.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialogueEvent {
    /// It is in the register; the event's date is that of its foundation.
    Registered(Foundation),
    /// The dialogue's side gives a partner this status from the event's date on.
    MembershipRecorded {
        /// `partners/…`.
        partner: String,
        /// Its status.
        status: MembershipStatus,
    },
    /// A partner claims this status from the event's date on.
    MembershipClaimed {
        /// `partners/…`.
        partner: String,
        /// The status that it claims.
        status: MembershipStatus,
    },
    /// The organisation confirmed a record from a source.
    RecordConfirmed(Box<Confirmation<DialogueEvent>>),
}

/// What a dialogue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foundation {
    /// Its names.
    pub names: LocalizedText,
    /// The organisation that keeps its list of members, `partners/…`.
    pub secretariat: Option<String>,
}

/// How a partner takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MembershipStatus {
    /// A full member.
    Member,
    /// Present, without a voice in decisions.
    Observer,
    /// Takes part in the follow-up of the Joint Valletta Action Plan without being a member.
    JvapPartner,
    /// Known not to take part, or no longer.
    NonMember,
}

/// A dialogue; without a foundation where nothing is registered under its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue(Option<Box<RegisteredDialogue>>);

/// A dialogue that is in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredDialogue {
    /// What it is.
    pub foundation: Foundation,
    /// When it was founded; `None`: not known.
    pub founded_on: Option<PartialDate>,
    /// What is known of each partner.
    pub memberships: BTreeMap<String, Membership>,
    /// Whose word its facts rest on.
    pub records: Records<DialogueEvent>,
    /// Acts of an organisation that a claim says are of another: only a correction could.
    misattributed: Vec<(String, String)>,
}

/// What is known of one partner's part in a dialogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// As the dialogue's side says, in order of date.
    pub recorded: Vec<(Fact, MembershipStatus)>,
    /// As the partner itself says, in order of date.
    pub claimed: Vec<(Fact, MembershipStatus)>,
}

/// What can be asked of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialogueCommand {
    /// Enter it in the register.
    Register(Foundation),
    /// Record a partner's status, as the dialogue's side says.
    RecordMembership {
        /// `partners/…`.
        partner: String,
        /// Its status.
        status: MembershipStatus,
    },
    /// Claim a status, as the organisation whose act it is.
    ClaimMembership(MembershipStatus),
    /// Confirm a record from a source.
    ConfirmRecord {
        /// Its version.
        version: u64,
    },
}

/// Why a dialogue refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialogueError {
    /// The act lacks something.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Another dialogue is registered under this name.
    #[error("registered already")]
    AlreadyRegistered,
    /// No dialogue is registered under this name.
    #[error("not registered")]
    NotRegistered,
}

impl Membership {
    /// The status of the latest date, as the dialogue's side says.
    pub fn status(&self) -> Option<MembershipStatus> {
        self.recorded.last().map(|(_, status)| *status)
    }

    /// The status of the latest date, as the partner itself says.
    pub fn claimed_status(&self) -> Option<MembershipStatus> {
        self.claimed.last().map(|(_, status)| *status)
    }
}

impl Dialogue {
    /// The dialogue, where it is registered.
    pub fn registered(&self) -> Result<&RegisteredDialogue, DialogueError> {
        self.0.as_deref().ok_or(DialogueError::NotRegistered)
    }

    fn register(&self, foundation: &Foundation, act: &Act) -> Result<Vec<Draft<DialogueEvent>>, DialogueError> {
        require_role(act, REGISTRARS)?;
        match self.0.as_deref() {
            Some(dialogue) if dialogue.foundation == *foundation && dialogue.founded_on == act.effective_on => {
                Ok(Vec::new())
            }
            Some(_) => Err(DialogueError::AlreadyRegistered),
            None => Ok(vec![act.draft(DialogueEvent::Registered(foundation.clone()))]),
        }
    }
}

impl RegisteredDialogue {
    fn decide(&self, command: &DialogueCommand, act: &Act) -> Result<Option<DialogueEvent>, DialogueError> {
        Ok(match command {
            DialogueCommand::Register(_) => return Err(DialogueError::AlreadyRegistered),
            DialogueCommand::RecordMembership { partner, status } => {
                require_role(act, REGISTRARS)?;
                self.require_side(act)?;
                let known = self.memberships.get(partner).is_some_and(|known| says(&known.recorded, *status, act));
                (!known).then(|| DialogueEvent::MembershipRecorded { partner: partner.clone(), status: *status })
            }
            DialogueCommand::ClaimMembership(status) => {
                require_role_of(act, SPEAKERS)?;
                let partner = &act.on_behalf_of;
                let known = self.memberships.get(partner).is_some_and(|known| says(&known.claimed, *status, act));
                (!known).then(|| DialogueEvent::MembershipClaimed { partner: partner.clone(), status: *status })
            }
            DialogueCommand::ConfirmRecord { version } => self
                .records
                .confirmation(*version, act)?
                .map(|confirmation| DialogueEvent::RecordConfirmed(Box::new(confirmation))),
        })
    }

    /// For the dialogue's side speaks the organisation that keeps its list, or whoever read it in a source.
    fn require_side(&self, act: &Act) -> Result<(), ActError> {
        match &self.foundation.secretariat {
            Some(secretariat) if act.basis == Basis::Act && act.on_behalf_of != *secretariat => {
                let (organisation, on_behalf_of) = (act.on_behalf_of.clone(), secretariat.clone());
                Err(ActError::ActsForAnother { organisation, on_behalf_of })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn apply(mut self, applied: &Applied<'_, DialogueEvent>) -> Self {
        self.records.note(applied, false);
        match applied.event {
            DialogueEvent::Registered(_) => {}
            DialogueEvent::MembershipRecorded { partner, status } => {
                let membership = self.memberships.entry(partner.clone()).or_default();
                insert(&mut membership.recorded, applied.fact, *status);
            }
            DialogueEvent::MembershipClaimed { partner, status } => {
                if applied.act.on_behalf_of != *partner {
                    self.misattributed.push((applied.act.on_behalf_of.clone(), partner.clone()));
                }
                let membership = self.memberships.entry(partner.clone()).or_default();
                insert(&mut membership.claimed, applied.fact, *status);
            }
            DialogueEvent::RecordConfirmed(confirmation) => self.records.confirm(confirmation),
        }
        self
    }
}

/// Whether the same was said before, of the same date.
fn says(statuses: &[(Fact, MembershipStatus)], status: MembershipStatus, act: &Act) -> bool {
    statuses.iter().any(|(fact, known)| *known == status && fact.on == act.effective_on)
}

/// Keeps statuses in order of date, however late they are recorded.
fn insert(statuses: &mut Vec<(Fact, MembershipStatus)>, fact: Fact, status: MembershipStatus) {
    let place = statuses.partition_point(|(earlier, _)| *earlier <= fact);
    statuses.insert(place, (fact, status));
}

impl Aggregate for Dialogue {
    const CATEGORY: &'static str = "dialogues";
    type Command = DialogueCommand;
    type Event = DialogueEvent;
    type Error = DialogueError;

    fn decide(&self, command: &DialogueCommand, act: &Act) -> Result<Vec<Draft<DialogueEvent>>, DialogueError> {
        if let DialogueCommand::Register(foundation) = command {
            return self.register(foundation, act);
        }
        let event = self.registered()?.decide(command, act)?;
        Ok(event.map(|event| act.draft(event)).into_iter().collect())
    }

    fn evolve(self, event: &Recorded<DialogueEvent>) -> Self {
        let dialogue = match (self.0, &event.event) {
            (Some(dialogue), _) => *dialogue,
            (None, DialogueEvent::Registered(foundation)) => RegisteredDialogue {
                foundation: foundation.clone(),
                founded_on: event.effective_on,
                memberships: BTreeMap::new(),
                records: Records::default(),
                misattributed: Vec::new(),
            },
            (None, _) => return Self(None),
        };
        Self(Some(Box::new(dialogue.apply(&Applied::from(event)))))
    }

    fn check(&self) -> Result<(), DialogueError> {
        let misattributed = self.0.as_deref().and_then(|dialogue| dialogue.misattributed.first());
        misattributed.map_or(Ok(()), |(organisation, partner)| {
            let (organisation, on_behalf_of) = (organisation.clone(), partner.clone());
            Err(ActError::ActsForAnother { organisation, on_behalf_of }.into())
        })
    }

    fn is_timeless(event: &DialogueEvent) -> bool {
        matches!(event, DialogueEvent::Registered(_) | DialogueEvent::RecordConfirmed(_))
    }
}

#[cfg(test)]
mod tests;
