//! What bad input gets.

use contracts::toguna::{
    disbursements::{
        events::v1::PaymentKind,
        v1::{
            ApproveDecisionRequest, CloseFundRequest, ConfirmDecisionRequest, GetContractRequest,
            NotePublishedAmountRequest, ProposeDecisionRequest, RequestPaymentRequest, SignContractRequest,
        },
    },
    log::v1::{Act, Basis},
    r#type::v1 as types,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_is_told_at_once() {
    let mut house = House::empty().await;
    let wrong = ProposeDecisionRequest {
        request_id: id(),
        name: "decisions/ML-07".into(),
        fund: "partners/x".into(),
        reference: "T05-EUTF- SAH-ML-13".into(),
        country_codes: vec!["Mali".into()],
        amount: Some(types::Money { currency_code: "eur".into(), minor_units: 0 }),
        implementers: vec!["iom".into()],
        agreements: vec!["commitments/x".into()],
        ..ProposeDecisionRequest::default()
    };
    let status = house.decisions.propose_decision(by("fund_manager", wrong)).await.expect_err("all is wrong");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let details = status.get_details_bad_request().expect("the violations");
    let mut fields: Vec<_> = details.field_violations.iter().map(|violation| violation.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "agreements[0]",
            "amount.currency_code",
            "amount.minor_units",
            "country_codes[0]",
            "fund",
            "implementers[0]",
            "name",
            "reference",
            "title",
            "window",
        ]
    );
    assert!(house.records().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_beyond_all_measure_is_malformed() {
    let mut house = House::with_decision().await;
    for minor_units in [i64::MAX, i64::MIN, 1_000_000_000_000_001] {
        let sign = contract("contracts/x", cents(minor_units));
        let status = house.contracts.sign_contract(by("contracting_authority", sign)).await.expect_err("too much");
        assert_eq!(status.code(), Code::InvalidArgument, "{minor_units}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found_and_what_is_there_exists() {
    let mut house = House::with_decision().await;
    let get = GetContractRequest { name: "contracts/none".into(), ..Default::default() };
    let status = house.contracts.get_contract(by("auditor", get)).await.expect_err("it is not there");
    assert_eq!((status.code(), value(&status, "resource").as_str()), (Code::NotFound, "contracts/none"));
    let elsewhere = SignContractRequest { decision: "decisions/none".into(), ..contract("contracts/x", eur(1)) };
    let status = house.contracts.sign_contract(by("contracting_authority", elsewhere)).await.expect_err("no decision");
    assert_eq!((status.code(), value(&status, "resource").as_str()), (Code::NotFound, "decisions/none"));
    let again = proposal(ML_07);
    let status = house.decisions.propose_decision(by("fund_manager", again)).await.expect_err("it is there");
    assert_eq!((status.code(), value(&status, "resource").as_str()), (Code::AlreadyExists, ML_07));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_organisations_are_held() {
    let mut house = House::with_decision().await;
    let sign = || contract("contracts/x", eur(1));
    let status = house.contracts.sign_contract(by("fund_manager", sign())).await.expect_err("another role");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    assert_eq!(value(&status, "role"), "contracting_authority");
    let stranger = by_at("contracting_authority", IOM, sign());
    let status = house.contracts.sign_contract(stranger).await.expect_err("another organisation");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ACT_OF_ANOTHER_ORGANISATION"));
    let close = CloseFundRequest {
        request_id: id(),
        act: on_document("2025-12-31", "press").map(|act| Act { on_behalf_of: TRUSTEE.into(), ..act }),
        name: FUND.into(),
        ..Default::default()
    };
    let published = by_at("secretariat", "partners/icmpd", close);
    let status = house.funds.close_fund(published).await.expect_err("the press closes no fund");
    assert_eq!(reason(&status), "OWN_ACT_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn observers_and_strangers_approve_nothing() {
    let mut house = House::with_fund().await;
    house.decisions.propose_decision(by("fund_manager", proposal(ML_07))).await.expect("it is proposed");
    let approve = |act| ApproveDecisionRequest {
        request_id: id(),
        act,
        name: ML_07.into(),
        amount: eur(15_000_000),
        ..Default::default()
    };
    let stranger = by_at("committee_member", "partners/ml", approve(on_document("2017-02-19", "minutes")));
    let status = house.decisions.approve_decision(stranger).await.expect_err("no seat");
    assert_eq!(reason(&status), "NOT_A_COMMITTEE_MEMBER");
    let early = by("committee_chair", approve(on_document("2015-11-11", "minutes")));
    let status = house.decisions.approve_decision(early).await.expect_err("no seat yet");
    assert_eq!(reason(&status), "NOT_A_COMMITTEE_MEMBER");
    let without = by("committee_chair", approve(on("2017-02-19")));
    let status = house.decisions.approve_decision(without).await.expect_err("no minute");
    assert_eq!(reason(&status), "COMMITTEE_MINUTE_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_approval_is_confirmed_before_anybody_contracts_on_it() {
    let mut house = House::with_fund().await;
    house.decisions.propose_decision(by("fund_manager", proposal(ML_07))).await.expect("it is proposed");
    let act = on_document("2017-02-19", "minutes").map(|act| Act {
        on_behalf_of: TRUSTEE.into(),
        basis: Basis::RecordedFromSource.into(),
        ..act
    });
    let approve = ApproveDecisionRequest {
        request_id: id(),
        act,
        name: ML_07.into(),
        amount: eur(15_000_000),
        ..Default::default()
    };
    let foreign = by_at("secretariat", "partners/icmpd", approve.clone());
    let status = house.decisions.approve_decision(foreign).await.expect_err("another organisation reads it");
    assert_eq!(reason(&status), "ACT_OF_ANOTHER_ORGANISATION");
    house.decisions.approve_decision(by("secretariat", approve)).await.expect("it is entered as published");
    let sign = || contract("contracts/ml-07-02", eur(1));
    let status = house.contracts.sign_contract(by("contracting_authority", sign())).await.expect_err("unconfirmed");
    assert_eq!(reason(&status), "DECISION_UNCONFIRMED");
    let act = on_document("2017-05-19", "dataset").map(|act| Act {
        on_behalf_of: TRUSTEE.into(),
        basis: Basis::RecordedFromSource.into(),
        ..act
    });
    let published = SignContractRequest { act, ..contract("contracts/ml-07-01", eur(1)) };
    house.contracts.sign_contract(by("secretariat", published)).await.expect("it is entered as published too");
    let request = || RequestPaymentRequest {
        request_id: id(),
        name: "payments/iom-1".into(),
        contract: "contracts/ml-07-01".into(),
        kind: PaymentKind::PreFinancing.into(),
        amount: eur(1),
        cost_period: period("2017-05-19", "2018-05-18"),
        ..Default::default()
    };
    let status = house.payments.request_payment(by_at("implementer", IOM, request())).await.expect_err("unconfirmed");
    assert_eq!(reason(&status), "DECISION_UNCONFIRMED");
    let confirm = ConfirmDecisionRequest {
        request_id: id(),
        act: on_document("2017-03-01", "minutes"),
        name: ML_07.into(),
        ..Default::default()
    };
    house.decisions.confirm_decision(by("committee_chair", confirm)).await.expect("it is confirmed");
    house.contracts.sign_contract(by("contracting_authority", sign())).await.expect("it is signed");

    let status = house.payments.request_payment(by_at("implementer", IOM, request())).await.expect_err("unsigned");
    assert_eq!(
        (reason(&status).as_str(), value(&status, "contract").as_str()),
        ("CONTRACT_UNCONFIRMED", "contracts/ml-07-01")
    );
    let same_words = contract("contracts/ml-07-01", eur(1));
    house.contracts.sign_contract(by("contracting_authority", same_words)).await.expect("it is confirmed");
    house.payments.request_payment(by_at("implementer", IOM, request())).await.expect("it can be paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_amount_that_breaks_the_parity_is_shown_beside_the_right_one() {
    let mut house = House::with_decision().await;
    let note = NotePublishedAmountRequest {
        request_id: id(),
        act: on_document("2019-01-30", "press"),
        name: ML_07.into(),
        subject: "Diaspora 2".into(),
        amount: eur(4_672_897),
        published_equivalent: Some(types::Money { currency_code: "XOF".into(), minor_units: 3_060_747_535 }),
        ..Default::default()
    };
    house.decisions.note_published_amount(by("fund_manager", note)).await.expect("it is noted");
    let get = contracts::toguna::disbursements::v1::GetDecisionRequest { name: ML_07.into(), ..Default::default() };
    let decision = house.decisions.get_decision(by("auditor", get)).await.expect("it is there").into_inner();
    let decision = decision.decision.expect("it is there");
    assert_eq!(decision.ceiling, eur(15_000_000));
    let [published] = decision.published_amounts.as_slice() else { panic!("one amount") };
    assert_eq!(published.derived_equivalent.as_ref().map(|money| money.minor_units), Some(3_065_219_497));
}
