//! What a fund's committee decides: the ceiling that contracts draw on.

mod commands;
mod events;

use event_sourcing::{Act, Actor, Aggregate, Basis, Draft, Recorded};

pub use commands::{DecisionCommand, DecisionError};
pub use events::{DecisionEvent, Proposal, PublishedAmount};

use super::{
    authority::{self, AUTHORISING_OFFICER, COMMITTEE_CHAIR, COMMITTEE_MEMBER, FUND_MANAGER, SECRETARIAT},
    fund::{Constitution, Seat},
    mirror::{Line, Lines, Mirror},
    money::{Currency, Money, Total},
    publication::Published,
    standing::Citations,
};

/// Kind of the source that a proposal rests on.
pub const ACTION_DOCUMENT: &str = "action_document";
/// Kind of the source that an approval rests on.
pub const MINUTES: &str = "minutes";

/// A decision.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    proposal: Option<Proposal>,
    /// Who proposed it, or entered it from its publication.
    proposed_by: Option<Actor>,
    is_approved: bool,
    /// What is known from a source alone of what the committee did.
    publication: Published,
    approved: Total,
    topped_up: Total,
    decommitted: Total,
    draws: Mirror<Money>,
    published: Vec<PublishedAmount>,
}

/// On whose word a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// A publication's; the committee itself has not confirmed it.
    Published,
    /// The committee's own.
    Own,
}

impl Decision {
    /// What was proposed; refused where nothing was.
    pub fn proposal(&self) -> Result<&Proposal, DecisionError> {
        self.proposal.as_ref().ok_or(DecisionError::NotProposed)
    }

    /// On whose word it stands; `None`: it is not approved.
    pub fn approval(&self) -> Option<Approval> {
        let on_the_word_of = if self.publication.waits() { Approval::Published } else { Approval::Own };
        self.is_approved.then_some(on_the_word_of)
    }

    /// Approved at first.
    pub fn approved(&self) -> Money {
        self.approved.money()
    }

    /// Top-ups so far.
    pub fn topped_up(&self) -> Money {
        self.topped_up.money()
    }

    /// Its own de-commitments so far.
    pub fn decommitted(&self) -> Money {
        self.decommitted.money()
    }

    /// Approved, plus top-ups, less its own de-commitments.
    pub fn ceiling(&self) -> Money {
        let raised = self.approved.minor_units().saturating_add(self.topped_up.minor_units());
        Money::of(self.currency(), raised - self.decommitted.minor_units())
    }

    /// What contracts draw, net.
    pub fn contracted(&self) -> Money {
        self.draws.total(self.currency(), |_, _| true).money()
    }

    /// What contracts can still draw.
    pub fn available(&self) -> Money {
        Money::of(self.currency(), self.ceiling().minor_units() - self.contracted().minor_units())
    }

    /// What each contract draws, net, by name.
    pub fn draws(&self) -> Vec<(String, Money)> {
        let mut contracts: Vec<&str> = self.draws.lines().map(|(record, _)| record.stream.as_str()).collect();
        contracts.dedup();
        let net = |contract: &str| self.draws.total(self.currency(), |record, _| record.stream == contract).money();
        contracts.into_iter().map(|contract| (contract.to_owned(), net(contract))).collect()
    }

    /// What publications state, in the order of recording.
    pub fn published_amounts(&self) -> &[PublishedAmount] {
        &self.published
    }

    fn currency(&self) -> Currency {
        self.proposal.as_ref().map_or_else(Currency::default, |proposal| proposal.amount.currency())
    }

    fn propose(
        &self,
        proposal: &Proposal,
        fund: &Constitution,
        citations: &Citations,
        act: &Act,
    ) -> Result<DecisionEvent, DecisionError> {
        if self.proposal.is_some() {
            return Err(DecisionError::AlreadyProposed);
        }
        authority::act_of(&fund.trustee, FUND_MANAGER, &fund.trustee, act)?;
        if !has_source(act, ACTION_DOCUMENT) {
            return Err(DecisionError::ActionDocumentRequired);
        }
        if !fund.windows.iter().any(|window| window.code == proposal.window) {
            let (window, fund) = (proposal.window.clone(), proposal.fund.clone());
            return Err(DecisionError::WindowUnknown { window, fund });
        }
        proposal.amount.positive_in(fund.currency)?;
        citations.check_for_decision()?;
        Ok(DecisionEvent::Proposed(Box::new(proposal.clone())))
    }

    /// An act of the committee, by one of its voting members, on a minute of it.
    fn check_committee(&self, seat: Option<Seat>, act: &Act) -> Result<(), DecisionError> {
        let proposal = self.proposal()?;
        authority::in_role(&[COMMITTEE_MEMBER, COMMITTEE_CHAIR], &proposal.trustee, act)?;
        let organisation = act.on_behalf_of.clone();
        match seat {
            Some(Seat::Chair | Seat::Member) => {}
            Some(Seat::Observer) | None => {
                return Err(DecisionError::NotACommitteeMember { organisation, fund: proposal.fund.clone() });
            }
        }
        if proposal.implementers.contains(&organisation) {
            return Err(DecisionError::OwnRequest { organisation });
        }
        // Who enters a published minute approves nothing.
        let proposed = |proposer: &Actor| proposer.is_same_person_as(&act.actor);
        if act.basis == Basis::Act && self.proposed_by.as_ref().is_some_and(proposed) {
            return Err(DecisionError::SamePerson { earlier_role: FUND_MANAGER });
        }
        if has_source(act, MINUTES) { Ok(()) } else { Err(DecisionError::MinuteRequired) }
    }

