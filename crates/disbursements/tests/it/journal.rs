//! What rules about money and persons refuse is kept for auditors, and nothing of it is in the log.

use contracts::toguna::{
    disbursements::v1::ApproveDecisionRequest,
    errors::v1::RefusalKind,
    log::v1::{ListRefusalsRequest, Refusal},
};

use crate::house::*;

async fn refusals(house: &mut House, kind: RefusalKind) -> Vec<Refusal> {
    let asked = ListRefusalsRequest { kind: kind.into(), ..ListRefusalsRequest::default() };
    let listed = house.journal.list_refusals(by_at("auditor", "partners/court-of-auditors", asked)).await;
    listed.expect("they are listed").into_inner().refusals
}

fn said<'a>(refusal: &'a Refusal, key: &str) -> &'a str {
    refusal.values.iter().find(|value| value.key == key).map_or("", |value| &value.value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cent_beyond_the_ceiling_is_kept_with_the_figures_for_each_try() {
    let mut house = House::with_decision().await;
    let before = house.records().await;
    let more = contract("contracts/ml-07-01", cents(1_500_000_001));
    for _ in 0..2 {
        let sign = by("contracting_authority", more.clone());
        house.contracts.sign_contract(sign).await.expect_err("too much");
    }
    let kept = refusals(&mut house, RefusalKind::Money).await;
    assert_eq!(kept.len(), 2, "{kept:?}");
    for refusal in &kept {
        assert_eq!(refusal.reason, "EXCEEDS_DECISION_CEILING");
        assert_eq!((said(refusal, "fund_share"), said(refusal, "available")), ("15000000.01", "15000000.00"));
        assert_eq!((said(refusal, "currency"), said(refusal, "resource")), ("EUR", ML_07));
        assert_eq!((refusal.resource.as_str(), refusal.on_behalf_of.as_str()), ("contracts/ml-07-01", TRUSTEE));
        assert_eq!(refusal.request_id, more.request_id, "both are tries of one command");
        assert_eq!(refusal.method, "toguna.disbursements.v1.ContractService/SignContract");
    }
    assert_eq!(house.records().await, before, "the log is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_in_two_steps_is_kept_and_so_is_a_stranger() {
    let mut house = House::with_fund().await;
    let proposed = by_person("fund_manager", TRUSTEE, "aminata", proposal(ML_07));
    house.decisions.propose_decision(proposed).await.expect("it is proposed");
    let approve = || ApproveDecisionRequest {
        request_id: id(),
        act: on_document("2017-02-19", "minutes"),
        name: ML_07.into(),
        amount: eur(15_000_000),
        ..ApproveDecisionRequest::default()
    };
    let same = by_person("committee_chair", TRUSTEE, "aminata", approve());
    house.decisions.approve_decision(same).await.expect_err("the same person");
    let stranger = by_at("committee_member", "partners/ml", approve());
    house.decisions.approve_decision(stranger).await.expect_err("no seat");

    let persons = refusals(&mut house, RefusalKind::Person).await;
    let proposed_by = house.records().await.pop().and_then(|record| record.actor).expect("who proposed it");
    assert_eq!((persons.len(), persons[0].reason.as_str()), (1, "SAME_PERSON_TWICE"));
    let again = persons[0].actor.as_ref().expect("who it was");
    assert_eq!(again.subject, proposed_by.subject, "by the pseudonym that the log has");
    let permissions = refusals(&mut house, RefusalKind::Permission).await;
    assert_eq!((permissions.len(), permissions[0].reason.as_str()), (1, "NOT_A_COMMITTEE_MEMBER"));
}
