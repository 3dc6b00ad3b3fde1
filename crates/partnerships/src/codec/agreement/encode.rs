//! The stored form of each event.

use contracts::toguna::partnerships::events::v1 as pb;
use event_store::{Payload, date_to_proto, text_to_proto};

use crate::{
    codec::{
        terms::terms_to_proto,
        value::{ConfirmationParts, OnWire},
    },
    domain::{
        Agreement, AgreementEvent, Confirmation,
        agreement::events::{BindingNature, Ground, Obligation, Registration, TerminationCause},
    },
};

/// Encodes an event.
pub(super) fn event(event: &AgreementEvent) -> Payload {
    use AgreementEvent as Event;
    match event.clone() {
        Event::Registered(registration) => registered(&registration),
        Event::NegotiationOpened => Payload::of(&pb::AgreementNegotiationOpened {}),
        Event::TextInitialled => Payload::of(&pb::AgreementTextInitialled {}),
        Event::TextAdopted => Payload::of(&pb::AgreementTextAdopted {}),
        Event::Signed { party, kind } => Payload::of(&pb::AgreementSigned { party, kind: kind.to_proto().into() }),
        Event::DomesticallyAuthorised { party, legal_basis } => {
            let legal_basis = legal_basis.unwrap_or_default();
            Payload::of(&pb::AgreementDomesticallyAuthorised { party, legal_basis })
        }
        Event::ConsentExpressed { party, kind, delivery } => {
            let (kind, delivery) = (kind.to_proto().into(), delivery.to_proto().into());
            Payload::of(&pb::AgreementConsentExpressed { party, kind, delivery })
        }
        Event::EnteredIntoForce { ground } => {
            Payload::of(&pb::AgreementEnteredIntoForce { ground: ground.to_proto().into() })
        }
        Event::ProvisionallyApplied => Payload::of(&pb::AgreementProvisionallyApplied {}),
        Event::ProvisionalApplicationEnded => Payload::of(&pb::AgreementProvisionalApplicationEnded {}),
        Event::Published { party, reference } => Payload::of(&pb::AgreementPublished { party, reference }),
        Event::ObligationRecorded(obligation) => obliged(obligation),
        Event::AmendmentProposed { amendment_id, title } => {
            Payload::of(&pb::AgreementAmendmentProposed { amendment_id, title: Some(text_to_proto(&title)) })
        }
        Event::AmendmentAccepted { amendment_id, party } => {
            Payload::of(&pb::AgreementAmendmentAccepted { amendment_id, party })
        }
        Event::Amended { amendment_id, parties, ground } => {
            Payload::of(&pb::AgreementAmended { amendment_id, parties, ground: ground.to_proto().into() })
        }
        Event::Suspended { party } => Payload::of(&pb::AgreementSuspended { party }),
        Event::Resumed { party, still_suspended_by } => {
            Payload::of(&pb::AgreementResumed { party, still_suspended_by })
        }
        Event::Denounced { party, takes_effect_on } => {
            let takes_effect_on = Some(date_to_proto(takes_effect_on.into()));
            Payload::of(&pb::AgreementDenounced { party, takes_effect_on })
        }
        Event::PartyWithdrew { party } => Payload::of(&pb::AgreementPartyWithdrew { party }),
        Event::TerminationAgreed { party } => Payload::of(&pb::AgreementTerminationAgreed { party }),
        Event::Terminated { cause, ground } => terminated(cause, ground),
        Event::Expired => Payload::of(&pb::AgreementExpired {}),
        Event::Superseded { by } => Payload::of(&pb::AgreementSuperseded { superseded_by: by }),
        Event::ViewDeclared { party, view } => {
            Payload::of(&pb::AgreementViewDeclared { party, view: view.to_proto().into() })
        }
        Event::NatureContested { views } => contested(views),
        Event::NatureSettled { nature } => {
            Payload::of(&pb::AgreementNatureSettled { nature: nature.to_proto().into() })
        }
        Event::RecordConfirmed(confirmation) => confirmed(&confirmation),
    }
}

fn registered(registration: &Registration) -> Payload {
    Payload::of(&pb::AgreementRegistered {
        title: Some(text_to_proto(&registration.title)),
        reference: registration.reference.clone().unwrap_or_default(),
        form: registration.form.to_proto().into(),
        scope: registration.scope.to_proto().into(),
        declared_nature: registration.declared_nature.to_proto().into(),
        parties: registration.parties.clone(),
        depositary: registration.depositary.clone().unwrap_or_default(),
        terms: Some(terms_to_proto(&registration.terms)),
    })
}

fn obliged(obligation: Obligation) -> Payload {
    Payload::of(&pb::AgreementObligationRecorded {
        obligation_id: obligation.id,
        article: obligation.article,
        obliged_parties: obligation.obliged_parties,
        text: Some(text_to_proto(&obligation.text)),
    })
}

fn terminated(cause: TerminationCause, ground: Ground) -> Payload {
    let (cause, denounced_by) = match cause {
        TerminationCause::Denunciation { by } => (pb::TerminationCause::Denunciation, by),
        TerminationCause::Consent => (pb::TerminationCause::Consent, String::new()),
        TerminationCause::Other => (pb::TerminationCause::Other, String::new()),
    };
    let ground = ground.to_proto().into();
    Payload::of(&pb::AgreementTerminated { cause: cause.into(), denounced_by, ground })
}

fn contested(views: Vec<(String, BindingNature)>) -> Payload {
    let views = views.into_iter().map(|(party, view)| pb::PartyView { party, view: view.to_proto().into() });
    Payload::of(&pb::AgreementNatureContested { views: views.collect() })
}

fn confirmed(confirmation: &Confirmation<AgreementEvent>) -> Payload {
    let parts = ConfirmationParts::of::<Agreement>(confirmation);
    Payload::of(&pb::AgreementRecordConfirmed {
        confirmed_version: parts.version,
        confirmed: parts.confirmed,
        confirmed_effective_on: parts.effective_on,
    })
}
