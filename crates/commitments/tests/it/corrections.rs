//! Mistaken records: what is right, said by one person and confirmed by another.

use contracts::toguna::{commitments::v1 as pb, log::v1::Act};
use prost::{Message as _, Name as _};
use prost_types::Any;
use tonic::Code;

use crate::house::{COLLEAGUE, COMMITMENT, FOCAL_POINT, House, declaration, id, official, pb_events, place, refusal};

fn any(event: &pb_events::CommitmentDeclared) -> Any {
    let type_url = format!("type.googleapis.com/{}", pb_events::CommitmentDeclared::full_name());
    Any { type_url, value: event.encode_to_vec() }
}

fn right(item: &str) -> pb_events::CommitmentDeclared {
    let declared = declaration();
    pb_events::CommitmentDeclared {
        owner: declared.owner,
        answers: Some(place("valletta", item)),
        text: Some(official("Answer requests for consular documents")),
        due_on: declared.due_on,
        evidence_required: declared.evidence_required,
        agreements: Vec::new(),
    }
}

fn proposal(right: Option<Any>) -> pb::ProposeCorrectionRequest {
    pb::ProposeCorrectionRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        act: Some(Act { reason: "the text was another one".into(), ..Act::default() }),
        mistaken_version: 1,
        right,
        ..Default::default()
    }
}

fn confirmation() -> pb::ConfirmCorrectionRequest {
    pb::ConfirmCorrectionRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        proposal_version: 3,
        ..Default::default()
    }
}

async fn text(house: &House) -> String {
    house.commitment(None).await.text.and_then(|text| text.en).expect("a text").text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistaken_record_is_corrected_by_two_persons() {
    let house = House::with_commitment().await;
    let mut corrections = house.corrections();
    let proposed = corrections.propose_correction(FOCAL_POINT.sends(proposal(Some(any(&right("15")))))).await;
    proposed.expect("it is proposed");
    assert_eq!(text(&house).await, "Answer requests for travel documents");
    let alone = corrections.confirm_correction(FOCAL_POINT.sends(confirmation())).await;
    assert_eq!(refusal(alone), (Code::FailedPrecondition, "SECOND_PERSON_REQUIRED".into()));
    corrections.confirm_correction(COLLEAGUE.sends(confirmation())).await.expect("a second person confirms");
    assert_eq!(text(&house).await, "Answer requests for consular documents");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_names_only_what_is_there() {
    let house = House::with_commitment().await;
    let nowhere = house.corrections().propose_correction(FOCAL_POINT.sends(proposal(Some(any(&right("99")))))).await;
    assert_eq!(refusal(nowhere), (Code::FailedPrecondition, "PLAN_ITEM_UNKNOWN".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_the_resource_is_no_correction() {
    let house = House::with_commitment().await;
    let closed = Any { type_url: "toguna.commitments.events.v1.ReportingCycleClosed".into(), value: Vec::new() };
    let damaged = Any { value: vec![0xff], ..any(&right("15")) };
    for right in [None, Some(closed), Some(damaged)] {
        let refused = house.corrections().propose_correction(FOCAL_POINT.sends(proposal(right))).await;
        assert_eq!(refusal(refused), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    }
    let nothing = pb::ConfirmCorrectionRequest { name: "partners/ml".into(), ..confirmation() };
    let nothing = house.corrections().confirm_correction(FOCAL_POINT.sends(nothing)).await;
    assert_eq!(refusal(nothing), (Code::InvalidArgument, "INVALID_REQUEST".into()));
}
