//! Lists by filter and order, parts of resources, several at once, as they were.

use contracts::toguna::disbursements::{
    events::v1::PaymentKind,
    v1::{
        BatchGetContractsRequest, BatchGetContributionsRequest, BatchGetDecisionsRequest, BatchGetFundsRequest,
        BatchGetPaymentsRequest, Contract, Decision, DecisionState, Fund, GetContractRequest, ListContractsRequest,
        ListContributionsRequest, ListDecisionsRequest, ListFundsRequest, ListPaymentsRequest, RequestPaymentRequest,
    },
};
use disbursements::projections::{CONTRACTS, CONTRIBUTIONS, DECISIONS, FUNDS, PAYMENTS};
use prost_types::FieldMask;
use service_runtime::{
    Language,
    query::{Table, documented, mistaken},
};
use tonic::Code;

use crate::house::*;

const LISTS: [(&str, &Table); 5] = [
    ("ListFunds", &FUNDS),
    ("ListContributions", &CONTRIBUTIONS),
    ("ListDecisions", &DECISIONS),
    ("ListContracts", &CONTRACTS),
    ("ListPayments", &PAYMENTS),
];

const FIRST: &str = "contracts/ml-07-01";
const SECOND: &str = "contracts/ml-07-02";
const PAYMENT: &str = "payments/iom-1";

