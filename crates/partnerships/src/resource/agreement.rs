//! An agreement as shown.

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};
use event_store::{History, date_to_proto, text_to_proto};

use super::{Facts, Resource};
use crate::{
    codec::{OnWire as _, terms_to_proto},
    domain::{
        Agreement, Fact,
        agreement::{
            Instrument,
            events::{BindingNature, TerminationCause},
            state::{Amendment, End, Nature, Party, PartyStanding, Phase},
        },
    },
};

impl Resource for Agreement {
    type Shown = pb::Agreement;

    fn show(&self, name: &str, history: &History<Self>) -> Option<pb::Agreement> {
        let instrument = self.registered().ok()?;
        let facts = Facts { history, records: &instrument.records };
        let registration = &instrument.registration;
        let unconfirmed = instrument.records.unconfirmed();
        Some(pb::Agreement {
            name: name.to_owned(),
            title: Some(text_to_proto(&registration.title)),
            reference: registration.reference.clone().unwrap_or_default(),
            form: registration.form.to_proto().into(),
            scope: registration.scope.to_proto().into(),
            declared_nature: registration.declared_nature.to_proto().into(),
            nature: nature(instrument.nature).into(),
            depositary: registration.depositary.clone().unwrap_or_default(),
            terms: Some(terms_to_proto(&registration.terms)),
            phase: phase(instrument.phase()).into(),
            parties: instrument.parties.iter().map(|(name, party)| show_party(&facts, name, party)).collect(),
            negotiation_opened: facts.optional(instrument.negotiation_opened.as_ref()),
            text_initialled: facts.optional(instrument.text_initialled.as_ref()),
            text_adopted: facts.optional(instrument.text_adopted.as_ref()),
            provisional_application: instrument.provisional_application.as_ref().map(|span| facts.span(span)),
            entry_into_force: instrument.in_force.as_ref().map(|(fact, ground)| pb::EntryIntoForce {
                fact: Some(facts.fact(fact)),
                ground: ground.to_proto().into(),
            }),
            end: instrument.end().map(|(fact, end)| show_end(&facts, fact, end)),
            publications: show_publications(&facts, instrument),
            obligations: show_obligations(&facts, instrument),
            amendments: instrument.amendments.iter().map(|amendment| show_amendment(&facts, amendment)).collect(),
            unconfirmed_records: unconfirmed
                .map(|(version, organisation)| pb::UnconfirmedRecord { version, organisation: organisation.to_owned() })
                .collect(),
        })
    }
}

fn show_party(facts: &Facts<'_, Agreement>, name: &str, party: &Party) -> pb::AgreementParty {
    let view =
        |(fact, view): &(Fact, BindingNature)| pb::View { fact: Some(facts.fact(fact)), view: view.to_proto().into() };
    pb::AgreementParty {
        party: name.to_owned(),
        standing: standing(party.standing()).into(),
        signature: party
            .signature
            .as_ref()
            .map(|(fact, kind)| pb::Signature { fact: Some(facts.fact(fact)), kind: kind.to_proto().into() }),
        authorisation: party.authorisation.as_ref().map(|(fact, basis)| pb::DomesticAuthorisation {
            fact: Some(facts.fact(fact)),
            legal_basis: basis.clone().unwrap_or_default(),
        }),
        consent: party.consent.as_ref().map(|(fact, kind, delivery)| pb::Consent {
            fact: Some(facts.fact(fact)),
            kind: kind.to_proto().into(),
            delivery: delivery.to_proto().into(),
        }),
        view: party.view(facts.records).as_ref().map(view),
        suspensions: party.suspensions.iter().map(|span| facts.span(span)).collect(),
        denunciation: party.denunciation.as_ref().map(|denunciation| pb::Denunciation {
            notified: Some(facts.fact(&denunciation.notified)),
            takes_effect_on: Some(date_to_proto(denunciation.takes_effect_on.into())),
            withdrew: facts.optional(denunciation.withdrew.as_ref()),
        }),
        termination_agreed: facts.optional(party.termination_agreed.as_ref()),
        views: party.views.iter().map(view).collect(),
    }
}

