//! What can have happened to an agreement. Stored for ever by `codec.rs`.

use event_sourcing::{Date, LocalizedText};

use super::terms::Terms;
use crate::domain::fact::Confirmation;

/// What has happened to an agreement. Parties are named `partners/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementEvent {
    /// It is in the register.
    Registered(Box<Registration>),
    /// Negotiations were opened.
    NegotiationOpened,
    /// The text was initialled.
    TextInitialled,
    /// The text was adopted.
    TextAdopted,
    /// A party signed.
    Signed {
        /// The party.
        party: String,
        /// What its signature means.
        kind: SignatureKind,
    },
    /// A party's own law authorised it to be bound.
    DomesticallyAuthorised {
        /// The party.
        party: String,
        /// The act that authorises.
        legal_basis: Option<String>,
    },
    /// A party consented to be bound.
    ConsentExpressed {
        /// The party.
        party: String,
        /// By what sort of act.
        kind: ConsentKind,
        /// How the others learned of it.
        delivery: ConsentDelivery,
    },
    /// In force from the event's date on.
    EnteredIntoForce {
        /// On what ground.
        ground: Ground,
    },
    /// Applied before it is in force.
    ProvisionallyApplied,
    /// Applied provisionally no longer.
    ProvisionalApplicationEnded,
    /// A party published the text.
    Published {
        /// The party.
        party: String,
        /// Where.
        reference: String,
    },
    /// An obligation was read from the text.
    ObligationRecorded(Obligation),
    /// An amendment is on the table.
    AmendmentProposed {
        /// Its id.
        amendment_id: String,
        /// Its title.
        title: LocalizedText,
    },
    /// A party accepted an amendment.
    AmendmentAccepted {
        /// Its id.
        amendment_id: String,
        /// The party.
        party: String,
    },
    /// An amendment binds these parties from the event's date on.
    Amended {
        /// Its id.
        amendment_id: String,
        /// The parties that it binds from this date.
        parties: Vec<String>,
        /// On what ground.
        ground: Ground,
    },
    /// A party suspends it from the event's date on.
    Suspended {
        /// The party.
        party: String,
    },
    /// A party applies it again from the event's date on.
    Resumed {
        /// The party.
        party: String,
        /// Parties whose own suspension still stands.
        still_suspended_by: Vec<String>,
    },
    /// A party gave notice on the event's date.
    Denounced {
        /// The party.
        party: String,
        /// First day on which it is no longer bound.
        takes_effect_on: Date,
    },
    /// A party is no longer bound from the event's date on; the others are.
    PartyWithdrew {
        /// The party.
        party: String,
    },
    /// A party agreed that it ends on the event's date.
    TerminationAgreed {
        /// The party.
        party: String,
    },
    /// Terminated from the event's date on.
    Terminated {
        /// Why.
        cause: TerminationCause,
        /// On what ground.
        ground: Ground,
    },
    /// Its term has run on the event's date.
    Expired,
    /// Another agreement stands in its place from the event's date on.
    Superseded {
        /// `agreements/…`.
        by: String,
    },
    /// A party's view of whether it binds, from the event's date on.
    ViewDeclared {
        /// The party.
        party: String,
        /// Its view.
        view: BindingNature,
    },
    /// Parties disagree on whether it binds.
    NatureContested {
        /// The views that stand.
        views: Vec<(String, BindingNature)>,
    },
    /// The parties that declared a view agree.
    NatureSettled {
        /// The view that they share.
        nature: BindingNature,
    },
    /// The organisation confirmed a record from a source.
    RecordConfirmed(Box<Confirmation<AgreementEvent>>),
}

/// What an agreement is when it enters the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its title.
    pub title: LocalizedText,
    /// Reference under which it was published.
    pub reference: Option<String>,
    /// What sort of instrument it is.
    pub form: AgreementForm,
    /// Between whom.
    pub scope: AgreementScope,
    /// Whether it binds, as the instrument presents itself.
    pub declared_nature: BindingNature,
    /// Who it is between.
    pub parties: Vec<String>,
    /// Who keeps the instruments.
    pub depositary: Option<String>,
    /// The instrument's own rules.
    pub terms: Terms,
}

