//! The chain of one contract, from the agreement to what was measured.

use contracts::toguna::{
    commitments::{
        events::v1 as promises,
        v1::{CommitmentStatus, Confirmation},
    },
    disbursements::events::v1 as money,
    log::v1::{Basis, Certainty},
    partnerships::{
        events::v1 as agreements,
        v1::{AgreementNature, AgreementPhase},
    },
    r#type::v1::Decimal,
};

use super::*;
use crate::{
    Log::{Commitments, Disbursements, Partnerships},
    testing::{Chronicle, as_of, date, eur, fr, issued, known_after},
};

const IOM: &str = "contracts/t05-eutf-sah-ml-07-02";
const ML_07: &str = "decisions/t05-eutf-sah-ml-07";
const RETURNS: &str = "commitments/returns";
const VALLETTA: &str = "agreements/valletta";
const COMMUNIQUE: &str = "agreements/communique-2016";

fn value(subject: &str, number: &str) -> promises::IndicatorValueReported {
    promises::IndicatorValueReported {
        point: Some(promises::MeasurePoint { definition: 1, subject: subject.into(), period: None }),
        value: Some(promises::Quantity {
            qualifier: promises::Qualifier::Exact.into(),
            value: Some(Decimal { value: number.into() }),
            words: None,
        }),
        source_status: promises::SourceStatus::Official.into(),
    }
}

/// A contract that cites one agreement, its decision another and a commitment, and the commitment a third.
fn story() -> Chronicle {
    let mut log = Chronicle::default();
    agreements_and_commitments(&mut log);
    let proposed = money::DecisionProposed {
        reference: "T05-EUTF-SAH-ML-07".into(),
        agreements: vec!["agreements/eutf".into()],
        commitments: vec![RETURNS.into()],
        ..money::DecisionProposed::default()
    };
    log.record(Disbursements, ML_07, "", &proposed);
    log.record(Disbursements, ML_07, "2017-01-01", &money::DecisionApproved { amount: eur(15_000_000) });
    let signed = ContractSigned {
        decision: ML_07.into(),
        reference: "T05-EUTF-SAH-ML-07-02".into(),
        implementer: "partners/iom".into(),
        fund_share: eur(11_800_000),
        agreements: vec![VALLETTA.into(), "agreements/unheard-of".into()],
        commitments: vec!["commitments/unheard-of".into()],
        programme_lines: vec!["reinsertion".into()],
        ..ContractSigned::default()
    };
    log.record(Disbursements, IOM, "2017-05-19", &signed).sources = issued("2017-05-19");
    pay(&mut log, "payments/second", "2018-03-20", 4_720_000, money::PaymentKind::Interim);
    pay(&mut log, "payments/first", "2017-06-15", 5_900_000, money::PaymentKind::PreFinancing);
    let elsewhere = PaymentDisbursed { contract: "contracts/other".into(), amount: eur(1), ..Default::default() };
    log.record(Disbursements, "payments/other", "2017-06-15", &elsewhere);
    log
}

fn agreements_and_commitments(log: &mut Chronicle) {
    let registered = |title| agreements::AgreementRegistered { title: fr(title), ..Default::default() };
    log.record(Partnerships, VALLETTA, "", &registered("Plan d'action conjoint"));
    log.record(Partnerships, VALLETTA, "2015-11-12", &agreements::AgreementSigned::default());
    log.record(Partnerships, COMMUNIQUE, "", &registered("Communiqué conjoint"));
    log.record(Partnerships, COMMUNIQUE, "2016-12-13", &agreements::AgreementNatureContested::default());
    let declared = promises::CommitmentDeclared {
        owner: "partners/mli".into(),
        agreements: vec![COMMUNIQUE.into()],
        ..Default::default()
    };
    log.record(Commitments, RETURNS, "2016-12-11", &declared).basis = Basis::RecordedFromSource.into();
    let defined = |version| promises::IndicatorDefined { version, definition: None };
    log.record(Commitments, "indicators/returns", "", &defined(1));
    let carried_out = promises::InitiativeDescription { commitments: vec![RETURNS.into()], ..Default::default() };
    let registered = promises::InitiativeRegistered { description: Some(carried_out), ..Default::default() };
    log.record(Commitments, "initiatives/desk", "2017-01-01", &registered);
    for (subject, number) in [(IOM, "3208"), (RETURNS, "12"), ("initiatives/desk", "4"), ("contracts/other", "9")] {
        log.record(Commitments, "indicators/returns", "2021-12-31", &value(subject, number));
    }
}