fn show_end(facts: &Facts<'_, Agreement>, fact: &Fact, end: &End) -> pb::AgreementEnd {
    use pb::agreement_end::Kind;
    let kind = match end {
        End::Expired => Kind::Expired(pb::Expiry {}),
        End::Superseded { by } => Kind::SupersededBy(by.clone()),
        End::Terminated { cause, ground } => {
            let (cause, denounced_by) = match cause {
                TerminationCause::Denunciation { by } => (events::TerminationCause::Denunciation, by.clone()),
                TerminationCause::Consent => (events::TerminationCause::Consent, String::new()),
                TerminationCause::Other => (events::TerminationCause::Other, String::new()),
            };
            let ground = ground.to_proto().into();
            Kind::Terminated(pb::Termination { cause: cause.into(), denounced_by, ground })
        }
    };
    pb::AgreementEnd { fact: Some(facts.fact(fact)), kind: Some(kind) }
}

fn show_publications(facts: &Facts<'_, Agreement>, instrument: &Instrument) -> Vec<pb::Publication> {
    let shown = instrument.publications.iter().map(|publication| pb::Publication {
        fact: Some(facts.fact(&publication.fact)),
        party: publication.party.clone(),
        reference: publication.reference.clone(),
    });
    shown.collect()
}

fn show_obligations(facts: &Facts<'_, Agreement>, instrument: &Instrument) -> Vec<pb::Obligation> {
    let shown = instrument.obligations.iter().map(|(fact, obligation)| pb::Obligation {
        obligation_id: obligation.id.clone(),
        article: obligation.article.clone(),
        obliged_parties: obligation.obliged_parties.clone(),
        text: Some(text_to_proto(&obligation.text)),
        fact: Some(facts.fact(fact)),
    });
    shown.collect()
}

fn show_amendment(facts: &Facts<'_, Agreement>, amendment: &Amendment) -> pb::Amendment {
    let party =
        |(party, fact): (&String, &Fact)| pb::AmendmentParty { party: party.clone(), fact: Some(facts.fact(fact)) };
    pb::Amendment {
        amendment_id: amendment.id.clone(),
        title: Some(text_to_proto(&amendment.title)),
        proposed: Some(facts.fact(&amendment.proposed)),
        accepted: amendment.accepted.iter().map(party).collect(),
        binds: amendment.binds.iter().map(party).collect(),
    }
}

fn nature(nature: Nature) -> pb::AgreementNature {
    match nature {
        Nature::Agreed(BindingNature::Binding) => pb::AgreementNature::Binding,
        Nature::Agreed(BindingNature::NonBinding) => pb::AgreementNature::NonBinding,
        Nature::Contested => pb::AgreementNature::Contested,
    }
}

fn phase(phase: Phase) -> pb::AgreementPhase {
    match phase {
        Phase::Registered => pb::AgreementPhase::Registered,
        Phase::Negotiating => pb::AgreementPhase::Negotiating,
        Phase::Initialled => pb::AgreementPhase::Initialled,
        Phase::Adopted => pb::AgreementPhase::Adopted,
        Phase::Signed => pb::AgreementPhase::Signed,
        Phase::ProvisionallyApplied => pb::AgreementPhase::ProvisionallyApplied,
        Phase::InForce => pb::AgreementPhase::InForce,
        Phase::Suspended => pb::AgreementPhase::Suspended,
        Phase::Terminated => pb::AgreementPhase::Terminated,
        Phase::Expired => pb::AgreementPhase::Expired,
        Phase::Superseded => pb::AgreementPhase::Superseded,
    }
}

fn standing(standing: PartyStanding) -> pb::PartyStanding {
    match standing {
        PartyStanding::Named => pb::PartyStanding::Named,
        PartyStanding::Signed => pb::PartyStanding::Signed,
        PartyStanding::Consented => pb::PartyStanding::Consented,
        PartyStanding::Withdrawn => pb::PartyStanding::Withdrawn,
    }
}
