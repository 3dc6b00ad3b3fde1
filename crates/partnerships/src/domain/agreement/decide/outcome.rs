//! Outcomes that the depositary or a published source states, where the register does not decide them by a rule.

use event_sourcing::{Act, Basis};

use super::{Decided, course::require_order};
use crate::domain::{
    act::{DEPOSITARY, RECORDERS, require_role},
    agreement::{
        error::AgreementError,
        events::{AgreementEvent, Ground, TerminationCause},
        state::{End, Instrument},
    },
};

impl Instrument {
    fn require_statement(&self, act: &Act) -> Result<(), AgreementError> {
        match (act.basis, &self.registration.depositary) {
            (Basis::RecordedFromSource, _) => {
                require_role(act, RECORDERS)?;
                self.require_concerned(&act.on_behalf_of)
            }
            (Basis::Act, Some(depositary)) if act.on_behalf_of == *depositary => Ok(require_role(act, &[DEPOSITARY])?),
            (Basis::Act, _) => Err(AgreementError::StatedByDepositaryOrSource),
        }
    }

    /// The day is the instrument's, not that of any consent: it may lie before consents that are still to come.
    pub(super) fn state_entry_into_force(&self, act: &Act) -> Decided {
        self.require_statement(act)?;
        self.require_not_ended(act)?;
        let admitted = self.admits(self.in_force.as_ref().map(|(fact, _)| fact), true, act)?;
        Ok(admitted.then_some(AgreementEvent::EnteredIntoForce { ground: Ground::Stated }))
    }

    pub(super) fn state_effect(&self, id: &str, parties: &[String], act: &Act) -> Decided {
        self.require_statement(act)?;
        let amendment = self.amendment(id)?;
        let all = || self.remaining_parties().into_iter().map(str::to_owned).collect();
        let stated: Vec<String> = if parties.is_empty() { all() } else { parties.to_vec() };
        for party in &stated {
            self.require_party(party)?;
        }
        let parties: Vec<_> = stated.into_iter().filter(|party| !amendment.binds.contains_key(party)).collect();
        let amendment_id = id.to_owned();
        let event = AgreementEvent::Amended { amendment_id, ground: Ground::Stated, parties: parties.clone() };
        Ok((!parties.is_empty()).then_some(event))
    }

    pub(super) fn state_termination(&self, cause: &TerminationCause, act: &Act) -> Decided {
        if let TerminationCause::Denunciation { by } = cause {
            self.require_party(by)?;
        }
        self.state_end(AgreementEvent::Terminated { cause: cause.clone(), ground: Ground::Stated }, act)
    }

    /// An earlier end takes the place of one that is still to come; a later one finds the agreement ended.
    pub(super) fn state_end(&self, event: AgreementEvent, act: &Act) -> Decided {
        self.require_statement(act)?;
        require_order(self.in_force.as_ref().and_then(|(fact, _)| fact.on), act.effective_on)?;
        let Some((fact, end)) = self.end() else { return Ok(Some(event)) };
        let same = match (end, &event) {
            (End::Terminated { cause, .. }, AgreementEvent::Terminated { cause: stated, .. }) => cause == stated,
            (End::Superseded { by }, AgreementEvent::Superseded { by: stated }) => by == stated,
            (End::Expired, AgreementEvent::Expired) => true,
            (End::Terminated { .. } | End::Superseded { .. } | End::Expired, _) => false,
        };
        match act.effective_on {
            Some(on) if on.latest() < fact.counts_from() => Ok(Some(event)),
            Some(_) | None => Ok(self.admits(Some(fact), same, act)?.then_some(event)),
        }
    }
}
