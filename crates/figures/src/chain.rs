//! What a contract rests on and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use contracts::toguna::{
    disbursements::{
        events::v1::{ContractSigned, PaymentDisbursed, PaymentRequested},
        v1::ContractState,
    },
    oversight::v1 as pb,
    r#type::v1::Period,
};

use crate::{
    Clocks, Facts, Log, TooLarge,
    agreement::Agreement,
    amounts::Amounts,
    commitment::CommitmentState,
    events::disbursements::Disbursement,
    evidence::Evidence,
    initiative::InitiativeState,
    measurement::measured,
    money::{derived, parity},
    portfolio::{proposed, signed},
    record::Seen,
    view::View,
};

/// What is cited, and by what.
type Citations<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The chain of a contract; `None`: the contract is not known.
pub fn contract_chain(facts: &Facts, contract: &str, clocks: Clocks) -> Result<Option<pb::ContractChain>, TooLarge> {
    let view = View::new(facts, clocks);
    let Some(signed) = signed(view.disbursements, contract) else { return Ok(None) };
    let payments: Vec<_> = payments(&view, contract).collect();
    let commitments = commitments(&view, contract, signed);
    let agreements = agreements(&view, contract, signed, &commitments);
    let measured = measurements(&view, contract, &commitments);

    let mut evidence = evidence_of(&view, [contract, &signed.decision], &payments);
    evidence.extend(agreements.iter().map(|(agreement, _)| agreement.evidence()));
    evidence.extend(commitments.iter().map(CitedCommitment::evidence));
    evidence.extend(measured.iter().map(|(_, evidence)| evidence.clone()));
    Ok(Some(pb::ContractChain {
        standpoint: Some(view.standpoint(&evidence)),
        agreements: agreements.iter().map(|(agreement, cited_by)| agreement.report(names(cited_by))).collect(),
        commitments: commitments.iter().map(|commitment| commitment.report(&view)).collect(),
        decision: decision_link(&view, &signed.decision)?,
        contract: Some(contract_link(&view, contract, signed, &payments)?),
        payments: payments.into_iter().map(|paid| paid.report()).collect::<Result<_, _>>()?,
        measurements: measured.into_iter().map(|(measurement, _)| measurement).collect(),
        parity: Some(parity()),
    }))
}

fn names(names: &BTreeSet<&str>) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn evidence_of(view: &View<'_>, streams: [&str; 2], payments: &[Paid<'_>]) -> Evidence {
    let counted = streams.into_iter().flat_map(|stream| view.disbursements.counted(stream));
    counted.chain(payments.iter().map(|paid| paid.seen)).map(|seen| Evidence::of(seen, false)).collect()
}

/// A commitment that the contract or its decision cites, known to its log or not.
struct CitedCommitment<'a> {
    name: &'a str,
    cited_by: BTreeSet<&'a str>,
    state: Option<CommitmentState<'a>>,
}

fn commitments<'a>(view: &View<'a>, contract: &'a str, signed: &'a ContractSigned) -> Vec<CitedCommitment<'a>> {
    let mut cited = Citations::new();
    let by_decision = proposed(view.disbursements, &signed.decision).map(|decision| &decision.commitments);
    for name in by_decision.into_iter().flatten() {
        cited.entry(name).or_default().insert(&signed.decision);
    }
    for name in &signed.commitments {
        cited.entry(name).or_default().insert(contract);
    }
    let seen =
        |(name, cited_by)| CitedCommitment { name, cited_by, state: CommitmentState::seen(view.commitments, name) };
    cited.into_iter().map(seen).collect()
}

impl<'a> CitedCommitment<'a> {
    fn evidence(&self) -> Evidence {
        self.state.as_ref().map(|state| state.evidence.clone()).unwrap_or_default()
    }

    fn report(&self, view: &View<'a>) -> pb::ChainCommitment {
        let named = pb::ChainCommitment {
            commitment: self.name.into(),
            cited_by: names(&self.cited_by),
            ..pb::ChainCommitment::default()
        };
        let Some(state) = &self.state else { return named };
        pb::ChainCommitment {
            owner: state.declared.owner.clone(),
            answers: state.answers.cloned(),
            text: state.declared.text.clone(),
            status: state.status().into(),
            confirmation: state.confirmation.into(),
            contested: state.is_contested(view),
            records: view.commitments.counted(self.name).map(|seen| seen.cited(Log::Commitments)).collect(),
            ..named
        }
    }
}

/// The agreements that the contract, its decision or their commitments cite, and by which of them.
fn agreements<'a>(
    view: &View<'a>,
    contract: &'a str,
    signed: &'a ContractSigned,
    commitments: &[CitedCommitment<'a>],
) -> Vec<(Agreement<'a>, BTreeSet<&'a str>)> {
    let mut cited = Citations::new();
    let by_decision = proposed(view.disbursements, &signed.decision).map(|decision| &decision.agreements);
    for name in by_decision.into_iter().flatten() {
        cited.entry(name).or_default().insert(&signed.decision);
    }
    for name in &signed.agreements {
        cited.entry(name).or_default().insert(contract);
    }
    for state in commitments.iter().filter_map(|commitment| commitment.state.as_ref()) {
        for name in &state.agreements {
            cited.entry(name).or_default().insert(state.name);
        }
    }
    cited.into_iter().map(|(name, cited_by)| (Agreement::seen(view.partnerships, name), cited_by)).collect()
}