    fn confirm(&self, seat: Option<Seat>, act: &Act) -> Result<Option<DecisionEvent>, DecisionError> {
        authority::own_act(act)?;
        self.check_committee(seat, act)?;
        let approval = self.approval().ok_or(DecisionError::NotApproved)?;
        if approval == Approval::Own {
            return Ok(None);
        }
        match self.publication.entered_as(act) {
            Some(earlier_role) => Err(DecisionError::SamePerson { earlier_role }),
            None => Ok(Some(DecisionEvent::ApprovalConfirmed)),
        }
    }

    fn check_approved(&self) -> Result<(), DecisionError> {
        if self.is_approved { Ok(()) } else { Err(DecisionError::NotApproved) }
    }

    fn decommit(&self, amount: Money, act: &Act) -> Result<DecisionEvent, DecisionError> {
        let proposal = self.proposal()?;
        authority::own_act_of(&proposal.trustee, AUTHORISING_OFFICER, act)?;
        self.check_approved()?;
        let (amount, available) = (amount.positive_in(self.currency())?, self.available());
        if amount.minor_units() > available.minor_units() {
            return Err(DecisionError::ExceedsReleasable { amount, available });
        }
        Ok(DecisionEvent::Decommitted { amount })
    }

    fn mirror_draws(&self, contract: &str, lines: &Lines<Money>) -> Result<Vec<Draft<DecisionEvent>>, DecisionError> {
        self.proposal()?;
        let differences = self.draws.differences(contract, lines);
        let (drawn, available) = (self.draws.shift(&differences), self.available());
        if drawn > 0 && drawn > available.minor_units() {
            return Err(DecisionError::ExceedsCeiling { share: Money::of(self.currency(), drawn), available });
        }
        let event = |(record, amount)| DecisionEvent::DrawSet { record, amount };
        Ok(differences.into_iter().map(|draft| draft.map(event)).collect())
    }

    fn note(&self, published: &PublishedAmount, act: &Act) -> Result<Option<DecisionEvent>, DecisionError> {
        self.proposal()?;
        authority::one_of(&[FUND_MANAGER, SECRETARIAT], act)?;
        if act.sources.is_empty() {
            return Err(DecisionError::SourceRequired);
        }
        let known = self.published.contains(published);
        Ok((!known).then(|| DecisionEvent::PublishedAmountNoted(published.clone())))
    }
}

fn has_source(act: &Act, kind: &str) -> bool {
    act.sources.iter().any(|source| source.kind == kind)
}

impl Aggregate for Decision {
    const CATEGORY: &'static str = "decisions";
    type Command = DecisionCommand;
    type Event = DecisionEvent;
    type Error = DecisionError;

    fn decide(&self, command: &DecisionCommand, act: &Act) -> Result<Vec<Draft<DecisionEvent>>, DecisionError> {
        let event = match command {
            DecisionCommand::Propose { proposal, fund, citations } => {
                Some(self.propose(proposal, fund, citations, act)?)
            }
            DecisionCommand::Approve { amount, seat } => {
                self.check_committee(*seat, act)?;
                if self.is_approved {
                    return Err(DecisionError::AlreadyApproved);
                }
                Some(DecisionEvent::Approved { amount: amount.positive_in(self.currency())? })
            }
            DecisionCommand::Confirm { seat } => self.confirm(*seat, act)?,
            DecisionCommand::TopUp { amount, seat } => {
                self.check_committee(*seat, act)?;
                self.check_approved()?;
                Some(DecisionEvent::ToppedUp { amount: amount.positive_in(self.currency())? })
            }
            DecisionCommand::Decommit { amount } => Some(self.decommit(*amount, act)?),
            DecisionCommand::MirrorDraws { contract, lines } => return self.mirror_draws(contract, lines),
            DecisionCommand::NotePublishedAmount(published) => self.note(published, act)?,
        };
        Ok(event.map(|event| act.draft(event)).into_iter().collect())
    }

    fn evolve(mut self, event: &Recorded<DecisionEvent>) -> Self {
        match &event.event {
            DecisionEvent::Proposed(proposal) => {
                let zero = Total::zero(proposal.amount.currency());
                (self.approved, self.topped_up, self.decommitted) = (zero, zero, zero);
                self.proposed_by = Some(event.act.actor.clone());
                self.proposal = Some(Proposal::clone(proposal));
            }
            DecisionEvent::Approved { amount } => {
                self.approved.add(*amount);
                self.is_approved = true;
                self.publication.note(event);
            }
            DecisionEvent::ApprovalConfirmed => self.publication.confirm(event.version),
            DecisionEvent::ToppedUp { amount } => {
                self.topped_up.add(*amount);
                self.publication.note(event);
            }
            DecisionEvent::Decommitted { amount } => self.decommitted.add(*amount),
            DecisionEvent::DrawSet { record, amount } => {
                self.draws.set(record.clone(), Line { value: *amount, effective_on: event.effective_on });
            }
            DecisionEvent::PublishedAmountNoted(published) => self.published.push(published.clone()),
        }
        self
    }

    fn check(&self) -> Result<(), DecisionError> {
        let proposal = self.proposal()?;
        proposal.amount.positive_in(self.currency())?;
        for total in [self.approved, self.topped_up, self.decommitted] {
            total.check()?;
        }
        if self.available().minor_units() < 0 {
            return Err(DecisionError::ExceedsCeiling { share: self.contracted(), available: self.ceiling() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
