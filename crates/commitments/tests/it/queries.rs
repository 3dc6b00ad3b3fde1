//! Lists by filter and order, parts of resources, several at once, as they were.

use commitments::projections::{COMMITMENTS, CYCLES, FRAMEWORKS, INDICATORS, INITIATIVES};
use contracts::toguna::{
    commitments::v1 as pb,
    partnerships::events::v1::{AgreementNatureContested, AgreementRegistered},
};
use prost_types::FieldMask;
use service_runtime::{
    Language,
    query::{Table, documented, mistaken},
};
use tonic::Code;

use crate::{
    house::{
        COMMITMENT, CYCLE, FOCAL_POINT, House, JVAP, Partnerships, SECRETARY, date, declaration, id, official,
        pb_events, refusal,
    },
    initiatives::{INDICATOR, PROJECT, measured, value},
    receipt,
};

const LISTS: [(&str, &Table); 5] = [
    ("ListFrameworks", &FRAMEWORKS),
    ("ListCycles", &CYCLES),
    ("ListCommitments", &COMMITMENTS),
    ("ListInitiatives", &INITIATIVES),
    ("ListIndicators", &INDICATORS),
];

const OTHER: &str = "commitments/ml-jvap-99";
const CONTESTED: pb_events::Contestation = pb_events::Contestation::Contested;
const UNCONTESTED: pb_events::Contestation = pb_events::Contestation::Uncontested;
const AGREEMENT: &str = "agreements/ml-eu-2016-communique";