fn pay(log: &mut Chronicle, payment: &str, on: &str, euros: i64, kind: money::PaymentKind) {
    let requested = PaymentRequested { contract: IOM.into(), kind: kind.into(), ..Default::default() };
    log.record(Disbursements, payment, on, &requested);
    let paid = PaymentDisbursed { contract: IOM.into(), amount: eur(euros), ..Default::default() };
    log.record(Disbursements, payment, on, &paid).certainty = Certainty::Illustrative.into();
}

fn chain(log: &Chronicle, clocks: Clocks) -> pb::ContractChain {
    contract_chain(&log.facts(), IOM, clocks).expect("it fits").expect("it is known")
}

fn whole_euros(figure: Option<pb::Figure>) -> Vec<i64> {
    figure.expect("it is there").amounts.iter().map(|money| money.minor_units / 100).collect()
}

#[test]
fn an_unknown_contract_has_no_chain_nor_one_that_was_not_known_yet() {
    let log = story();
    let none = |contract, clocks| contract_chain(&log.facts(), contract, clocks).expect("it fits").is_none();
    assert!(none("contracts/nowhere", as_of("2026-11-23")));
    assert!(none(IOM, known_after(13, "2026-11-23")));
    assert!(!none(IOM, known_after(14, "2026-11-23")));
}

#[test]
fn agreements_are_those_of_the_contract_its_decision_and_their_commitments() {
    let chain = chain(&story(), as_of("2026-11-23"));
    let cited: Vec<_> = chain.agreements.iter().map(|a| (a.agreement.as_str(), a.cited_by.clone())).collect();
    assert_eq!(
        cited,
        [
            (COMMUNIQUE, vec![RETURNS.to_owned()]),
            ("agreements/eutf", vec![ML_07.to_owned()]),
            ("agreements/unheard-of", vec![IOM.to_owned()]),
            (VALLETTA, vec![IOM.to_owned()]),
        ]
    );
}

#[test]
fn an_agreement_is_as_far_as_it_was_on_the_day() {
    let log = story();
    let valletta = |day| chain(&log, as_of(day)).agreements.pop().expect("it is cited");
    assert_eq!(valletta("2015-11-11").phase(), AgreementPhase::Registered);
    assert_eq!(valletta("2015-11-12").phase(), AgreementPhase::Signed);
    let unheard_of = &chain(&log, as_of("2015-11-12")).agreements[1];
    assert_eq!((unheard_of.phase(), &unheard_of.title), (AgreementPhase::Unspecified, &None));
}

#[test]
fn a_commitment_that_rests_on_a_contested_agreement_says_so() {
    let log = story();
    let at = |day| {
        let chain = chain(&log, as_of(day));
        (chain.agreements[0].nature(), chain.commitments[0].contested)
    };
    assert_eq!(at("2016-12-12"), (AgreementNature::Unspecified, false));
    assert_eq!(at("2016-12-13"), (AgreementNature::Contested, true));
}

#[test]
fn commitments_show_where_they_stand_and_unknown_ones_their_name() {
    let chain = chain(&story(), as_of("2026-11-23"));
    let [returns, unheard_of] = chain.commitments.as_slice() else { panic!("two: {:?}", chain.commitments) };
    assert_eq!((returns.commitment.as_str(), returns.owner.as_str()), (RETURNS, "partners/mli"));
    assert_eq!((returns.status(), returns.confirmation()), (CommitmentStatus::Proposed, Confirmation::Unconfirmed));
    assert_eq!(
        (unheard_of.commitment.as_str(), unheard_of.status()),
        ("commitments/unheard-of", CommitmentStatus::Unspecified)
    );
    assert_eq!(unheard_of.cited_by, [IOM]);
}

#[test]
fn payments_come_in_order_of_date_with_what_they_were_for_and_in_both_currencies() {
    let log = story();
    let payments = chain(&log, as_of("2026-11-23")).payments;
    let paid: Vec<_> = payments
        .iter()
        .map(|paid| {
            let francs = paid.derived.as_ref().map(|money| money.minor_units);
            (paid.payment.as_str(), paid.kind(), paid.amount.clone(), francs)
        })
        .collect();
    assert_eq!(
        paid,
        [
            ("payments/first", money::PaymentKind::PreFinancing, eur(5_900_000), Some(3_870_146_300)),
            ("payments/second", money::PaymentKind::Interim, eur(4_720_000), Some(3_096_117_040)),
        ]
    );
    assert_eq!(chain(&log, as_of("2017-12-31")).payments.len(), 1);
}

