//! The event of each stored form.

use contracts::toguna::partnerships::events::v1 as pb;
use event_store::{DecodeError, Decoding, Payload, text_from_proto};

use crate::{
    codec::{
        terms::terms_from_proto,
        value::{ConfirmationParts, OnWire, day, optional, required},
    },
    domain::{
        Agreement, AgreementEvent as Event,
        agreement::events::{
            AgreementForm, AgreementScope, BindingNature, ConsentDelivery, ConsentKind, Ground, Obligation,
            Registration, SignatureKind, TerminationCause,
        },
    },
};

/// Decodes an event.
pub(super) fn event(payload: &Payload) -> Result<Event, DecodeError> {
    let decoding = course(consent(text(Decoding::of(payload))));
    decoding
        .or(|event: pb::AgreementRecordConfirmed| {
            let (version, confirmed) = (event.confirmed_version, event.confirmed);
            let parts = ConfirmationParts { version, confirmed, effective_on: event.confirmed_effective_on };
            Ok(Event::RecordConfirmed(parts.decode::<Agreement>()?))
        })
        .finish()
}

/// Events of the instrument and its text.
fn text(decoding: Decoding<'_, Event>) -> Decoding<'_, Event> {
    decoding
        .or(|event: pb::AgreementRegistered| Ok(Event::Registered(Box::new(registration(event)?))))
        .or(|_: pb::AgreementNegotiationOpened| Ok(Event::NegotiationOpened))
        .or(|_: pb::AgreementTextInitialled| Ok(Event::TextInitialled))
        .or(|_: pb::AgreementTextAdopted| Ok(Event::TextAdopted))
        .or(|event: pb::AgreementPublished| Ok(Event::Published { party: event.party, reference: event.reference }))
        .or(|event: pb::AgreementObligationRecorded| {
            Ok(Event::ObligationRecorded(Obligation {
                id: event.obligation_id,
                article: event.article,
                obliged_parties: event.obliged_parties,
                text: text_from_proto(event.text.as_ref())?,
            }))
        })
        .or(|event: pb::AgreementAmendmentProposed| {
            let title = text_from_proto(event.title.as_ref())?;
            Ok(Event::AmendmentProposed { amendment_id: event.amendment_id, title })
        })
}

/// What parties did to be bound or released, and their views.
fn consent(decoding: Decoding<'_, Event>) -> Decoding<'_, Event> {
    decoding
        .or(|event: pb::AgreementSigned| {
            Ok(Event::Signed { kind: SignatureKind::stored("kind", event.kind)?, party: event.party })
        })
        .or(|event: pb::AgreementDomesticallyAuthorised| {
            Ok(Event::DomesticallyAuthorised { party: event.party, legal_basis: optional(event.legal_basis) })
        })
        .or(|event: pb::AgreementConsentExpressed| {
            let kind = ConsentKind::stored("kind", event.kind)?;
            let delivery = ConsentDelivery::stored("delivery", event.delivery)?;
            Ok(Event::ConsentExpressed { party: event.party, kind, delivery })
        })
        .or(|event: pb::AgreementAmendmentAccepted| {
            Ok(Event::AmendmentAccepted { amendment_id: event.amendment_id, party: event.party })
        })
        .or(|event: pb::AgreementDenounced| {
            let takes_effect_on = day("takes_effect_on", event.takes_effect_on.as_ref())?;
            Ok(Event::Denounced { party: event.party, takes_effect_on })
        })
        .or(|event: pb::AgreementTerminationAgreed| Ok(Event::TerminationAgreed { party: event.party }))
        .or(|event: pb::AgreementViewDeclared| {
            Ok(Event::ViewDeclared { view: BindingNature::stored("view", event.view)?, party: event.party })
        })
}

/// What became of the agreement.
fn course(decoding: Decoding<'_, Event>) -> Decoding<'_, Event> {
    decoding
        .or(|event: pb::AgreementEnteredIntoForce| {
            Ok(Event::EnteredIntoForce { ground: Ground::stored("ground", event.ground)? })
        })
        .or(|_: pb::AgreementProvisionallyApplied| Ok(Event::ProvisionallyApplied))
        .or(|_: pb::AgreementProvisionalApplicationEnded| Ok(Event::ProvisionalApplicationEnded))
        .or(|event: pb::AgreementAmended| {
            let ground = Ground::stored("ground", event.ground)?;
            Ok(Event::Amended { amendment_id: event.amendment_id, parties: event.parties, ground })
        })
        .or(|event: pb::AgreementSuspended| Ok(Event::Suspended { party: event.party }))
        .or(|event: pb::AgreementResumed| {
            Ok(Event::Resumed { party: event.party, still_suspended_by: event.still_suspended_by })
        })
        .or(|event: pb::AgreementPartyWithdrew| Ok(Event::PartyWithdrew { party: event.party }))
        .or(|event: pb::AgreementTerminated| {
            let (cause, ground) = (termination_cause(&event)?, Ground::stored("ground", event.ground)?);
            Ok(Event::Terminated { cause, ground })
        })
        .or(|_: pb::AgreementExpired| Ok(Event::Expired))
        .or(|event: pb::AgreementSuperseded| Ok(Event::Superseded { by: event.superseded_by }))
        .or(|event: pb::AgreementNatureContested| {
            let view = |view: pb::PartyView| Ok((view.party, BindingNature::stored("view", view.view)?));
            Ok(Event::NatureContested { views: event.views.into_iter().map(view).collect::<Result<_, DecodeError>>()? })
        })
        .or(|event: pb::AgreementNatureSettled| {
            Ok(Event::NatureSettled { nature: BindingNature::stored("nature", event.nature)? })
        })
}

fn registration(event: pb::AgreementRegistered) -> Result<Registration, DecodeError> {
    Ok(Registration {
        title: text_from_proto(event.title.as_ref())?,
        reference: optional(event.reference),
        form: AgreementForm::stored("form", event.form)?,
        scope: AgreementScope::stored("scope", event.scope)?,
        declared_nature: BindingNature::stored("declared_nature", event.declared_nature)?,
        parties: event.parties,
        depositary: optional(event.depositary),
        terms: terms_from_proto(&required("terms", event.terms)?)?,
    })
}

fn termination_cause(event: &pb::AgreementTerminated) -> Result<TerminationCause, DecodeError> {
    match event.cause() {
        pb::TerminationCause::Unspecified => Err(DecodeError::Missing("cause")),
        pb::TerminationCause::Denunciation => Ok(TerminationCause::Denunciation { by: event.denounced_by.clone() }),
        pb::TerminationCause::Consent => Ok(TerminationCause::Consent),
        pb::TerminationCause::Other => Ok(TerminationCause::Other),
    }
}
