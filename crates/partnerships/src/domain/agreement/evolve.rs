//! What each event makes of the state. Total: what happened cannot be refused.

use std::collections::BTreeMap;

use event_sourcing::LocalizedText;

use super::{
    events::{AgreementEvent, ConsentKind},
    state::{Amendment, Denunciation, End, Instrument, Nature, Party, Publication},
};
use crate::domain::fact::{Applied, Fact, Span};

impl Instrument {
    /// The state after an event.
    pub(super) fn apply(mut self, applied: &Applied<'_, AgreementEvent>) -> Self {
        self.records.note(applied, applied.event.is_decided());
        let organisation = &applied.act.on_behalf_of;
        let received = self.registration.depositary.as_ref() == Some(organisation);
        if let Some(party) = applied.event.party().filter(|party| *party != organisation && !received) {
            self.misattributed.push((organisation.clone(), party.to_owned()));
        }
        self.apply_event(applied.event, applied.fact);
        self
    }

    fn apply_event(&mut self, event: &AgreementEvent, fact: Fact) {
        use AgreementEvent as Event;
        match event {
            Event::Registered(_) => {}
            Event::NegotiationOpened => self.negotiation_opened = Some(fact),
            Event::TextInitialled => self.text_initialled = Some(fact),
            Event::TextAdopted => self.text_adopted = Some(fact),
            Event::Signed { party, kind } => self.party(party).signature = Some((fact, *kind)),
            Event::DomesticallyAuthorised { party, legal_basis } => {
                self.party(party).authorisation = Some((fact, legal_basis.clone()));
            }
            Event::ConsentExpressed { party, kind, delivery } => {
                if *kind == ConsentKind::Accession {
                    self.parties.entry(party.clone()).or_default();
                }
                self.party(party).consent = Some((fact, *kind, *delivery));
            }
            Event::EnteredIntoForce { ground } => self.in_force = Some((fact, *ground)),
            Event::ProvisionallyApplied => self.provisional_application = Some(Span::from(fact)),
            Event::ProvisionalApplicationEnded => {
                self.provisional_application = self.provisional_application.map(|span| span.until(fact));
            }
            Event::Published { party, reference } => self.published(party, reference, fact),
            Event::ObligationRecorded(obligation) => self.obligations.push((fact, obligation.clone())),
            Event::AmendmentProposed { amendment_id, title } => self.proposed(amendment_id, title, fact),
            Event::AmendmentAccepted { amendment_id, party } => self.accepted(amendment_id, party, fact),
            Event::Amended { amendment_id, parties, .. } => self.amended(amendment_id, parties, fact),
            Event::Suspended { party } => self.suspended(party, fact),
            Event::Resumed { party, .. } => self.resumed(party, fact),
            Event::Denounced { party, takes_effect_on } => {
                self.party(party).denunciation =
                    Some(Denunciation { notified: fact, takes_effect_on: *takes_effect_on, withdrew: None });
            }
            Event::PartyWithdrew { party } => self.withdrew(party, fact),
            Event::TerminationAgreed { party } => self.party(party).termination_agreed = Some(fact),
            Event::Terminated { cause, ground } => {
                self.end_with(fact, End::Terminated { cause: cause.clone(), ground: *ground });
            }
            Event::Expired => self.end_with(fact, End::Expired),
            Event::Superseded { by } => self.end_with(fact, End::Superseded { by: by.clone() }),
            Event::ViewDeclared { party, view } => {
                let views = &mut self.party(party).views;
                let place = views.partition_point(|(earlier, _)| *earlier <= fact);
                views.insert(place, (fact, *view));
            }
            Event::NatureContested { .. } => self.nature = Nature::Contested,
            Event::NatureSettled { nature } => self.nature = Nature::Agreed(*nature),
            Event::RecordConfirmed(confirmation) => self.records.confirm(confirmation),
        }
    }

    fn published(&mut self, party: &str, reference: &str, fact: Fact) {
        self.party(party);
        self.publications.push(Publication { fact, party: party.to_owned(), reference: reference.to_owned() });
    }

    fn proposed(&mut self, id: &str, title: &LocalizedText, proposed: Fact) {
        let (id, title) = (id.to_owned(), title.clone());
        self.amendments.push(Amendment { id, title, proposed, accepted: BTreeMap::new(), binds: BTreeMap::new() });
    }

    fn accepted(&mut self, id: &str, party: &str, fact: Fact) {
        self.party(party);
        if let Some(amendment) = self.amendment_mut(id) {
            amendment.accepted.insert(party.to_owned(), fact);
        }
    }

    fn amended(&mut self, id: &str, parties: &[String], fact: Fact) {
        if let Some(amendment) = self.amendment_mut(id) {
            amendment.binds.extend(parties.iter().map(|party| (party.clone(), fact)));
        }
    }

    fn amendment_mut(&mut self, id: &str) -> Option<&mut Amendment> {
        self.amendments.iter_mut().find(|amendment| amendment.id == id)
    }

    /// A party's own word takes the place of what a source said of the same suspension.
    fn suspended(&mut self, party: &str, fact: Fact) {
        let suspensions = &mut self.party(party).suspensions;
        suspensions.retain(|span| span.end.is_some());
        suspensions.push(Span::from(fact));
    }

    fn resumed(&mut self, party: &str, fact: Fact) {
        if let Some(open) = self.party(party).suspensions.iter_mut().find(|span| span.end.is_none()) {
            *open = open.until(fact);
        }
    }

    fn withdrew(&mut self, party: &str, fact: Fact) {
        if let Some(denunciation) = &mut self.party(party).denunciation {
            denunciation.withdrew = Some(fact);
        }
    }

    fn end_with(&mut self, fact: Fact, end: End) {
        self.ends.push((fact, end));
    }

    /// The party of that name. One that is none is remembered as such, so that a correction cannot bring it in.
    fn party(&mut self, name: &str) -> &mut Party {
        if !self.parties.contains_key(name) {
            self.strangers.insert(name.to_owned());
        }
        self.parties.entry(name.to_owned()).or_default()
    }
}
