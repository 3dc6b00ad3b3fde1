//! How far an agreement has come, and how its parties see it.

use std::collections::BTreeSet;

use contracts::toguna::{
    oversight::v1::ChainAgreement,
    partnerships::{
        events::v1::{AgreementRegistered, BindingNature},
        v1::{AgreementNature, AgreementPhase},
    },
};

use crate::{Log, events::partnerships::Partnership, evidence::Evidence, record::Seen, view::LogView};

/// An agreement as it is known.
pub(crate) struct Agreement<'a> {
    name: &'a str,
    registered: Option<&'a AgreementRegistered>,
    /// What counts, in order of date, then of recording.
    history: Vec<Seen<'a, Partnership>>,
    /// Who confirms a record speaks of the record, whatever the day that is asked for.
    confirmations: Vec<Seen<'a, Partnership>>,
}

impl<'a> Agreement<'a> {
    pub fn seen(log: LogView<'a, Partnership>, name: &'a str) -> Self {
        let registered = log.known(name).find_map(|seen| match seen.fact() {
            Partnership::AgreementRegistered(event) => Some(event),
            _ => None,
        });
        let mut history: Vec<_> = log.counted(name).collect();
        history.sort_by_key(|seen| (seen.said.counts_from, seen.record.version));
        let confirms = |seen: &Seen<'a, _>| matches!(seen.fact(), Partnership::AgreementRecordConfirmed(_));
        Self { name, registered, history, confirmations: log.known(name).filter(confirms).collect() }
    }

    /// Whether parties declared different views of whether it binds.
    pub fn is_contested(&self) -> bool {
        self.nature() == AgreementNature::Contested
    }

    pub fn nature(&self) -> AgreementNature {
        let settled = |nature| match nature {
            BindingNature::Binding => AgreementNature::Binding,
            BindingNature::NonBinding => AgreementNature::NonBinding,
            BindingNature::Unspecified => AgreementNature::Unspecified,
        };
        let declared = self.registered.map_or(BindingNature::Unspecified, AgreementRegistered::declared_nature);
        self.history.iter().fold(settled(declared), |nature, seen| match seen.fact() {
            Partnership::AgreementNatureContested(_) => AgreementNature::Contested,
            Partnership::AgreementNatureSettled(event) => settled(event.nature()),
            _ => nature,
        })
    }

    pub fn phase(&self) -> AgreementPhase {
        if self.registered.is_none() {
            return AgreementPhase::Unspecified;
        }
        let mut reached = AgreementPhase::Registered;
        let mut provisionally = false;
        let mut ended = None;
        let mut suspended_by = BTreeSet::new();
        // A suspension is a party's own to say: others rely on that phase.
        let counts = |seen: &&Seen<'a, Partnership>| {
            let suspends = matches!(seen.fact(), Partnership::AgreementSuspended(_) | Partnership::AgreementResumed(_));
            !suspends || !self.is_hearsay(seen)
        };
        for seen in self.history.iter().filter(counts) {
            let to = match seen.fact() {
                Partnership::AgreementNegotiationOpened(_) => AgreementPhase::Negotiating,
                Partnership::AgreementTextInitialled(_) => AgreementPhase::Initialled,
                Partnership::AgreementTextAdopted(_) => AgreementPhase::Adopted,
                Partnership::AgreementSigned(_) | Partnership::AgreementConsentExpressed(_) => AgreementPhase::Signed,
                Partnership::AgreementEnteredIntoForce(_) => AgreementPhase::InForce,
                Partnership::AgreementProvisionallyApplied(_) => {
                    provisionally = true;
                    continue;
                }
                Partnership::AgreementProvisionalApplicationEnded(_) => {
                    provisionally = false;
                    continue;
                }
                Partnership::AgreementSuspended(event) => {
                    suspended_by.insert(event.party.as_str());
                    continue;
                }
                Partnership::AgreementResumed(event) => {
                    suspended_by.remove(event.party.as_str());
                    continue;
                }
                Partnership::AgreementTerminated(_) => {
                    ended = Some(AgreementPhase::Terminated);
                    continue;
                }
                Partnership::AgreementExpired(_) => {
                    ended = Some(AgreementPhase::Expired);
                    continue;
                }
                Partnership::AgreementSuperseded(_) => {
                    ended = Some(AgreementPhase::Superseded);
                    continue;
                }
                _ => continue,
            };
            // Later steps may bear earlier dates: a ratification after the entry into force takes nothing back.
            reached = reached.max(to);
        }
        match ended {
            Some(ended) => ended,
            None if !suspended_by.is_empty() => AgreementPhase::Suspended,
            None if provisionally && reached < AgreementPhase::InForce => AgreementPhase::ProvisionallyApplied,
            None => reached,
        }
    }

    /// Whether sources alone say it: nobody whose act it is has confirmed it, or not as it stands now.
    fn is_hearsay(&self, seen: &Seen<'a, Partnership>) -> bool {
        let confirms = |other: &Seen<'a, Partnership>| match other.fact() {
            Partnership::AgreementRecordConfirmed(event) => {
                event.confirmed_version == seen.record.version && other.said_since() > seen.said_since()
            }
            _ => false,
        };
        seen.is_from_source() && !self.confirmations.iter().any(confirms)
    }

    pub fn evidence(&self) -> Evidence {
        self.history.iter().map(|seen| Evidence::of(*seen, false)).collect()
    }

    pub fn report(&self, cited_by: Vec<String>) -> ChainAgreement {
        let mut records: Vec<_> = self.history.iter().map(|seen| seen.cited(Log::Partnerships)).collect();
        records.sort_by_key(|record| record.position);
        let registered = self.registered.cloned().unwrap_or_default();
        ChainAgreement {
            agreement: self.name.into(),
            title: registered.title,
            reference: registered.reference,
            form: registered.form,
            declared_nature: registered.declared_nature,
            phase: self.phase().into(),
            nature: self.nature().into(),
            cited_by,
            records,
        }
    }
}
