//! Promises that rest on agreements, which another service keeps.

use contracts::toguna::{
    commitments::v1 as pb,
    partnerships::events::v1::{AgreementNatureContested, AgreementRegistered, AgreementTerminated},
};
use tonic::Code;

use crate::house::{COMMITMENT, FOCAL_POINT, House, Partnerships, SECRETARY, declaration, id, pb_events, refusal};

const COMMUNIQUE: &str = "agreements/ml-eu-2016-communique";

fn resting_on(token: &str) -> pb::DeclareCommitmentRequest {
    pb::DeclareCommitmentRequest {
        agreements: vec![COMMUNIQUE.into()],
        at_least_as_fresh: if token.is_empty() { Vec::new() } else { vec![token.into()] },
        ..declaration()
    }
}

async fn flagged(house: &House, token: &str) -> Vec<String> {
    let asked = pb::ListCommitmentsRequest {
        contestation: pb_events::Contestation::Contested.into(),
        at_least_as_fresh: vec![token.into()],
        ..Default::default()
    };
    let answer = house.commitments().list_commitments(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    answer.commitments.into_iter().map(|commitment| commitment.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_rests_on_an_agreement_that_is_known_and_has_not_ended() {
    let house = House::with_framework().await;
    let partnerships = Partnerships::open(&house).await;
    let unknown = house.commitments().declare_commitment(FOCAL_POINT.sends(resting_on(""))).await;
    assert_eq!(refusal(unknown), (Code::FailedPrecondition, "AGREEMENT_UNKNOWN".into()));

    let token = partnerships.record(COMMUNIQUE, "2016-12-11", &AgreementRegistered::default()).await;
    house.commitments().declare_commitment(FOCAL_POINT.sends(resting_on(&token))).await.expect("it is known now");
    let cited = house.commitment(None).await.agreements;
    assert_eq!((cited[0].agreement.as_str(), cited[0].standing()), (COMMUNIQUE, pb_events::AgreementStanding::Active));

    let other = "agreements/ml-bdm-2015";
    partnerships.record(other, "2015", &AgreementRegistered::default()).await;
    let token = partnerships.record(other, "2017", &AgreementTerminated::default()).await;
    let link = pb::LinkAgreementRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        at_least_as_fresh: vec![token],
        agreement: other.into(),
        ..Default::default()
    };
    let ended = house.commitments().link_agreement(SECRETARY.sends(link)).await;
    assert_eq!(refusal(ended), (Code::FailedPrecondition, "AGREEMENT_TERMINATED".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_is_flagged_when_its_agreement_is_contested_and_stays() {
    let house = House::with_framework().await;
    let partnerships = Partnerships::open(&house).await;
    let token = partnerships.record(COMMUNIQUE, "2016-12-11", &AgreementRegistered::default()).await;
    house.commitments().declare_commitment(FOCAL_POINT.sends(resting_on(&token))).await.expect("it is declared");
    assert!(flagged(&house, &token).await.is_empty());

    let token = partnerships.record(COMMUNIQUE, "2016-12-19", &AgreementNatureContested::default()).await;
    assert_eq!(flagged(&house, &token).await, [COMMITMENT]);
    let day = |day| crate::house::date(2016, 12, day);
    let nature = async |day| house.commitment(Some(day)).await.contestation();
    assert_eq!(nature(day(18)).await, pb_events::Contestation::Uncontested);
    assert_eq!(nature(day(19)).await, pb_events::Contestation::Contested);
}
