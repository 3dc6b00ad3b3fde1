//! A mistaken record is never edited: a second event says what is right, proposed by one person and confirmed by
//! another.

use std::mem;

use crate::{Act, Aggregate, Basis, Draft, Entry, History, PartialDate, Recorded};

/// What is right in the place of a mistaken record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction<E> {
    /// Version of the mistaken record in its stream.
    pub mistaken_version: u64,
    /// The right event, of the same kind.
    pub right: E,
    /// When it happened; `None`: as recorded.
    pub effective_on: Option<PartialDate>,
}

/// Why a correction is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError<E> {
    /// The stream has no such record.
    #[error("there is no record {version}")]
    NoSuchRecord {
        /// The version named.
        version: u64,
    },
    /// The record is itself about a correction.
    #[error("record {version} is about a correction")]
    NotAFact {
        /// The version named.
        version: u64,
    },
    /// The right event says something of another kind than the mistaken one.
    #[error("record {version} is an event of another kind")]
    OtherKind {
        /// The version named.
        version: u64,
    },
    /// There is no reason, and a correction needs one.
    #[error("a correction says why")]
    NoReason {
        /// The version named.
        version: u64,
    },
    /// The record was made by and for others.
    #[error("record {version} was made by another organisation")]
    NotYourRecord {
        /// The version named.
        version: u64,
    },
    /// The record to be confirmed is no open proposal.
    #[error("record {version} is no open proposal")]
    NoOpenProposal {
        /// The version named.
        version: u64,
    },
    /// The same person proposed it.
    #[error("the person who proposed it may not confirm it")]
    SamePerson,
    /// With the right event, a rule of the aggregate would be broken.
    #[error("a rule would be broken")]
    BreaksRule(#[source] E),
}

impl<A: Aggregate> History<A> {
    /// One person proposes what is right. Nothing changes yet.
    pub fn propose_correction(
        &self,
        correction: Correction<A::Event>,
        act: &Act,
    ) -> Result<Draft<Entry<A::Event>>, CorrectionError<A::Error>> {
        if act.reason.trim().is_empty() {
            return Err(CorrectionError::NoReason { version: correction.mistaken_version });
        }
        self.correctable(&correction, act)?;
        self.check_with(&correction)?;
        Ok(Draft { event: Entry::CorrectionProposed(correction), effective_on: act.effective_on })
    }

    /// A second person confirms the proposal of that version: the right event takes the mistaken one's place.
    pub fn confirm_correction(
        &self,
        proposal_version: u64,
        act: &Act,
    ) -> Result<Draft<Entry<A::Event>>, CorrectionError<A::Error>> {
        let proposal =
            self.recorded(proposal_version).ok_or(CorrectionError::NoSuchRecord { version: proposal_version })?;
        let Entry::CorrectionProposed(correction) = &proposal.event else {
            return Err(CorrectionError::NoOpenProposal { version: proposal_version });
        };
        let confirmed = self.entries().any(|entry| {
            matches!(entry.event, Entry::Corrected { proposal_version: confirmed, .. } if confirmed == proposal_version)
        });
        if confirmed {
            return Err(CorrectionError::NoOpenProposal { version: proposal_version });
        }
        if act.actor.is_same_person_as(&proposal.act.actor) {
            return Err(CorrectionError::SamePerson);
        }
        self.correctable(correction, act)?;
        self.check_with(correction)?;
        let event = Entry::Corrected { proposal_version, correction: correction.clone() };
        Ok(Draft { event, effective_on: act.effective_on })
    }

    fn correctable(&self, correction: &Correction<A::Event>, act: &Act) -> Result<(), CorrectionError<A::Error>> {
        let version = correction.mistaken_version;
        let mistaken = self.recorded(version).ok_or(CorrectionError::NoSuchRecord { version })?;
        let Entry::Fact(fact) = &mistaken.event else {
            return Err(CorrectionError::NotAFact { version });
        };
        if mem::discriminant(fact) != mem::discriminant(&correction.right) {
            return Err(CorrectionError::OtherKind { version });
        }
        let ours = |organisation: &str| organisation == act.actor.organisation;
        if act.basis != Basis::Act || !(ours(&mistaken.act.actor.organisation) || ours(&mistaken.act.on_behalf_of)) {
            return Err(CorrectionError::NotYourRecord { version });
        }
        Ok(())
    }

    /// The rules of the aggregate hold on the state that the correction brings about.
    fn check_with(&self, correction: &Correction<A::Event>) -> Result<(), CorrectionError<A::Error>> {
        self.corrected(correction).check().map_err(CorrectionError::BreaksRule)
    }

    /// The state that a correction would bring about.
    pub fn corrected(&self, correction: &Correction<A::Event>) -> A {
        let mut history = self.clone();
        if let Some(last) = self.entries().next_back() {
            history.push(Recorded {
                version: last.version + 1,
                event: Entry::Corrected { proposal_version: 0, correction: correction.clone() },
                ..last.clone()
            });
        }
        history.state().clone()
    }
}
