//! What partners carry out: projects and policies.

use contracts::toguna::{
    commitments::{
        events::v1::{InitiativeDescription, InitiativeRegistered, InitiativeStatus, PlanItemReference},
        v1::{Confirmation, Verification},
    },
    oversight::v1::ScoredInitiative,
};

use crate::{events::commitments::Commitment, evidence::Evidence, view::LogView};

/// An initiative as of a day.
pub(crate) struct InitiativeState<'a> {
    pub name: &'a str,
    pub description: Option<&'a InitiativeDescription>,
    pub evidence: Evidence,
    registered: &'a InitiativeRegistered,
    confirmation: Confirmation,
    verification: Verification,
    status: InitiativeStatus,
}

impl<'a> InitiativeState<'a> {
    /// `None`: it was not registered as of that day.
    pub fn seen(log: LogView<'a, Commitment>, name: &'a str) -> Option<Self> {
        let registration = log.counted(name).find_map(|seen| match seen.fact() {
            Commitment::InitiativeRegistered(event) => Some((event, seen)),
            _ => None,
        });
        let (registered, _) = registration?;
        let confirmed = Self::is_confirmed(log, name);
        let mut state = Self {
            name,
            description: registered.description.as_ref(),
            evidence: Evidence::default(),
            registered,
            confirmation: if confirmed { Confirmation::Confirmed } else { Confirmation::Unconfirmed },
            verification: Verification::Pending,
            status: InitiativeStatus::Unspecified,
        };
        let (mut status_since, mut described_since) = (None, 0);
        for seen in log.counted(name) {
            state.evidence.add(seen, confirmed);
            match seen.fact() {
                Commitment::InitiativeRegistered(_) => described_since = described_since.max(seen.said_since()),
                Commitment::InitiativeRevised(event) => {
                    state.description = event.description.as_ref();
                    state.verification = Verification::Pending;
                    described_since = described_since.max(seen.said_since());
                }
                // What was corrected since is not what was verified.
                Commitment::InitiativeVerified(_) if seen.record.recorded.position > described_since => {
                    state.verification = Verification::Verified;
                }
                Commitment::InitiativeReturned(_) => state.verification = Verification::Returned,
                Commitment::InitiativeStatusRecorded(event) if Some(seen.said.counts_from) >= status_since => {
                    status_since = Some(seen.said.counts_from);
                    state.status = event.status();
                }
                _ => {}
            }
        }
        Some(state)
    }

    /// Whether whoever is responsible stands behind all that others read of it.
    fn is_confirmed(log: LogView<'a, Commitment>, name: &'a str) -> bool {
        let (mut published, mut confirmed) = (0, 0);
        for seen in log.known(name) {
            match seen.fact() {
                Commitment::InitiativeRegistered(_) | Commitment::InitiativeRevised(_) if seen.is_from_source() => {
                    published = published.max(seen.said_since());
                }
                Commitment::InitiativeConfirmed(_) => confirmed = confirmed.max(seen.record.recorded.position),
                _ => {}
            }
        }
        confirmed >= published
    }

    /// The plan items that it serves.
    pub fn serves(&self) -> impl Iterator<Item = &'a PlanItemReference> + use<'a> {
        self.description.into_iter().flat_map(|description| &description.serves)
    }

    pub fn report(&self) -> ScoredInitiative {
        ScoredInitiative {
            initiative: self.name.into(),
            r#type: self.registered.r#type,
            responsible: self.registered.responsible.clone(),
            title: self.description.and_then(|description| description.title.clone()),
            status: self.status.into(),
            confirmation: self.confirmation.into(),
            verification: self.verification.into(),
            certainty: self.evidence.certainty().into(),
        }
    }
}
