//! Who acts, for whom, on what ground.

use jiff::civil::Date;

use crate::{PartialDate, aggregate::Draft};

/// The act that a command asks to record: everything that a rule may look at beside the command and the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who sent the command.
    pub actor: Actor,
    /// The organisation whose act it is: a partner's resource name.
    pub on_behalf_of: String,
    /// Whether that organisation acts itself.
    pub basis: Basis,
    /// When it happened in the world; `None`: not known.
    pub effective_on: Option<PartialDate>,
    /// Where it can be read.
    pub sources: Vec<Source>,
    /// How sure the record is.
    pub certainty: Certainty,
    /// Why, in a few words; empty where nothing was said.
    pub reason: String,
    /// The day on which the command is decided. Domain code knows no other clock.
    pub today: Date,
}

/// Who sent a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Issuer of the token.
    pub issuer: String,
    /// Pseudonym of the person or machine: the same in every log of a deployment.
    pub subject: String,
    /// The organisation that the token speaks for: a partner's resource name.
    pub organisation: String,
    /// The roles that the token carried, sorted.
    pub roles: Vec<String>,
}

/// Whether the organisation of an event acted itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Its own act.
    Act,
    /// Published elsewhere and recorded by another: never its consent, approval or verification.
    RecordedFromSource,
}

/// How sure a record is of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// As the sources say.
    Exact,
    /// Derived from what they say.
    Inferred,
    /// Made up, to show how the system works.
    Illustrative,
}

/// A document in which a fact can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Title, as published.
    pub title: String,
    /// What it is: `treaty`, `law`, `minutes`, `press`, `dataset`, ….
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// When it was issued.
    pub issued_on: Option<PartialDate>,
    /// BCP 47 language.
    pub language_code: String,
    /// Where it is kept or was read.
    pub location: String,
    /// Hash of the document, where a copy was kept.
    pub sha256: Option<[u8; 32]>,
}

impl Actor {
    /// The same person or machine, whatever the organisation and the roles of the day.
    pub fn is_same_person_as(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }
}

impl Act {
    /// An event of this act, on the act's own date.
    pub fn draft<E>(&self, event: E) -> Draft<E> {
        Draft { event, effective_on: self.effective_on }
    }

    /// Whether the caller's token carries a role.
    pub fn has_role(&self, role: &str) -> bool {
        self.actor.roles.iter().any(|held| held == role)
    }

    /// Whether this is the organisation's own act.
    pub fn is_own_act_of(&self, organisation: &str) -> bool {
        self.basis == Basis::Act && self.on_behalf_of == organisation
    }
}