fn decision_link(view: &View<'_>, decision: &str) -> Result<Option<pb::ChainDecision>, TooLarge> {
    let Some(proposed) = proposed(view.disbursements, decision) else { return Ok(None) };
    let (amounts, _) = Amounts::decided(view.disbursements, decision);
    Ok(Some(pb::ChainDecision {
        decision: decision.into(),
        fund: proposed.fund.clone(),
        reference: proposed.reference.clone(),
        title: proposed.title.clone(),
        country_codes: proposed.country_codes.clone(),
        decided_gross: Some(amounts.decided_gross().figure()?),
        decided_net: Some(amounts.decided_net().figure()?),
        records: view.disbursements.counted(decision).map(|seen| seen.cited(Log::Disbursements)).collect(),
    }))
}

fn contract_link(
    view: &View<'_>,
    contract: &str,
    signed: &ContractSigned,
    payments: &[Paid<'_>],
) -> Result<pb::ChainContract, TooLarge> {
    let mut amounts = Amounts::contracted(view.disbursements, contract);
    for paid in payments {
        amounts.paid.add(&paid.disbursed.amount, paid.seen, false);
    }
    Ok(pb::ChainContract {
        contract: contract.into(),
        reference: signed.reference.clone(),
        title: signed.title.clone(),
        implementer: signed.implementer.clone(),
        period: period(view, contract, signed),
        programme_lines: signed.programme_lines.clone(),
        state: state(view, contract).into(),
        contracted: Some(amounts.contracted.figure()?),
        cofinancing: Some(amounts.cofinancing.figure()?),
        paid: Some(amounts.paid.figure()?),
        recovered: Some(amounts.recovered.figure()?),
        records: view.disbursements.counted(contract).map(|seen| seen.cited(Log::Disbursements)).collect(),
    })
}

/// As last ridered.
fn period(view: &View<'_>, contract: &str, signed: &ContractSigned) -> Option<Period> {
    let ridered = view.disbursements.counted(contract).filter_map(|seen| match seen.fact() {
        Disbursement::ContractRidered(event) => event.period,
        _ => None,
    });
    ridered.last().or(signed.period)
}

fn state(view: &View<'_>, contract: &str) -> ContractState {
    let mut history: Vec<_> = view.disbursements.counted(contract).collect();
    history.sort_by_key(|seen| (seen.said.counts_from, seen.record.version));
    history.into_iter().fold(ContractState::Unspecified, |state, seen| match (state, seen.fact()) {
        (ContractState::Closed, _) | (_, Disbursement::ContractClosed(_)) => ContractState::Closed,
        (_, Disbursement::ContractSuspended(_)) => ContractState::Suspended,
        (_, Disbursement::ContractSigned(_) | Disbursement::ContractResumed(_)) => ContractState::Open,
        (state, _) => state,
    })
}

/// A payment of the contract.
struct Paid<'a> {
    seen: Seen<'a, Disbursement>,
    disbursed: &'a PaymentDisbursed,
    requested: Option<&'a PaymentRequested>,
}

/// In order of date, then of name.
fn payments<'a>(view: &View<'a>, contract: &'a str) -> impl Iterator<Item = Paid<'a>> {
    let log = view.disbursements;
    let mut paid: Vec<_> = log
        .streams("payments")
        .flat_map(|payment| log.counted(payment))
        .filter_map(|seen| match seen.fact() {
            Disbursement::PaymentDisbursed(disbursed) if disbursed.contract == contract => {
                let requested = log.known(seen.stream).filter_map(|seen| match seen.fact() {
                    Disbursement::PaymentRequested(requested) => Some(requested),
                    _ => None,
                });
                Some(Paid { seen, disbursed, requested: requested.last() })
            }
            _ => None,
        })
        .collect();
    paid.sort_by_key(|paid| (paid.seen.said.counts_from, paid.seen.stream));
    paid.into_iter()
}

impl Paid<'_> {
    fn report(&self) -> Result<pb::ChainPayment, TooLarge> {
        Ok(pb::ChainPayment {
            payment: self.seen.stream.into(),
            kind: self.requested.map_or(0, |requested| requested.kind),
            amount: self.disbursed.amount.clone(),
            derived: self.disbursed.amount.as_ref().map(derived).transpose()?.flatten(),
            cost_period: self.requested.and_then(|requested| requested.cost_period),
            reference: self.disbursed.reference.clone(),
            record: Some(self.seen.cited(Log::Disbursements)),
        })
    }
}

/// What was measured of the contract, its commitments, and the initiatives that carry these out.
fn measurements(
    view: &View<'_>,
    contract: &str,
    commitments: &[CitedCommitment<'_>],
) -> Vec<(pb::Measurement, Evidence)> {
    let commitments: BTreeSet<_> = commitments.iter().map(|commitment| commitment.name).collect();
    let carries_out = |initiative: &&str| {
        let state = InitiativeState::seen(view.commitments, initiative);
        let description = state.and_then(|state| state.description);
        description
            .is_some_and(|description| description.commitments.iter().any(|name| commitments.contains(name.as_str())))
    };
    let initiatives: BTreeSet<_> = view.commitments.streams("initiatives").filter(carries_out).collect();
    let concerns =
        |subject: &str| subject == contract || commitments.contains(subject) || initiatives.contains(subject);
    measured(view.commitments)
        .into_iter()
        .filter(|measured| concerns(&measured.point.subject))
        .map(|measured| (measured.report(), measured.evidence()))
        .collect()
}

#[cfg(test)]
mod tests;
