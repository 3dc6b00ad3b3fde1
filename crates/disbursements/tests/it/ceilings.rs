//! What a decision allows, contracts draw and no more, however many draw at once.

use contracts::toguna::disbursements::v1::{DecommitContractRequest, GetDecisionRequest, RiderContractRequest};
use tokio::task::JoinSet;
use tonic::Code;

use crate::house::*;

async fn decision(house: &mut House) -> contracts::toguna::disbursements::v1::Decision {
    let request = GetDecisionRequest { name: ML_07.into(), ..GetDecisionRequest::default() };
    let answer = house.decisions.get_decision(by("fund_manager", request)).await.expect("it is there");
    answer.into_inner().decision.expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contracts_of_ml_07_fill_the_decision_and_one_cent_more_is_refused() {
    let mut house = House::with_decision().await;
    for (name, euros) in [("contracts/ml-07-01", 3_200_000), ("contracts/ml-07-02", 11_800_000)] {
        let sign = contract(name, eur(euros));
        house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    }
    let filled = decision(&mut house).await;
    assert_eq!((filled.contracted, filled.available), (eur(15_000_000), eur(0)));
    assert_eq!(filled.ceiling_xof.expect("a parity").minor_units, 9_839_355_000);
    assert_eq!(filled.draws.len(), 2);

    let more = contract("contracts/ml-07-03", cents(1));
    let status = house.contracts.sign_contract(by("contracting_authority", more)).await.expect_err("too much");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "EXCEEDS_DECISION_CEILING"));
    assert_eq!(value(&status, "fund_share"), "0.01");
    assert_eq!((value(&status, "available"), value(&status, "currency")), ("0.00".into(), "EUR".into()));
    assert_eq!(value(&status, "resource"), ML_07);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_contract_gives_back_another_can_draw() {
    let mut house = House::with_decision().await;
    let sign = contract("contracts/ml-07-02", eur(15_000_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    let decommit = DecommitContractRequest {
        request_id: id(),
        act: on("2021-03-01"),
        name: "contracts/ml-07-02".into(),
        amount: eur(236_000),
        ..DecommitContractRequest::default()
    };
    house.contracts.decommit_contract(by("contracting_authority", decommit)).await.expect("it is released");
    let raise = RiderContractRequest {
        request_id: id(),
        act: on("2021-04-01"),
        name: "contracts/ml-07-02".into(),
        fund_share_change: eur(236_001),
        ..RiderContractRequest::default()
    };
    let status = house.contracts.rider_contract(by("contracting_authority", raise)).await.expect_err("too much");
    assert_eq!(reason(&status), "EXCEEDS_DECISION_CEILING");
    let sign = contract("contracts/ml-07-03", eur(236_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it fits");
    assert_eq!(decision(&mut house).await.available, eur(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_drawing_on_one_decision_at_once_never_exceed_it() {
    let mut house = House::with_decision().await;
    let mut clients = JoinSet::new();
    for number in 0..50 {
        let mut contracts = house.contracts.clone();
        clients.spawn(async move {
            let sign = contract(&format!("contracts/rush-{number}"), eur(1_000_000));
            contracts.sign_contract(by("contracting_authority", sign)).await
        });
    }
    let (mut signed, mut refused) = (0, 0);
    while let Some(answer) = clients.join_next().await {
        match answer.expect("no panic") {
            Ok(_) => signed += 1,
            Err(status) => {
                assert_eq!(reason(&status), "EXCEEDS_DECISION_CEILING", "{status:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((signed, refused), (15, 35));
    let drawn = decision(&mut house).await;
    assert_eq!((drawn.contracted, drawn.available, drawn.draws.len()), (eur(15_000_000), eur(0), 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_dated_after_the_deadline_is_refused_and_nothing_is_written() {
    let mut house = House::with_decision().await;
    let before = house.records().await.len();
    let mut late = contract("contracts/late", eur(1));
    late.act = on("2022-01-10");
    let status = house.contracts.sign_contract(by("contracting_authority", late)).await.expect_err("too late");
    assert_eq!(reason(&status), "CONTRACTING_DEADLINE_PASSED");
    assert_eq!((value(&status, "signed_on"), value(&status, "deadline")), ("2022-01-10".into(), "2021-12-31".into()));
    let mut undated = contract("contracts/undated", eur(1));
    undated.act = Some(contracts::toguna::log::v1::Act::default());
    let status = house.contracts.sign_contract(by("contracting_authority", undated)).await.expect_err("no date");
    assert_eq!(reason(&status), "SIGNING_DATE_REQUIRED");
    assert_eq!(house.records().await.len(), before);
}