/// An obligation of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// Unique in the agreement.
    pub id: String,
    /// The article, as numbered in the text.
    pub article: String,
    /// The parties that it obliges; none: all of them.
    pub obliged_parties: Vec<String>,
    /// What it obliges to.
    pub text: LocalizedText,
}

/// What sort of instrument an agreement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgreementForm {
    /// Governed by international law.
    Treaty,
    /// Governed by other law.
    NonTreatyAgreement,
    /// A memorandum of understanding.
    MemorandumOfUnderstanding,
    /// A joint communiqué.
    JointCommunique,
    /// A political declaration.
    PoliticalDeclaration,
}

/// Between whom an agreement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgreementScope {
    /// Two parties.
    Bilateral,
    /// Several, of one region or of two that work together.
    Regional,
    /// Several, of the whole world.
    Global,
}

/// Whether an agreement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingNature {
    /// In law.
    Binding,
    /// Politically.
    NonBinding,
}

/// What a signature means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// It consents to be bound.
    Definitive,
    /// It does not bind before it is ratified, accepted or approved.
    SubjectToRatification,
}

/// By what sort of act a party consents to be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentKind {
    /// Ratification.
    Ratification,
    /// Acceptance.
    Acceptance,
    /// Approval.
    Approval,
    /// Accession, by one that did not sign.
    Accession,
}

/// How the other parties learn of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentDelivery {
    /// Deposited with the depositary.
    Deposited,
    /// Notified to the others.
    Notified,
}

/// On what ground the register says that something took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// Decided by the instrument's rule, from the parties' own acts.
    Rule,
    /// Stated by the depositary or a published source.
    Stated,
}

/// Why an agreement is terminated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminationCause {
    /// A denunciation left fewer than two parties.
    Denunciation {
        /// Whose.
        by: String,
    },
    /// All parties agreed.
    Consent,
    /// Another ground, which the source gives.
    Other,
}

impl AgreementEvent {
    /// The party whose act it is, where it is the act of one.
    pub fn party(&self) -> Option<&str> {
        match self {
            Self::Signed { party, .. }
            | Self::DomesticallyAuthorised { party, .. }
            | Self::ConsentExpressed { party, .. }
            | Self::Published { party, .. }
            | Self::AmendmentAccepted { party, .. }
            | Self::Suspended { party }
            | Self::Resumed { party, .. }
            | Self::Denounced { party, .. }
            | Self::TerminationAgreed { party }
            | Self::ViewDeclared { party, .. } => Some(party),
            Self::Registered(_)
            | Self::NegotiationOpened
            | Self::TextInitialled
            | Self::TextAdopted
            | Self::EnteredIntoForce { .. }
            | Self::ProvisionallyApplied
            | Self::ProvisionalApplicationEnded
            | Self::ObligationRecorded(_)
            | Self::AmendmentProposed { .. }
            | Self::Amended { .. }
            | Self::PartyWithdrew { .. }
            | Self::Terminated { .. }
            | Self::Expired
            | Self::Superseded { .. }
            | Self::NatureContested { .. }
            | Self::NatureSettled { .. }
            | Self::RecordConfirmed(_) => None,
        }
    }

    /// Whether it is the register's own decision, which waits for nobody's confirmation, whatever act brought it.
    pub fn is_decided(&self) -> bool {
        match self {
            Self::EnteredIntoForce { ground } | Self::Amended { ground, .. } | Self::Terminated { ground, .. } => {
                *ground == Ground::Rule
            }
            Self::PartyWithdrew { .. } | Self::NatureContested { .. } | Self::NatureSettled { .. } => true,
            Self::Registered(_)
            | Self::NegotiationOpened
            | Self::TextInitialled
            | Self::TextAdopted
            | Self::Signed { .. }
            | Self::DomesticallyAuthorised { .. }
            | Self::ConsentExpressed { .. }
            | Self::ProvisionallyApplied
            | Self::ProvisionalApplicationEnded
            | Self::Published { .. }
            | Self::ObligationRecorded(_)
            | Self::AmendmentProposed { .. }
            | Self::AmendmentAccepted { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::Denounced { .. }
            | Self::TerminationAgreed { .. }
            | Self::Expired
            | Self::Superseded { .. }
            | Self::ViewDeclared { .. }
            | Self::RecordConfirmed(_) => false,
        }
    }
}