/// With two promises: one in the register, one that rests on a contested agreement.
async fn two_promises() -> (House, Partnerships, Vec<String>) {
    let house = House::with_commitment().await;
    let partnerships = Partnerships::open(&house).await;
    let token = partnerships.record(AGREEMENT, "2016-12-11", &AgreementRegistered::default()).await;
    let other = pb::DeclareCommitmentRequest {
        name: OTHER.into(),
        text: Some(official("Délivrer les documents de voyage à temps")),
        due_on: Some(date(2030, 0, 0)),
        agreements: vec![AGREEMENT.into()],
        at_least_as_fresh: vec![token],
        ..declaration()
    };
    let declared = house.commitments().declare_commitment(FOCAL_POINT.sends(other)).await.expect("it is declared");
    let contested = partnerships.record(AGREEMENT, "2016-12-19", &AgreementNatureContested::default()).await;
    (house, partnerships, vec![receipt!(declared).consistency_token, contested])
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_are_found_by_what_they_say_and_what_they_rest_on() {
    let (house, _partnerships, seen) = two_promises().await;
    for (filter, expected) in [
        ("", &[COMMITMENT, OTHER][..]),
        ("contestation = CONTESTED", &[OTHER]),
        ("contestation = UNCONTESTED AND framework = frameworks/jvap", &[COMMITMENT]),
        ("agreements:agreements/ml-eu-2016-communique", &[OTHER]),
        ("text:\"DELIVRER les documents\"", &[OTHER]),
        ("due_on >= 2030", &[OTHER]),
        ("due_on < 2030 AND item = \"15\"", &[COMMITMENT]),
        ("owner = partners/ml AND NOT status = PROPOSED", &[COMMITMENT]),
        ("register_reference:*", &[]),
        ("plan != valletta", &[]),
    ] {
        let asked =
            pb::ListCommitmentsRequest { filter: filter.into(), at_least_as_fresh: seen.clone(), ..Default::default() };
        let listed = house.commitments().list_commitments(FOCAL_POINT.sends(asked)).await.expect(filter).into_inner();
        let names: Vec<&str> = listed.commitments.iter().map(|commitment| commitment.name.as_str()).collect();
        assert_eq!(names, expected, "{filter}");
    }
    let mut asked = pb::ListCommitmentsRequest {
        order_by: "due_on desc".into(),
        page_size: 1,
        at_least_as_fresh: seen,
        read_mask: Some(FieldMask { paths: vec!["name".into(), "contestation".into()] }),
        ..Default::default()
    };
    let first =
        house.commitments().list_commitments(FOCAL_POINT.sends(asked.clone())).await.expect("a page").into_inner();
    let flagged = pb::Commitment {
        name: OTHER.into(),
        contestation: pb_events::Contestation::Contested.into(),
        ..Default::default()
    };
    assert_eq!(first.commitments, [flagged], "a part holds what the agreements add, too");
    asked.page_token = first.next_page_token;
    let second = house.commitments().list_commitments(FOCAL_POINT.sends(asked)).await.expect("a page").into_inner();
    assert_eq!((second.commitments[0].name.as_str(), second.next_page_token.as_str()), (COMMITMENT, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_of_a_promise_says_of_agreements_what_was_known_then() {
    let (house, _partnerships, seen) = two_promises().await;
    let names = [OTHER.to_owned(), format!("{OTHER}/revisions/1"), format!("{COMMITMENT}/revisions/1")];
    let asked = pb::BatchGetCommitmentsRequest { names: names.to_vec(), at_least_as_fresh: seen, ..Default::default() };
    let got = house.commitments().batch_get_commitments(FOCAL_POINT.sends(asked)).await.expect("three").into_inner();
    assert_eq!(got.commitments.iter().map(|commitment| commitment.name.clone()).collect::<Vec<_>>(), names);
    let flags: Vec<_> = got.commitments.iter().map(pb::Commitment::contestation).collect();
    assert_eq!(flags, [CONTESTED, UNCONTESTED, UNCONTESTED]);
    assert_eq!(got.commitments[1].agreements[0].standing(), pb_events::AgreementStanding::Active);
    assert_eq!(got.commitments[2].status(), pb::CommitmentStatus::Proposed, "it was not in the register yet");
    let missing = pb::BatchGetCommitmentsRequest { names: vec![format!("{OTHER}/revisions/2")], ..Default::default() };
    let missing = house.commitments().batch_get_commitments(FOCAL_POINT.sends(missing)).await;
    assert_eq!(refusal(missing), (Code::NotFound, "NOT_FOUND".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_lists_know_their_fields() {
    let house = measured().await;
    let reported = value(pb_events::Qualifier::Exact, "775");
    let reported = house.indicators().report_indicator_value(FOCAL_POINT.sends(reported)).await.expect("reported");
    let close = pb::CloseCycleRequest { request_id: id(), name: CYCLE.into(), ..Default::default() };
    let closed = house.cycles().close_cycle(SECRETARY.sends(close)).await.expect("closed");
    let at_least_as_fresh = vec![receipt!(reported).consistency_token, receipt!(closed).consistency_token];

    let filter = "kind = JOINT_ACTION_PLAN AND title:valletta AND secretariat = partners/icmpd".to_owned();
    let asked =
        pb::ListFrameworksRequest { filter, at_least_as_fresh: at_least_as_fresh.clone(), ..Default::default() };
    let listed = house.frameworks().list_frameworks(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    assert_eq!(listed.frameworks[0].name, JVAP);

    let filter = "status = CLOSED AND framework = frameworks/jvap AND title:2018".to_owned();
    let asked = pb::ListCyclesRequest {
        filter,
        order_by: "closed_on desc, status".into(),
        at_least_as_fresh: at_least_as_fresh.clone(),
        ..Default::default()
    };
    let listed = house.cycles().list_cycles(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    assert_eq!(listed.cycles[0].name, CYCLE);

    let filter = "verification = PENDING AND confirmation:* AND name:*".to_owned();
    let asked = pb::ListInitiativesRequest {
        filter,
        order_by: "responsible, status".into(),
        at_least_as_fresh: at_least_as_fresh.clone(),
        ..Default::default()
    };
    let listed = house.initiatives().list_initiatives(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    assert_eq!(listed.initiatives[0].name, PROJECT);

    let filter = "agreement = CONSISTENT AND title:* AND subjects:*".to_owned();
    let asked =
        pb::ListIndicatorsRequest { filter, order_by: "agreement".into(), at_least_as_fresh, ..Default::default() };
    let listed = house.indicators().list_indicators(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    assert_eq!(listed.indicators[0].name, INDICATOR);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_of_each_kind_are_asked_for_at_once() {
    let house = measured().await;
    let read_mask = Some(FieldMask { paths: vec!["name".into()] });
    let names = |name: &str| vec![format!("{name}/revisions/1")];
    let asked =
        pb::BatchGetFrameworksRequest { names: names(JVAP), read_mask: read_mask.clone(), ..Default::default() };
    let got = house.frameworks().batch_get_frameworks(FOCAL_POINT.sends(asked)).await.expect("one").into_inner();
    assert_eq!(got.frameworks, [pb::Framework { name: names(JVAP).remove(0), ..Default::default() }]);
    let asked = pb::BatchGetCyclesRequest { names: names(CYCLE), read_mask: read_mask.clone(), ..Default::default() };
    let got = house.cycles().batch_get_cycles(FOCAL_POINT.sends(asked)).await.expect("one").into_inner();
    assert_eq!(got.cycles, [pb::Cycle { name: names(CYCLE).remove(0), ..Default::default() }]);
    let asked =
        pb::BatchGetInitiativesRequest { names: names(PROJECT), read_mask: read_mask.clone(), ..Default::default() };
    let got = house.initiatives().batch_get_initiatives(FOCAL_POINT.sends(asked)).await.expect("one").into_inner();
    assert_eq!(got.initiatives, [pb::Initiative { name: names(PROJECT).remove(0), ..Default::default() }]);
    let asked = pb::BatchGetIndicatorsRequest { names: names(INDICATOR), read_mask, ..Default::default() };
    let got = house.indicators().batch_get_indicators(FOCAL_POINT.sends(asked)).await.expect("one").into_inner();
    assert_eq!(got.indicators, [pb::Indicator { name: names(INDICATOR).remove(0), ..Default::default() }]);
}

#[test]
fn lists_are_declared_as_they_are() {
    let mistakes: Vec<String> = LISTS.iter().flat_map(|(_, table)| mistaken(table)).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn the_pages_on_queries_say_what_lists_know() {
    harness::hold_part("queries.md", "commitments", &documented(&LISTS, Language::English));
    harness::hold_part("queries.fr.md", "commitments", &documented(&LISTS, Language::French));
}
