//! What happens to an agreement between its text and its end.

use event_sourcing::{Act, Basis, Date, PartialDate};

use super::{DESCRIBERS, Decided, FULL_POWERS};
use crate::domain::{
    act::{ActError, require_date, require_past},
    agreement::{
        error::AgreementError,
        events::{AgreementEvent, Obligation},
        state::Instrument,
        terms::months_later,
    },
    fact::Fact,
};

impl Instrument {
    pub(super) fn apply_provisionally(&self, act: &Act) -> Decided {
        let since = self.provisional_application.map(|span| span.start);
        self.stage(since, AgreementEvent::ProvisionallyApplied, act)
    }

    pub(super) fn end_provisional_application(&self, act: &Act) -> Decided {
        self.require_describer(act)?;
        let span = self.provisional_application.ok_or(AgreementError::NotInOperation)?;
        require_order(span.start.on, act.effective_on)?;
        Ok(self.admits(span.end.as_ref(), true, act)?.then_some(AgreementEvent::ProvisionalApplicationEnded))
    }

    /// A party may publish a text several times; the same publication once.
    pub(super) fn publish(&self, party: &str, reference: &str, act: &Act) -> Decided {
        self.require_act_of(party, act, DESCRIBERS)?;
        require_past(act)?;
        let known = self.publications.iter().find(|known| known.party == party && known.reference == reference);
        let admitted = self.admits(known.map(|known| &known.fact), true, act)?;
        let (party, reference) = (party.to_owned(), reference.to_owned());
        Ok(admitted.then_some(AgreementEvent::Published { party, reference }))
    }

    pub(super) fn oblige(&self, obligation: &Obligation, act: &Act) -> Decided {
        self.require_describer(act)?;
        for party in &obligation.obliged_parties {
            self.require_party(party)?;
        }
        let known = self.obligations.iter().find(|(_, known)| known.id == obligation.id);
        let same = known.is_some_and(|(_, known)| known == obligation);
        let admitted = Self::admits_described(known.map(|(fact, _)| fact), same)?;
        Ok(admitted.then(|| AgreementEvent::ObligationRecorded(obligation.clone())))
    }

    /// Suspended is what operates; a later suspension of the same party waits until it has applied it again.
    pub(super) fn suspend(&self, party: &str, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        let on = require_date(act)?;
        self.require_not_ended(act)?;
        if !self.may_operate_on(on.latest()) {
            return Err(AgreementError::NotInOperation);
        }
        let party = party.to_owned();
        match self.parties[&party].suspension().map(|span| span.start) {
            Some(since) if act.basis == Basis::Act && !self.records.counts(&since) => {}
            Some(since) if since.on == Some(on) => return Ok(None),
            Some(since) => return Err(AgreementError::AlreadySuspended { party, since: known_day(&since) }),
            None => {}
        }
        Ok(Some(AgreementEvent::Suspended { party }))
    }

    /// A party that suspended by its own act consents to apply the agreement again, and no source consents for it.
    pub(super) fn resume(&self, party: &str, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        let on = require_date(act)?;
        let spans = &self.parties[party].suspensions;
        if spans.last().is_some_and(|span| span.end.is_some_and(|end| end.on == Some(on))) {
            return Ok(None);
        }
        let open = self.parties[party].suspension();
        let since = open.ok_or_else(|| AgreementError::NotSuspended { party: party.to_owned() })?.start;
        if act.basis == Basis::RecordedFromSource && self.records.counts(&since) {
            return Err(ActError::OwnActRequired { organisation: party.to_owned() }.into());
        }
        require_order(since.on, Some(on))?;
        let others = self.parties.iter().filter(|(name, other)| *name != party && other.is_suspended(&self.records));
        let still_suspended_by = others.map(|(name, _)| name.clone()).collect();
        Ok(Some(AgreementEvent::Resumed { party: party.to_owned(), still_suspended_by }))
    }

    /// Notice counts from the last day that the act's date may mean (rule A5).
    pub(super) fn denounce(&self, party: &str, takes_effect_on: Option<Date>, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        let on = require_date(act)?;
        require_past(act)?;
        self.require_not_ended(act)?;
        if !self.may_operate_on(on.latest()) {
            return Err(AgreementError::NotInOperation);
        }
        let months = self.registration.terms.denunciation_notice_months;
        let earliest = months_later(on.latest(), months).unwrap_or(Date::MAX);
        let takes_effect_on = takes_effect_on.unwrap_or(earliest);
        if takes_effect_on < earliest {
            return Err(AgreementError::NoticeTooShort { months, earliest });
        }
        let party = party.to_owned();
        match &self.parties[&party].denunciation {
            Some(known) if act.basis == Basis::Act && !self.records.counts(&known.notified) => {}
            Some(known) if known.notified.on == Some(on) && known.takes_effect_on == takes_effect_on => {
                return Ok(None);
            }
            Some(_) => return Err(AgreementError::AlreadyDenounced { party }),
            None => {}
        }
        Ok(Some(AgreementEvent::Denounced { party, takes_effect_on }))
    }

    pub(super) fn agree_termination(&self, party: &str, act: &Act) -> Decided {
        self.require_act_of(party, act, FULL_POWERS)?;
        let on = require_date(act)?;
        self.require_not_ended(act)?;
        require_order(self.in_force.as_ref().and_then(|(fact, _)| fact.on), Some(on))?;
        let admitted = self.admits(self.parties[party].termination_agreed.as_ref(), true, act)?;
        Ok(admitted.then(|| AgreementEvent::TerminationAgreed { party: party.to_owned() }))
    }

    /// What describes the text is recorded once under its id, whoever reads it.
    pub(super) fn admits_described(earlier: Option<&Fact>, same: bool) -> Result<bool, AgreementError> {
        match earlier {
            None => Ok(true),
            Some(_) if same => Ok(false),
            Some(fact) => Err(AgreementError::AlreadyRecorded { version: fact.version }),
        }
    }

    pub(super) fn require_party(&self, party: &str) -> Result<(), AgreementError> {
        if self.parties.contains_key(party) {
            return Ok(());
        }
        Err(AgreementError::NotAParty { organisation: party.to_owned() })
    }
}

/// An end lies before its beginning only where it does so whatever their dates may mean.
pub(super) fn require_order(beginning: Option<PartialDate>, end: Option<PartialDate>) -> Result<(), AgreementError> {
    match (beginning, end) {
        (Some(beginning), Some(end)) if end.latest() < beginning.earliest() => {
            Err(AgreementError::EndsBeforeItBegan { beginning, end })
        }
        (Some(_) | None, _) => Ok(()),
    }
}

fn known_day(fact: &Fact) -> PartialDate {
    fact.on.unwrap_or_else(|| fact.counts_from().into())
}