/// With a fund, a contribution, a decision, two contracts and a payment that is asked for; and what has seen them.
async fn two_contracts() -> (House, Vec<String>) {
    let mut house = House::with_decision().await;
    house.receive(1_000_000).await;
    for (name, euros) in [(FIRST, 300_000), (SECOND, 100_000)] {
        let sign = by("contracting_authority", contract(name, eur(euros)));
        house.contracts.sign_contract(sign).await.expect("it is signed");
    }
    let asked = RequestPaymentRequest {
        request_id: id(),
        act: on("2017-06-01"),
        name: PAYMENT.into(),
        contract: FIRST.into(),
        kind: PaymentKind::PreFinancing.into(),
        amount: eur(1_000),
        cost_period: period("2017-05-19", "2018-05-18"),
        ..Default::default()
    };
    let asked = house.payments.request_payment(by_at("implementer", IOM, asked)).await.expect("it is asked for");
    (house, vec![asked.into_inner().receipt.expect("a receipt").consistency_token])
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_are_found_by_what_they_are_and_by_their_amounts() {
    let (mut house, seen) = two_contracts().await;
    for (filter, expected) in [
        ("", &[FIRST, SECOND][..]),
        ("fund_share > 10000000 AND currency_code = EUR", &[FIRST, SECOND][..1]),
        ("fund_share = 10000000", &[SECOND]),
        ("fund_share != 10000000", &[FIRST]),
        ("-state = OPEN", &[]),
        ("state = OPEN AND decision:ml-07 AND implementer = partners/iom", &[FIRST, SECOND]),
        ("NOT suspended_since:* AND signed_on:*", &[FIRST, SECOND]),
        ("signed_on < 2015", &[]),
    ] {
        let asked =
            ListContractsRequest { filter: filter.into(), at_least_as_fresh: seen.clone(), ..Default::default() };
        let listed = house.contracts.list_contracts(by("auditor", asked)).await.expect(filter).into_inner();
        let names: Vec<&str> = listed.contracts.iter().map(|contract| contract.name.as_str()).collect();
        assert_eq!(names, expected, "{filter}");
    }
    let mut asked = ListContractsRequest {
        order_by: "fund_share desc".into(),
        page_size: 1,
        at_least_as_fresh: seen,
        read_mask: Some(FieldMask { paths: vec!["name".into(), "fund_share.minor_units".into()] }),
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = house.contracts.list_contracts(by("auditor", asked.clone())).await.expect("a page").into_inner();
        found.extend(page.contracts);
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() {
            break;
        }
    }
    let part = |name: &str, minor_units: i64| {
        let fund_share = Some(contracts::toguna::r#type::v1::Money { minor_units, ..Default::default() });
        Contract { name: name.into(), fund_share, ..Default::default() }
    };
    assert_eq!(found, [part(FIRST, 30_000_000), part(SECOND, 10_000_000)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_lists_know_their_fields() {
    let (mut house, seen) = two_contracts().await;
    let asked = ListFundsRequest {
        filter: "state = OPEN AND title:\"trust fund\" AND open_contracts:contracts/ml-07-01 AND received = 100000000"
            .into(),
        order_by: "contracting_deadline, available desc".into(),
        at_least_as_fresh: seen.clone(),
        ..Default::default()
    };
    let listed = house.funds.list_funds(by("auditor", asked)).await.expect("a list").into_inner();
    assert_eq!(listed.funds[0].name, FUND);
    let asked = ListContributionsRequest {
        filter: "donor = partners/es AND received >= 100000000".into(),
        order_by: "received desc".into(),
        at_least_as_fresh: seen.clone(),
        ..Default::default()
    };
    let listed = house.contributions.list_contributions(by("auditor", asked)).await.expect("a list").into_inner();
    assert_eq!(listed.contributions.len(), 1);
    let asked = ListDecisionsRequest {
        filter: "country_codes:ML AND state = APPROVED AND contracted = 40000000 AND window = SAH".into(),
        order_by: "ceiling desc".into(),
        at_least_as_fresh: seen.clone(),
        ..Default::default()
    };
    let listed = house.decisions.list_decisions(by("auditor", asked)).await.expect("a list").into_inner();
    assert_eq!(listed.decisions[0].name, ML_07);
    let asked = ListPaymentsRequest {
        filter: "kind = PRE_FINANCING AND state = REQUESTED AND contract:* AND NOT paid_on:*".into(),
        order_by: "paid_on desc, requested".into(),
        at_least_as_fresh: seen,
        ..Default::default()
    };
    let listed = house.payments.list_payments(by("auditor", asked)).await.expect("a list").into_inner();
    assert_eq!(listed.payments[0].name, PAYMENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_asked_for_at_once_and_as_they_were() {
    let (mut house, _) = two_contracts().await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let asked = BatchGetContractsRequest { names: names(&[SECOND, FIRST]), ..Default::default() };
    let got = house.contracts.batch_get_contracts(by("auditor", asked)).await.expect("two").into_inner();
    assert_eq!(got.contracts.iter().map(|contract| contract.name.as_str()).collect::<Vec<_>>(), [SECOND, FIRST]);
    let alone = GetContractRequest { name: SECOND.into(), ..Default::default() };
    let alone = house.contracts.get_contract(by("auditor", alone)).await.expect("one").into_inner();
    assert_eq!((Some(got.contracts[0].clone()), &got.etags[0]), (alone.contract, &alone.etag));

    let proposed = format!("{ML_07}/revisions/1");
    let asked = BatchGetDecisionsRequest { names: names(&[&proposed, ML_07]), ..Default::default() };
    let got = house.decisions.batch_get_decisions(by("auditor", asked)).await.expect("two").into_inner();
    let states: Vec<_> = got.decisions.iter().map(Decision::state).collect();
    assert_eq!(states, [DecisionState::Proposed, DecisionState::Approved]);
    assert_eq!((got.decisions[0].name.as_str(), got.etags[0].as_str()), (proposed.as_str(), "\"1\""));

    let read_mask = Some(FieldMask { paths: names(&["name"]) });
    let asked = BatchGetFundsRequest { names: names(&[FUND]), read_mask, ..Default::default() };
    let got = house.funds.batch_get_funds(by("auditor", asked)).await.expect("one").into_inner();
    assert_eq!(got.funds, [Fund { name: FUND.into(), ..Default::default() }]);
    let asked = BatchGetPaymentsRequest { names: names(&[PAYMENT]), ..Default::default() };
    let got = house.payments.batch_get_payments(by("auditor", asked)).await.expect("one").into_inner();
    assert_eq!(got.payments[0].contract, FIRST);
    let asked = BatchGetContributionsRequest { names: names(&["contributions/none"]), ..Default::default() };
    let missing = house.contributions.batch_get_contributions(by("auditor", asked)).await.expect_err("there is none");
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::NotFound, "NOT_FOUND"));
}

#[test]
fn lists_are_declared_as_they_are() {
    let mistakes: Vec<String> = LISTS.iter().flat_map(|(_, table)| mistaken(table)).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn the_pages_on_queries_say_what_lists_know() {
    harness::hold_part("queries.md", "disbursements", &documented(&LISTS, Language::English));
    harness::hold_part("queries.fr.md", "disbursements", &documented(&LISTS, Language::French));
}
