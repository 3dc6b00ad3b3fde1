//! What can be asked of an agreement.

use event_sourcing::{Date, LocalizedText};

use super::events::{
    BindingNature, ConsentDelivery, ConsentKind, Obligation, Registration, SignatureKind, TerminationCause,
};

/// What can be asked of an agreement. When something happens or happened is the act's date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementCommand {
    /// Enter it in the register.
    Register(Box<Registration>),
    /// Negotiations are opened.
    OpenNegotiation,
    /// The text is initialled.
    InitialText,
    /// The text is adopted.
    AdoptText,
    /// A party signs.
    Sign {
        /// The party.
        party: String,
        /// What its signature means.
        kind: SignatureKind,
    },
    /// A party's own law authorises it to be bound.
    Authorise {
        /// The party.
        party: String,
        /// The act that authorises.
        legal_basis: Option<String>,
    },
    /// A party consents to be bound.
    ExpressConsent {
        /// The party.
        party: String,
        /// By what sort of act.
        kind: ConsentKind,
        /// How the others learn of it.
        delivery: ConsentDelivery,
    },
    /// The depositary or a source states its entry into force.
    RecordEntryIntoForce,
    /// It is applied before it is in force.
    ApplyProvisionally,
    /// It is applied provisionally no longer.
    EndProvisionalApplication,
    /// A party publishes the text.
    Publish {
        /// The party.
        party: String,
        /// Where.
        reference: String,
    },
    /// An obligation is read from the text.
    RecordObligation(Obligation),
    /// An amendment is put on the table.
    ProposeAmendment {
        /// Its id.
        amendment_id: String,
        /// Its title.
        title: LocalizedText,
    },
    /// A party accepts an amendment.
    AcceptAmendment {
        /// Its id.
        amendment_id: String,
        /// The party.
        party: String,
    },
    /// The depositary or a source states whom an amendment binds.
    RecordAmendmentEffect {
        /// Its id.
        amendment_id: String,
        /// The parties; none: all of them.
        parties: Vec<String>,
    },
    /// A party suspends it.
    Suspend {
        /// The party.
        party: String,
    },
    /// A party applies it again.
    Resume {
        /// The party.
        party: String,
    },
    /// A party gives notice that it ends its consent.
    Denounce {
        /// The party.
        party: String,
        /// First day on which it is no longer bound; `None`: at the end of the instrument's notice.
        takes_effect_on: Option<Date>,
    },
    /// A party agrees that it ends.
    AgreeTermination {
        /// The party.
        party: String,
    },
    /// The depositary or a source states that it is terminated.
    RecordTermination(TerminationCause),
    /// The depositary or a source states that its term has run.
    RecordExpiry,
    /// The depositary or a source states that another agreement stands in its place.
    RecordSupersession {
        /// `agreements/…`.
        by: String,
    },
    /// A party declares its view of whether it binds.
    DeclareView {
        /// The party.
        party: String,
        /// Its view.
        view: BindingNature,
    },
    /// Confirm a record from a source.
    ConfirmRecord {
        /// Its version.
        version: u64,
    },
    /// Draw what follows from the records as they now stand: after one of them was corrected.
    DrawConsequences,
}
