//! Which event a command brings, or why it is refused. What follows from it is decided in [`outcomes`](super::outcomes).

mod consent;
mod course;
mod outcome;

use event_sourcing::{Act, Basis, Draft};

use super::{
    commands::AgreementCommand,
    error::AgreementError,
    events::{AgreementEvent, Registration},
    state::Instrument,
};
use crate::domain::{
    act::{
        ActError, DEPOSITARY, FOCAL_POINT, REGISTRARS, SECRETARIAT, SIGNATORY, require_past, require_role,
        require_role_of,
    },
    fact::Fact,
};

/// Who enters agreements in the register and describes them.
pub(super) const DESCRIBERS: &[&str] = &[SECRETARIAT, FOCAL_POINT, SIGNATORY];
/// Who has full powers to consent (rule A2).
pub(super) const FULL_POWERS: &[&str] = &[SIGNATORY];

/// `None`: the command had its effect before.
type Decided = Result<Option<AgreementEvent>, AgreementError>;

/// Enters an agreement in the register, where there is none of that name.
pub(super) fn register(
    known: Option<&Instrument>,
    registration: &Registration,
    act: &Act,
) -> Result<Vec<Draft<AgreementEvent>>, AgreementError> {
    require_role(act, DESCRIBERS)?;
    registration.check()?;
    match known {
        None => Ok(vec![act.draft(AgreementEvent::Registered(Box::new(registration.clone())))]),
        Some(instrument) if instrument.registration == *registration => Ok(Vec::new()),
        Some(_) => Err(AgreementError::AlreadyRegistered),
    }
}

impl Instrument {
    /// The event that the command itself brings.
    pub(super) fn decide(&self, command: &AgreementCommand, act: &Act) -> Decided {
        use AgreementCommand as Command;
        match command {
            Command::Register(_) => Err(AgreementError::AlreadyRegistered),
            Command::OpenNegotiation => self.stage(self.negotiation_opened, AgreementEvent::NegotiationOpened, act),
            Command::InitialText => self.stage(self.text_initialled, AgreementEvent::TextInitialled, act),
            Command::AdoptText => self.stage(self.text_adopted, AgreementEvent::TextAdopted, act),
            Command::Sign { party, kind } => self.sign(party, *kind, act),
            Command::Authorise { party, legal_basis } => self.authorise(party, legal_basis.as_ref(), act),
            Command::ExpressConsent { party, kind, delivery } => self.consent(party, *kind, *delivery, act),
            Command::RecordEntryIntoForce => self.state_entry_into_force(act),
            Command::ApplyProvisionally => self.apply_provisionally(act),
            Command::EndProvisionalApplication => self.end_provisional_application(act),
            Command::Publish { party, reference } => self.publish(party, reference, act),
            Command::RecordObligation(obligation) => self.oblige(obligation, act),
            Command::ProposeAmendment { amendment_id, title } => self.propose(amendment_id, title, act),
            Command::AcceptAmendment { amendment_id, party } => self.accept(amendment_id, party, act),
            Command::RecordAmendmentEffect { amendment_id, parties } => self.state_effect(amendment_id, parties, act),
            Command::Suspend { party } => self.suspend(party, act),
            Command::Resume { party } => self.resume(party, act),
            Command::Denounce { party, takes_effect_on } => self.denounce(party, *takes_effect_on, act),
            Command::AgreeTermination { party } => self.agree_termination(party, act),
            Command::RecordTermination(cause) => self.state_termination(cause, act),
            Command::RecordExpiry => self.state_end(AgreementEvent::Expired, act),
            Command::RecordSupersession { by } => self.state_end(AgreementEvent::Superseded { by: by.clone() }, act),
            Command::DeclareView { party, view } => self.declare_view(party, *view, act),
            Command::ConfirmRecord { version } => {
                let Some(confirmation) = self.records.confirmation(*version, act)? else { return Ok(None) };
                let mut confirmed = self.clone();
                confirmed.records.confirm(&confirmation);
                confirmed.check()?;
                Ok(Some(AgreementEvent::RecordConfirmed(Box::new(confirmation))))
            }
            Command::DrawConsequences => Ok(None),
        }
    }

    /// The party acts, or its act is recorded from a source, or the depositary records what it received from the party.
    fn require_act_of(&self, party: &str, act: &Act, own: &'static [&'static str]) -> Result<(), AgreementError> {
        if !self.parties.contains_key(party) {
            return Err(AgreementError::NotAParty { organisation: party.to_owned() });
        }
        self.require_acting_for(party, act, own)
    }

    fn require_acting_for(&self, party: &str, act: &Act, own: &'static [&'static str]) -> Result<(), AgreementError> {
        if act.on_behalf_of == party {
            return Ok(require_role_of(act, own)?);
        }
        match &self.registration.depositary {
            Some(depositary) if act.is_own_act_of(depositary) => Ok(require_role(act, &[DEPOSITARY])?),
            Some(_) | None => {
                let (organisation, on_behalf_of) = (act.on_behalf_of.clone(), party.to_owned());
                Err(ActError::ActsForAnother { organisation, on_behalf_of }.into())
            }
        }
    }

    /// What no single party does: the registrars, a party or the depositary may record it.
    fn require_describer(&self, act: &Act) -> Result<(), AgreementError> {
        if require_role(act, REGISTRARS).is_ok() {
            return Ok(());
        }
        require_role(act, DESCRIBERS)?;
        self.require_concerned(&act.on_behalf_of)
    }

    fn require_concerned(&self, organisation: &str) -> Result<(), AgreementError> {
        let depositary = self.registration.depositary.as_deref() == Some(organisation);
        if depositary || self.parties.contains_key(organisation) {
            return Ok(());
        }
        Err(AgreementError::NotAParty { organisation: organisation.to_owned() })
    }

    /// The agreement has not ended by the act's date, for all that its parties or its depositary said themselves. An act of unknown date may have come before the end.
    fn require_not_ended(&self, act: &Act) -> Result<(), AgreementError> {
        match (self.ended(), act.effective_on) {
            (Some((end, _)), Some(on)) if on.earliest() > end.counts_from() => {
                Err(AgreementError::Ended { on: end.on.unwrap_or_else(|| end.counts_from().into()) })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Whether something is recorded once more: an organisation's own word may follow a source's. The same again had
    /// its effect before; something else is a correction.
    fn admits(&self, earlier: Option<&Fact>, same: bool, act: &Act) -> Result<bool, AgreementError> {
        match earlier {
            None => Ok(true),
            Some(fact) if act.basis == Basis::Act && !self.records.counts(fact) => Ok(true),
            Some(fact) if same && fact.on == act.effective_on => Ok(false),
            Some(fact) => Err(AgreementError::AlreadyRecorded { version: fact.version }),
        }
    }

    /// Something that happens once on the way to an agreement.
    fn stage(&self, earlier: Option<Fact>, event: AgreementEvent, act: &Act) -> Decided {
        self.require_describer(act)?;
        require_past(act)?;
        self.require_not_ended(act)?;
        Ok(self.admits(earlier.as_ref(), true, act)?.then_some(event))
    }
}
