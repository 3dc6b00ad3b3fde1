//! Read models: they show what the log says, and are the same however they are built.

use commitments::projections::{Commitments, Cycles, Frameworks, Indicators, Initiatives, MIGRATOR};
use contracts::toguna::{
    commitments::v1 as pb,
    partnerships::events::v1::{AgreementNatureContested, AgreementRegistered},
    r#type::v1::Date,
};
use event_store::{Log, Projection, testing::rows_whatever_the_batches};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::{
    house::{
        COMMITMENT, CYCLE, FOCAL_POINT, House, JVAP, Partnerships, SECRETARY, declaration, id, pb_events, refusal,
    },
    initiatives::{measured, value},
    receipt,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_the_resources_themselves_show() {
    let house = House::with_commitment().await;
    let note = pb::NoteProgressRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        text: declaration().text,
        ..Default::default()
    };
    let token =
        receipt!(house.commitments().note_progress(FOCAL_POINT.sends(note)).await.expect("noted")).consistency_token;
    let asked = pb::ListCommitmentsRequest {
        owner: "partners/ml".into(),
        framework: JVAP.into(),
        plan: "valletta".into(),
        item: "15".into(),
        status: pb::CommitmentStatus::InProgress.into(),
        overdue_on: Some(Date { year: 2019, month: 1, day: 1 }),
        at_least_as_fresh: vec![token.clone()],
        ..Default::default()
    };
    let listed = house.commitments().list_commitments(FOCAL_POINT.sends(asked.clone())).await.expect("a list");
    let listed = listed.into_inner();
    assert_eq!(listed.commitments, [house.commitment(None).await]);
    assert!(!listed.consistency_token.is_empty());
    let in_time = Some(Date { year: 2018, month: 12, day: 31 });
    for other in [
        pb::ListCommitmentsRequest { overdue_on: in_time, ..asked.clone() },
        pb::ListCommitmentsRequest { owner: "partners/fr".into(), ..asked.clone() },
        pb::ListCommitmentsRequest { item: "16".into(), ..asked.clone() },
        pb::ListCommitmentsRequest { status: pb::CommitmentStatus::Fulfilled.into(), ..asked },
    ] {
        let listed = house.commitments().list_commitments(FOCAL_POINT.sends(other)).await.expect("a list");
        assert!(listed.into_inner().commitments.is_empty());
    }

    let cycles = pb::ListCyclesRequest {
        framework: JVAP.into(),
        status: pb::CycleStatus::Open.into(),
        at_least_as_fresh: vec![token.clone()],
        ..Default::default()
    };
    let cycles = house.cycles().list_cycles(FOCAL_POINT.sends(cycles)).await.expect("a list").into_inner().cycles;
    assert_eq!(cycles.iter().map(|cycle| cycle.name.as_str()).collect::<Vec<_>>(), [CYCLE]);
    let frameworks = pb::ListFrameworksRequest { at_least_as_fresh: vec![token], ..Default::default() };
    let frameworks = house.frameworks().list_frameworks(FOCAL_POINT.sends(frameworks)).await.expect("a list");
    assert_eq!(frameworks.into_inner().frameworks[0].plans.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page() {
    let house = House::with_framework().await;
    let mut token = String::new();
    for number in 1..=3 {
        let declared = pb::DeclareCommitmentRequest { name: format!("commitments/c{number}"), ..declaration() };
        let answer = house.commitments().declare_commitment(FOCAL_POINT.sends(declared)).await.expect("declared");
        token = receipt!(answer).consistency_token;
    }
    let first = pb::ListCommitmentsRequest { page_size: 2, at_least_as_fresh: vec![token], ..Default::default() };
    let page = house.commitments().list_commitments(FOCAL_POINT.sends(first.clone())).await.expect("a page");
    let page = page.into_inner();
    assert_eq!(page.commitments.len(), 2);
    let next = pb::ListCommitmentsRequest { page_token: page.next_page_token, ..first };
    let rest = house.commitments().list_commitments(FOCAL_POINT.sends(next.clone())).await.expect("the next page");
    let rest = rest.into_inner();
    assert_eq!((rest.commitments[0].name.as_str(), rest.next_page_token.as_str()), ("commitments/c3", ""));
    let other = pb::ListCommitmentsRequest { owner: "partners/ml".into(), ..next };
    let other = house.commitments().list_commitments(FOCAL_POINT.sends(other)).await;
    assert_eq!(refusal(other), (Code::InvalidArgument, "INVALID_REQUEST".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_the_same_whatever_the_batches() {
    let mut house = measured().await;
    for number in ["775", "400"] {
        let reported = value(pb_events::Qualifier::Exact, number);
        house.indicators().report_indicator_value(FOCAL_POINT.sends(reported)).await.expect("it is reported");
    }
    let partnerships = Partnerships::open(&house).await;
    let agreement = "agreements/ml-eu-2016-communique";
    let token = partnerships.record(agreement, "2016-12-11", &AgreementRegistered::default()).await;
    let link = pb::LinkAgreementRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        at_least_as_fresh: vec![token],
        agreement: agreement.into(),
        ..Default::default()
    };
    house.commitments().link_agreement(SECRETARY.sends(link)).await.expect("it is linked");
    let contested = partnerships.record(agreement, "2016-12-19", &AgreementNatureContested::default()).await;
    let close = pb::CloseCycleRequest { request_id: id(), name: CYCLE.into(), ..Default::default() };
    let closed = receipt!(house.cycles().close_cycle(SECRETARY.sends(close)).await.expect("closed")).consistency_token;
    let seen = pb::ListCyclesRequest { at_least_as_fresh: vec![contested, closed], ..Default::default() };
    house.cycles().list_cycles(FOCAL_POINT.sends(seen)).await.expect("all is seen");
    house.stop().await;

    let url = &house.environment["DATABASE_URL"];
    let log = Log::open(commitments::SERVICE, url, CancellationToken::new()).await.expect("the log opens");
    let of = || log.clone();
    let projections: [&dyn Projection; 5] = [
        &Frameworks { log: of() },
        &Cycles { log: of() },
        &Commitments { log: of() },
        &Initiatives { log: of() },
        &Indicators { log: of() },
    ];
    let mut rows = 0;
    for projection in projections {
        rows += rows_whatever_the_batches(url, &MIGRATOR, &log, projection).await;
    }
    assert_eq!(rows, 6, "one row a table");
}