#[test]
fn contract_and_decision_add_up() {
    let chain = chain(&story(), as_of("2018-03-20"));
    let (contract, decision) = (chain.contract.expect("it is there"), chain.decision.expect("it is there"));
    assert_eq!(whole_euros(contract.contracted), [11_800_000]);
    assert_eq!(whole_euros(contract.paid), [10_620_000]);
    assert_eq!(whole_euros(contract.recovered), [0; 0]);
    assert_eq!(whole_euros(decision.decided_gross), [15_000_000]);
    assert_eq!((contract.implementer, contract.programme_lines), ("partners/iom".into(), vec!["reinsertion".into()]));
}

#[test]
fn every_link_names_its_record_date_certainty_and_source() {
    let chain = chain(&story(), as_of("2026-11-23"));
    let record = chain.payments[0].record.clone().expect("it is there");
    assert_eq!((record.log.as_str(), record.stream.as_str(), record.position), ("disbursements", "payments/first", 7));
    assert_eq!(record.r#type, "toguna.disbursements.events.v1.PaymentDisbursed");
    let provenance = record.provenance.expect("it is there");
    assert_eq!((provenance.effective_on, provenance.certainty()), (date("2017-06-15"), Certainty::Illustrative));
    let signed = chain.contract.expect("it is there").records.remove(0).provenance.expect("it is there");
    assert_eq!(signed.sources, issued("2017-05-19"));
    assert_eq!(chain.standpoint.expect("it is there").latest_source, date("2017-05-19"));
}

#[test]
fn a_corrected_record_names_its_correction_and_keeps_whose_act_it_was() {
    let mut log = story();
    let right = PaymentDisbursed { contract: IOM.into(), amount: eur(5_800_000), ..Default::default() };
    let correction = log.correct(Disbursements, "payments/first", 2, "2017-06-16", &right);
    correction.reason = "the bank's statement says so".into();
    correction.on_behalf_of = "partners/auditor".into();
    let paid = chain(&log, as_of("2026-11-23")).payments.remove(0);
    let record = paid.record.expect("it is there");
    assert_eq!((record.position, record.corrected_at_position), (7, 9));
    let provenance = record.provenance.expect("it is there");
    assert_eq!(
        (provenance.on_behalf_of.as_str(), provenance.reason.as_str()),
        ("partners/eu", "the bank's statement says so")
    );
    assert_eq!((paid.amount, provenance.effective_on), (eur(5_800_000), date("2017-06-16")));
}

#[test]
fn values_are_those_of_the_contract_its_commitments_and_what_carries_these_out() {
    let chain = chain(&story(), as_of("2026-11-23"));
    let subjects: Vec<_> = chain.measurements.iter().map(|measured| measured.subject.as_str()).collect();
    assert_eq!(subjects, [RETURNS, IOM, "initiatives/desk"]);
}

#[test]
fn a_suspended_contract_is_open_again_when_resumed_whatever_the_order_of_recording() {
    let mut log = story();
    log.record(Disbursements, IOM, "2023-01-01", &money::ContractResumed {});
    log.record(Disbursements, IOM, "2022-11-21", &money::ContractSuspended {});
    let state = |day| chain(&log, as_of(day)).contract.expect("it is there").state();
    assert_eq!(state("2017-05-18"), ContractState::Unspecified);
    assert_eq!(state("2022-11-20"), ContractState::Open);
    assert_eq!(state("2022-11-21"), ContractState::Suspended);
    assert_eq!(state("2023-01-01"), ContractState::Open);
}

#[test]
fn a_suspension_that_sources_alone_report_suspends_nothing_until_it_is_confirmed() {
    let mut log = story();
    let phase = |log: &Chronicle, day| chain(log, as_of(day)).agreements.pop().expect("it is cited").phase();
    let suspended = agreements::AgreementSuspended { party: "partners/fr".into() };
    let reported = log.record(Partnerships, VALLETTA, "2022-11-17", &suspended);
    reported.basis = Basis::RecordedFromSource.into();
    let confirmed_version = reported.version;
    assert_eq!(phase(&log, "2022-11-17"), AgreementPhase::Signed);
    let confirmed = agreements::AgreementRecordConfirmed { confirmed_version, ..Default::default() };
    log.record(Partnerships, VALLETTA, "2023-01-01", &confirmed);
    assert_eq!(phase(&log, "2022-11-16"), AgreementPhase::Signed);
    assert_eq!(phase(&log, "2022-11-17"), AgreementPhase::Suspended);
}
