//! A mistaken record is corrected by two persons, and every stream that mirrors it follows in the same append.

use contracts::toguna::{
    disbursements::{
        events::v1 as events,
        v1::{ConfirmCorrectionRequest, GetDecisionRequest, GetFundRequest, ProposeCorrectionRequest},
    },
    log::v1::Receipt,
};
use prost_types::Any;
use tonic::{Code, Response, Status};

use crate::house::*;

const CONTRACT: &str = "contracts/ml-07-02";

fn propose<M: prost::Message + prost::Name>(name: &str, version: u64, right: &M) -> ProposeCorrectionRequest {
    ProposeCorrectionRequest {
        request_id: id(),
        act: because("2018-01-01", "a digit too many"),
        name: name.into(),
        mistaken_version: version,
        right: Some(Any { type_url: M::type_url(), value: right.encode_to_vec() }),
        ..ProposeCorrectionRequest::default()
    }
}

fn confirm(name: &str, proposal_version: u64) -> ConfirmCorrectionRequest {
    let (request_id, act, name) = (id(), on("2018-01-02"), name.into());
    ConfirmCorrectionRequest { request_id, act, name, proposal_version, ..ConfirmCorrectionRequest::default() }
}

/// Proposed by one person of the trustee.
async fn proposed(house: &mut House, request: ProposeCorrectionRequest) -> Result<Receipt, Status> {
    let answer = house.corrections.propose_correction(by_person("fund_manager", TRUSTEE, "aminata", request)).await;
    answer.map(|answer| answer.into_inner().receipt.expect("a receipt"))
}

/// Confirmed by a person of the trustee.
async fn confirmed(house: &mut House, person: &str, request: ConfirmCorrectionRequest) -> Result<Receipt, Status> {
    let answer = house.corrections.confirm_correction(by_person("fund_manager", TRUSTEE, person, request)).await;
    answer.map(Response::into_inner).map(|answer| answer.receipt.expect("a receipt"))
}

async fn decision(house: &mut House, as_of: Option<&str>) -> contracts::toguna::disbursements::v1::Decision {
    let request = GetDecisionRequest { name: ML_07.into(), as_of: as_of.and_then(day), ..Default::default() };
    let answer = house.decisions.get_decision(by("fund_manager", request)).await.expect("it is there");
    answer.into_inner().decision.expect("it is there")
}

fn signed(euros: i64) -> events::ContractSigned {
    events::ContractSigned {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        decision: ML_07.into(),
        title: title("Return and reintegration"),
        implementer: IOM.into(),
        fund_share: eur(euros),
        ..events::ContractSigned::default()
    }
}

