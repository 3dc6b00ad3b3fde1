//! What bad calls get: a code, a reason, and no event.

use contracts::toguna::{
    commitments::v1 as pb,
    log::v1::{GetLogRequest, log_service_client::LogServiceClient},
};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::house::{COMMITMENT, Caller, FOCAL_POINT, House, SECRETARY, declaration, id, official, place, refusal};

async fn head(house: &House) -> u64 {
    let mut log = LogServiceClient::new(house.channel.clone());
    log.get_log(FOCAL_POINT.sends(GetLogRequest {})).await.expect("the log is there").into_inner().head
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_token_is_answered() {
    let house = House::open().await;
    let mut get = Request::new(pb::GetFrameworkRequest::default());
    get.set_timeout(std::time::Duration::from_mins(1));
    let get = house.frameworks().get_framework(get).await;
    assert_eq!(refusal(get), (Code::Unauthenticated, "TOKEN_INVALID".into()));
    let mut declare = Request::new(declaration());
    declare.set_timeout(std::time::Duration::from_mins(1));
    let declare = house.commitments().declare_commitment(declare).await;
    assert_eq!(refusal(declare), (Code::Unauthenticated, "TOKEN_INVALID".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_says_why_and_writes_nothing() {
    let house = House::with_framework().await;
    let before = head(&house).await;
    let mut commitments = house.commitments();
    let observer = Caller("observer", "partners/ml", "observer");
    let answer = commitments.declare_commitment(observer.sends(declaration())).await;
    assert_eq!(refusal(answer), (Code::PermissionDenied, "ROLE_REQUIRED".into()));
    let other = Caller("focal_point", "partners/fr", "focal point");
    let answer = commitments.declare_commitment(other.sends(declaration())).await;
    assert_eq!(refusal(answer), (Code::PermissionDenied, "NOT_THE_OWNER".into()));
    let nowhere = pb::DeclareCommitmentRequest { answers: Some(place("madrid", "1")), ..declaration() };
    let answer = commitments.declare_commitment(FOCAL_POINT.sends(nowhere)).await;
    assert_eq!(refusal(answer), (Code::FailedPrecondition, "PLAN_UNKNOWN".into()));
    let mut elsewhere = declaration();
    elsewhere.answers.as_mut().expect("a place").framework = "frameworks/none".into();
    let answer = commitments.declare_commitment(FOCAL_POINT.sends(elsewhere)).await;
    assert_eq!(refusal(answer), (Code::NotFound, "NOT_FOUND".into()));
    let register = pb::RegisterCommitmentRequest { request_id: id(), name: COMMITMENT.into(), ..Default::default() };
    let answer = commitments.register_commitment(SECRETARY.sends(register)).await;
    assert_eq!(refusal(answer), (Code::NotFound, "NOT_FOUND".into()));
    assert_eq!(head(&house).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_speaks_the_caller_s_language_and_gives_the_values() {
    let house = House::with_commitment().await;
    let again = declaration();
    let mut request = FOCAL_POINT.sends(again);
    request.metadata_mut().insert("accept-language", "fr".parse().expect("ASCII"));
    let status = house.commitments().declare_commitment(request).await.expect_err("it is there");
    assert_eq!(status.code(), Code::AlreadyExists);
    let said = status.get_details_localized_message().expect("in words");
    assert_eq!(said.message, format!("{COMMITMENT} existe déjà."));
    assert_eq!(status.get_details_error_info().expect("a reason").metadata["resource"], COMMITMENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_request_is_told_at_once() {
    let house = House::with_framework().await;
    let wrong = pb::DeclareCommitmentRequest {
        request_id: "7".into(),
        name: "Commitment".into(),
        owner: "mali".into(),
        answers: None,
        text: None,
        agreements: vec!["treaties/x".into()],
        ..Default::default()
    };
    let status = house.commitments().declare_commitment(FOCAL_POINT.sends(wrong)).await.expect_err("all is wrong");
    assert_eq!(status.code(), Code::InvalidArgument);
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let mut fields: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["agreements[0]", "answers", "name", "owner", "request_id", "text"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let house = House::with_framework().await;
    let commitment = pb::GetCommitmentRequest { name: COMMITMENT.into(), ..Default::default() };
    let commitment = house.commitments().get_commitment(FOCAL_POINT.sends(commitment)).await;
    assert_eq!(refusal(commitment), (Code::NotFound, "NOT_FOUND".into()));
    let cycle = pb::OpenCycleRequest {
        request_id: id(),
        name: "cycles/x".into(),
        framework: "frameworks/none".into(),
        title: Some(official("x")),
        ..Default::default()
    };
    let cycle = house.cycles().open_cycle(SECRETARY.sends(cycle)).await;
    assert_eq!(refusal(cycle), (Code::NotFound, "NOT_FOUND".into()));
}
