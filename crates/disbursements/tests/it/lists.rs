//! Lists and resources, fresh as the token says.

use contracts::toguna::disbursements::v1::{
    DecisionState, GetDecisionRequest, GetFundRequest, ListContractsRequest, ListContractsResponse,
    ListContributionsRequest, ListContributionsResponse, ListDecisionsRequest, ListDecisionsResponse, ListFundsRequest,
    ListFundsResponse, ListPaymentsRequest,
};
use tonic::Code;

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_its_token_has_seen() {
    let mut house = House::with_decision().await;
    house.receive(1_000).await;
    let sign = contract("contracts/ml-07-02", eur(11_800_000));
    let signed = house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    let token = || vec![signed.get_ref().receipt.as_ref().expect("a receipt").consistency_token.clone()];

    let request = ListFundsRequest { at_least_as_fresh: token(), ..Default::default() };
    let funds = house.funds.list_funds(by("auditor", request)).await.expect("a list").into_inner();
    assert_eq!(funds.funds.iter().map(|fund| fund.name.as_str()).collect::<Vec<_>>(), [FUND]);
    assert_eq!(funds.funds[0].open_contracts, ["contracts/ml-07-02"]);
    assert!(!funds.consistency_token.is_empty());

    let request = ListContractsRequest {
        decision: ML_07.into(),
        implementer: IOM.into(),
        at_least_as_fresh: token(),
        ..Default::default()
    };
    let contracts = house.contracts.list_contracts(by("auditor", request)).await.expect("a list").into_inner();
    assert_eq!(contracts.contracts.len(), 1);
    assert_eq!(contracts.contracts[0].fund_share_xof.clone().expect("a parity").minor_units, 7_740_292_600);
    let request =
        ListContractsRequest { implementer: "partners/aecid".into(), at_least_as_fresh: token(), ..Default::default() };
    let none = house.contracts.list_contracts(by("auditor", request)).await.expect("a list").into_inner();
    assert!(none.contracts.is_empty());

    let request = ListContributionsRequest { donor: DONOR.into(), at_least_as_fresh: token(), ..Default::default() };
    let given = house.contributions.list_contributions(by("auditor", request)).await.expect("a list").into_inner();
    assert_eq!(given.contributions[0].received, eur(1_000));
    let request = ListPaymentsRequest { at_least_as_fresh: token(), ..Default::default() };
    let paid = house.payments.list_payments(by("auditor", request)).await.expect("a list").into_inner();
    assert!(paid.payments.is_empty());
}

type Lists = (ListFundsResponse, ListContributionsResponse, ListDecisionsResponse, ListContractsResponse);

async fn lists(house: &mut House, token: &str) -> Lists {
    let at_least_as_fresh = vec![token.to_owned()];
    let request = ListFundsRequest { at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    let funds = house.funds.list_funds(by("auditor", request)).await.expect("a list").into_inner();
    let request = ListContributionsRequest { at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    let contributions = house.contributions.list_contributions(by("auditor", request)).await.expect("a list");
    let request = ListDecisionsRequest { at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    let decisions = house.decisions.list_decisions(by("auditor", request)).await.expect("a list").into_inner();
    let request = ListContractsRequest { at_least_as_fresh, ..Default::default() };
    let contracts = house.contracts.list_contracts(by("auditor", request)).await.expect("a list").into_inner();
    (funds, contributions.into_inner(), decisions, contracts)
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_built_again_at_once_equal_those_that_grew_event_by_event() {
    let mut house = House::with_decision().await;
    house.receive(1_000_000).await;
    let mut token = String::new();
    for number in 1..=6 {
        let sign = contract(&format!("contracts/ml-07-{number:02}"), eur(number * 100_000));
        let signed = house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
        token = signed.into_inner().receipt.expect("a receipt").consistency_token;
        // The read models follow closely: each contract comes in a batch of its own.
        lists(&mut house, &token).await;
    }
    let grown = lists(&mut house, &token).await;
    assert_eq!((grown.0.funds[0].open_contracts.len(), grown.3.contracts.len()), (6, 6));
    let mut house = house.rebuilt().await;
    assert_eq!(lists(&mut house, &token).await, grown);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_listed_page_by_page_and_by_country() {
    let mut house = House::with_fund().await;
    let mut token = String::new();
    for number in 1..=5 {
        let mut request = proposal(&format!("decisions/t05-eutf-sah-ml-{number:02}"));
        if number == 5 {
            request.country_codes = vec!["ML".into(), "NE".into()];
        }
        let answer = house.decisions.propose_decision(by("fund_manager", request)).await.expect("it is proposed");
        token = answer.into_inner().receipt.expect("a receipt").consistency_token;
    }
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListDecisionsRequest {
            page_size: 2,
            page_token,
            country_code: "ML".into(),
            at_least_as_fresh: vec![token.clone()],
            ..Default::default()
        };
        let page = house.decisions.list_decisions(by("auditor", request)).await.expect("a page").into_inner();
        assert!(page.decisions.iter().all(|decision| decision.state() == DecisionState::Proposed));
        names.extend(page.decisions.into_iter().map(|decision| decision.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, (1..=5).map(|n| format!("decisions/t05-eutf-sah-ml-{n:02}")).collect::<Vec<_>>());
    let request = ListDecisionsRequest { country_code: "NE".into(), ..Default::default() };
    let niger = house.decisions.list_decisions(by("auditor", request)).await.expect("a page").into_inner();
    assert_eq!(niger.decisions.len(), 1);

    let request = ListDecisionsRequest { page_size: 2, country_code: "ML".into(), ..Default::default() };
    let first = house.decisions.list_decisions(by("auditor", request)).await.expect("a page").into_inner();
    let elsewhere =
        ListDecisionsRequest { page_token: first.next_page_token, country_code: "NE".into(), ..Default::default() };
    let status = house.decisions.list_decisions(by("auditor", elsewhere)).await.expect_err("another filter");
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_shown_as_of_a_day() {
    let mut house = House::with_decision().await;
    let sign = contract("contracts/ml-07-02", eur(11_800_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    let mut get = async |as_of: &str| {
        let request = GetDecisionRequest { name: ML_07.into(), as_of: day(as_of), ..Default::default() };
        let answer = house.decisions.get_decision(by("auditor", request)).await;
        answer.map(|answer| answer.into_inner().decision.expect("it is there"))
    };
    let status = get("2017-02-18").await.expect_err("it was not there");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "NOT_FOUND"));
    let before = get("2017-05-18").await.expect("it was there");
    assert_eq!((before.approved, before.contracted), (eur(15_000_000), eur(0)));
    assert_eq!(get("2017-05-19").await.expect("it was there").contracted, eur(11_800_000));
    let fund = GetFundRequest { name: FUND.into(), as_of: day("2015-11-11"), ..Default::default() };
    assert_eq!(house.funds.get_fund(by("auditor", fund)).await.expect_err("not yet").code(), Code::NotFound);
}