async fn with_contract() -> House {
    let mut house = House::with_decision().await;
    let sign = contract(CONTRACT, eur(10_000_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_share_is_drawn_on_the_decision_in_the_same_append() {
    let mut house = with_contract().await;
    let receipt = proposed(&mut house, propose(CONTRACT, 1, &signed(11_800_000))).await.expect("it is proposed");
    assert_eq!(receipt.events.len(), 1, "nothing changes yet");
    assert_eq!(decision(&mut house, None).await.contracted, eur(10_000_000));

    let status = confirmed(&mut house, "aminata", confirm(CONTRACT, 2)).await.expect_err("the same person");
    assert_eq!(reason(&status), "SECOND_PERSON_REQUIRED");
    let receipt = confirmed(&mut house, "moussa", confirm(CONTRACT, 2)).await.expect("it is confirmed");
    let types: Vec<&str> =
        receipt.events.iter().map(|event| event.r#type.rsplit('.').next().unwrap_or_default()).collect();
    assert_eq!(types, ["RecordCorrected", "DecisionDrawSet"]);
    let corrected = decision(&mut house, None).await;
    assert_eq!((corrected.contracted, corrected.available), (eur(11_800_000), eur(3_200_000)));
    let status = confirmed(&mut house, "awa", confirm(CONTRACT, 2)).await.expect_err("it is confirmed already");
    assert_eq!(reason(&status), "RECORD_NOT_CORRECTABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_date_moves_what_is_drawn() {
    let mut house = with_contract().await;
    let moved =
        ProposeCorrectionRequest { effective_on: day("2017-09-01"), ..propose(CONTRACT, 1, &signed(10_000_000)) };
    proposed(&mut house, moved).await.expect("it is proposed");
    confirmed(&mut house, "moussa", confirm(CONTRACT, 2)).await.expect("it is confirmed");
    assert_eq!(decision(&mut house, Some("2017-08-31")).await.contracted, eur(0));
    assert_eq!(decision(&mut house, Some("2017-09-01")).await.contracted, eur(10_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_correction_breaks_a_ceiling_or_a_deadline() {
    let mut house = with_contract().await;
    let status = proposed(&mut house, propose(CONTRACT, 1, &signed(15_000_001))).await.expect_err("too much");
    assert_eq!(reason(&status), "EXCEEDS_DECISION_CEILING");
    let lower = events::DecisionApproved { amount: eur(9_999_999) };
    let status = proposed(&mut house, propose(ML_07, 2, &lower)).await.expect_err("too little");
    assert_eq!(reason(&status), "EXCEEDS_DECISION_CEILING");
    let late =
        ProposeCorrectionRequest { effective_on: day("2022-01-10"), ..propose(CONTRACT, 1, &signed(10_000_000)) };
    let status = proposed(&mut house, late).await.expect_err("too late");
    assert_eq!(reason(&status), "CONTRACTING_DEADLINE_PASSED");
    let unknown = events::ContractSigned { agreements: vec!["agreements/none".into()], ..signed(10_000_000) };
    let status = proposed(&mut house, propose(CONTRACT, 1, &unknown)).await.expect_err("it rests on nothing");
    assert_eq!(reason(&status), "AGREEMENT_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_no_longer_fits_is_not_confirmed() {
    let mut house = with_contract().await;
    proposed(&mut house, propose(CONTRACT, 1, &signed(14_000_000))).await.expect("it fits today");
    let sign = contract("contracts/ml-07-03", eur(4_000_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    let status = confirmed(&mut house, "moussa", confirm(CONTRACT, 2)).await.expect_err("it fits no more");
    assert_eq!(reason(&status), "EXCEEDS_DECISION_CEILING");
    assert_eq!(value(&status, "available"), "1000000.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn received_money_is_corrected_with_the_funds_cash() {
    let mut house = House::with_fund().await;
    house.receive(1_000_000).await;
    let right = events::ContributionReceived { amount: eur(100_000), reference: String::new() };
    proposed(&mut house, propose("contributions/es", 3, &right)).await.expect("it is proposed");
    confirmed(&mut house, "moussa", confirm("contributions/es", 4)).await.expect("it is confirmed");
    let get = GetFundRequest { name: FUND.into(), ..Default::default() };
    let fund = house.funds.get_fund(by("fund_manager", get)).await.expect("it is there").into_inner().fund;
    assert_eq!(fund.expect("it is there").available, eur(100_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_and_ties_are_not_corrected_themselves() {
    let mut house = with_contract().await;
    let mirror = events::DecisionDrawSet { contract: CONTRACT.into(), contract_version: 1, amount: eur(1) };
    let status = proposed(&mut house, propose(ML_07, 3, &mirror)).await.expect_err("a mirror");
    assert_eq!((reason(&status).as_str(), value(&status, "source").as_str()), ("MIRRORED_RECORD", CONTRACT));
    let elsewhere = events::ContractSigned { decision: "decisions/other".into(), ..signed(10_000_000) };
    let status = proposed(&mut house, propose(CONTRACT, 1, &elsewhere)).await.expect_err("another decision");
    assert_eq!(reason(&status), "LINK_NOT_CORRECTABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_the_resource_is_a_malformed_request() {
    let mut house = with_contract().await;
    for request in [
        propose(CONTRACT, 1, &events::DecisionApproved { amount: eur(1) }),
        propose(CONTRACT, 1, &events::ContractSigned::default()),
        ProposeCorrectionRequest { right: None, ..propose(CONTRACT, 1, &signed(1)) },
        propose("standings/x", 1, &signed(1)),
        propose("agreement-standings/x", 1, &signed(1)),
    ] {
        let status = proposed(&mut house, request).await.expect_err("it is malformed");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    }
    let status = proposed(&mut house, propose(CONTRACT, 9, &signed(1))).await.expect_err("no such record");
    assert_eq!(reason(&status), "RECORD_NOT_CORRECTABLE");
}
