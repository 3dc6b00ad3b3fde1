//! What a party does to be bound, and what it holds of the agreement.

use event_sourcing::{Act, LocalizedText};

use super::{DESCRIBERS, Decided, FULL_POWERS};
use crate::domain::{
    act::require_past,
    agreement::{
        error::AgreementError,
        events::{AgreementEvent, BindingNature, ConsentDelivery, ConsentKind, SignatureKind},
        state::Instrument,
        terms::AccessionRule,
    },
};

impl Instrument {
    pub(super) fn sign(&self, party: &str, kind: SignatureKind, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        require_past(act)?;
        self.require_not_ended(act)?;
        let earlier = self.parties[party].signature.as_ref();
        let same = earlier.is_some_and(|(_, earlier)| *earlier == kind);
        let admitted = self.admits(earlier.map(|(fact, _)| fact), same, act)?;
        Ok(admitted.then(|| AgreementEvent::Signed { party: party.to_owned(), kind }))
    }

    pub(super) fn authorise(&self, party: &str, legal_basis: Option<&String>, act: &Act) -> Decided {
        self.require_act_of(party, act, DESCRIBERS)?;
        require_past(act)?;
        let earlier = self.parties[party].authorisation.as_ref();
        let same = earlier.is_some_and(|(_, earlier)| earlier.as_ref() == legal_basis);
        let admitted = self.admits(earlier.map(|(fact, _)| fact), same, act)?;
        Ok(admitted.then(|| {
            let (party, legal_basis) = (party.to_owned(), legal_basis.cloned());
            AgreementEvent::DomesticallyAuthorised { party, legal_basis }
        }))
    }

    pub(super) fn consent(&self, party: &str, kind: ConsentKind, delivery: ConsentDelivery, act: &Act) -> Decided {
        if kind == ConsentKind::Accession {
            if self.registration.terms.accession == AccessionRule::Closed {
                return Err(AgreementError::NotOpenToAccession);
            }
            self.require_acting_for(party, act, FULL_POWERS)?;
        } else {
            self.require_act_of(party, act, FULL_POWERS)?;
        }
        if delivery == ConsentDelivery::Deposited && self.registration.depositary.is_none() {
            return Err(AgreementError::NoDepositary);
        }
        require_past(act)?;
        self.require_not_ended(act)?;
        let earlier = self.parties.get(party).and_then(|known| known.consent.as_ref());
        let same = earlier.is_some_and(|(_, by, how)| (*by, *how) == (kind, delivery));
        let admitted = self.admits(earlier.map(|(fact, ..)| fact), same, act)?;
        Ok(admitted.then(|| AgreementEvent::ConsentExpressed { party: party.to_owned(), kind, delivery }))
    }

    pub(super) fn propose(&self, id: &str, title: &LocalizedText, act: &Act) -> Decided {
        self.require_describer(act)?;
        require_past(act)?;
        self.require_not_ended(act)?;
        let earlier = self.amendment(id).ok();
        let same = earlier.is_some_and(|earlier| earlier.title == *title);
        let admitted = Self::admits_described(earlier.map(|earlier| &earlier.proposed), same)?;
        Ok(admitted.then(|| AgreementEvent::AmendmentProposed { amendment_id: id.to_owned(), title: title.clone() }))
    }

    pub(super) fn accept(&self, id: &str, party: &str, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        let amendment = self.amendment(id)?;
        require_past(act)?;
        self.require_not_ended(act)?;
        let admitted = self.admits(amendment.accepted.get(party), true, act)?;
        let (amendment_id, party) = (id.to_owned(), party.to_owned());
        Ok(admitted.then_some(AgreementEvent::AmendmentAccepted { amendment_id, party }))
    }

    /// A view is a party's alone. The same view of the same day was declared before; every other one is a new view.
    pub(super) fn declare_view(&self, party: &str, view: BindingNature, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        require_past(act)?;
        let views = &self.parties[party].views;
        let earlier = views.iter().rfind(|(fact, earlier)| *earlier == view && fact.on == act.effective_on);
        let admitted = self.admits(earlier.map(|(fact, _)| fact), true, act)?;
        Ok(admitted.then(|| AgreementEvent::ViewDeclared { party: party.to_owned(), view }))
    }
}
