//! What the register decides by itself, after each act: entry into force, the effect of amendments, the end of an
//! agreement, whether its nature is contested.
//!
//! What counts: an entry into force, an amendment and an end bind or release parties, so they follow from the parties'
//! own acts alone (see [`fact`](crate::domain::fact)). Where sources report such an outcome, it is recorded as they
//! state it. That the nature is contested binds and releases nobody: it says that published views differ and flags what
//! rests on the agreement, so views that sources report count for it, and a party's own view goes before them.
//!
//! What is decided once stays: a consent recorded later does not move the entry into force (rule A3).

use event_sourcing::{Date, Draft, PartialDate};

use super::{
    events::{AgreementEvent, BindingNature, Ground, TerminationCause},
    state::{Amendment, Instrument, Nature},
    terms::{AmendmentRule, Since, latest, nth},
};
use crate::domain::fact::Fact;

impl Instrument {
    /// The next thing that follows from the acts so far and has not been recorded yet.
    pub(super) fn outcome(&self) -> Option<Draft<AgreementEvent>> {
        self.entry_into_force()
            .or_else(|| self.amendments.iter().find_map(|amendment| self.effect_of(amendment)))
            .or_else(|| self.end_of_notice())
            .or_else(|| self.agreed_end())
            .or_else(|| self.nature_now())
    }

    fn entry_into_force(&self) -> Option<Draft<AgreementEvent>> {
        if self.in_force.is_some() || self.ended().is_some() {
            return None;
        }
        let rule = &self.registration.terms.entry_into_force;
        let Since(effective_on) = rule.met(&self.remaining_parties(), &self.consents())?;
        Some(Draft { event: AgreementEvent::EnteredIntoForce { ground: Ground::Rule }, effective_on })
    }

    fn effect_of(&self, amendment: &Amendment) -> Option<Draft<AgreementEvent>> {
        let accepted = amendment.accepted(&self.records);
        let remaining = self.remaining_parties();
        let all_are_bound = remaining.iter().all(|party| amendment.binds.contains_key(*party));
        if self.ended().is_some() || all_are_bound {
            return None;
        }
        let (parties, Since(effective_on)): (Vec<&str>, _) = match self.registration.terms.amendment {
            AmendmentRule::AllParties => {
                let dates: Option<Vec<_>> = remaining.iter().map(|party| accepted.get(party).copied()).collect();
                (remaining, latest(dates?))
            }
            AmendmentRule::AcceptingParties => {
                if amendment.binds.is_empty() && accepted.len() < 2 {
                    return None;
                }
                let newly = accepted.iter().filter(|(party, _)| !amendment.binds.contains_key(**party));
                let (parties, dates): (Vec<_>, Vec<_>) = newly.map(|(party, on)| (*party, *on)).unzip();
                if parties.is_empty() {
                    return None;
                }
                (parties, latest(dates))
            }
            AmendmentRule::AllAfterAcceptances(count) => (remaining, nth(accepted.into_values().collect(), count)?),
        };
        let newly = parties.into_iter().filter(|party| !amendment.binds.contains_key(*party));
        let event = AgreementEvent::Amended {
            amendment_id: amendment.id.clone(),
            parties: newly.map(str::to_owned).collect(),
            ground: Ground::Rule,
        };
        Some(Draft { event, effective_on })
    }

    /// A denunciation that its party made or confirmed has its effect at the end of the notice: the party leaves, and
    /// where fewer than two remain there is no agreement left.
    fn end_of_notice(&self) -> Option<Draft<AgreementEvent>> {
        if self.ended().is_some() {
            return None;
        }
        let (name, denunciation) = self.parties.iter().find_map(|(name, party)| {
            let denunciation = party.denunciation.as_ref()?;
            let open = denunciation.withdrew.is_none() && self.records.counts(&denunciation.notified);
            (open && self.may_end_on(denunciation.takes_effect_on)).then_some((name, denunciation))
        })?;
        let others = self.remaining_parties().into_iter().filter(|party| party != name).count();
        let event = if others < 2 {
            let cause = TerminationCause::Denunciation { by: name.clone() };
            AgreementEvent::Terminated { cause, ground: Ground::Rule }
        } else {
            AgreementEvent::PartyWithdrew { party: name.clone() }
        };
        Some(Draft::on(event, denunciation.takes_effect_on))
    }

    fn agreed_end(&self) -> Option<Draft<AgreementEvent>> {
        let agreed = |name: &&str| {
            let fact = self.parties.get(*name)?.termination_agreed?;
            self.records.counts(&fact).then_some(fact)
        };
        let agreed: Option<Vec<Fact>> = self.remaining_parties().iter().map(agreed).collect();
        let last = agreed?.into_iter().max()?;
        let earlier_end = self.ended().is_some_and(|(end, _)| end.counts_from() <= last.counts_from());
        let event = AgreementEvent::Terminated { cause: TerminationCause::Consent, ground: Ground::Rule };
        let ends = !earlier_end && self.may_end_on(last.counts_from());
        ends.then_some(Draft { event, effective_on: last.on })
    }

    /// What only came to be in force later did not end before. A source that says otherwise is to be corrected.
    pub(super) fn may_end_on(&self, day: Date) -> bool {
        self.in_force.as_ref().is_none_or(|(fact, _)| fact.may_be_by(day))
    }

    fn nature_now(&self) -> Option<Draft<AgreementEvent>> {
        let views: Vec<(&String, Fact, BindingNature)> = self
            .parties
            .iter()
            .filter_map(|(name, party)| party.view(&self.records).map(|(since, view)| (name, since, view)))
            .collect();
        let first = |wanted| views.iter().filter(|(.., view)| *view == wanted).map(|(_, since, _)| *since).min();
        match (self.nature, first(BindingNature::Binding), first(BindingNature::NonBinding)) {
            // Contested from the day on which the second of two different views stood.
            (Nature::Agreed(_), Some(binding), Some(non_binding)) => {
                let views = views.iter().map(|(party, _, view)| ((*party).clone(), *view)).collect();
                let effective_on = binding.max(non_binding).on;
                Some(Draft { event: AgreementEvent::NatureContested { views }, effective_on })
            }
            (Nature::Contested, None, _) | (Nature::Contested, _, None) => {
                let last = views.iter().map(|(_, since, view)| (*since, *view)).max_by_key(|(since, _)| *since);
                let nature = last.map_or(self.registration.declared_nature, |(_, view)| view);
                let effective_on: Option<PartialDate> = last.and_then(|(since, _)| since.on);
                Some(Draft { event: AgreementEvent::NatureSettled { nature }, effective_on })
            }
            (Nature::Agreed(_), None, _) | (Nature::Agreed(_), _, None) | (Nature::Contested, Some(_), Some(_)) => None,
        }
    }
}
