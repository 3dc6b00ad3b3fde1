//! What the register says of agreements.

use contracts::toguna::partnerships::events::v1 as pb;

use crate::event::{Complete, events};

events! {
    /// An event of the log `partnerships` that counts.
    #[expect(clippy::enum_variant_names, reason = "each bears the name of its message")]
    Partnership of "toguna.partnerships.events.v1":
    counts {
        AgreementRegistered, AgreementNegotiationOpened, AgreementTextInitialled, AgreementTextAdopted,
        AgreementSigned, AgreementDomesticallyAuthorised,
        AgreementConsentExpressed, AgreementEnteredIntoForce, AgreementProvisionallyApplied,
        AgreementProvisionalApplicationEnded, AgreementPublished, AgreementAmended, AgreementSuspended,
        AgreementResumed, AgreementDenounced, AgreementPartyWithdrew, AgreementTerminated, AgreementExpired,
        AgreementSuperseded, AgreementViewDeclared, AgreementNatureContested, AgreementNatureSettled,
        AgreementRecordConfirmed,
    }
    counts_not {
        AgreementObligationRecorded, AgreementAmendmentProposed, AgreementAmendmentAccepted, AgreementTerminationAgreed,
        PartnerRegistered, PartnerRenamed, PartnerParentChanged, PartnerRoleStarted, PartnerRoleEnded,
        PartnerRecordConfirmed,
        DialogueRegistered, DialogueMembershipRecorded, DialogueMembershipClaimed, DialogueRecordConfirmed,
    }
}

impl Complete for Partnership {}
