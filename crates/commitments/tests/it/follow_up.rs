//! A promise from its declaration to its end, as ministries and the secretariat live it.

use contracts::toguna::{
    commitments::v1 as pb,
    log::v1::{Act, Basis},
};
use tonic::Code;

use crate::{
    house::{
        COMMITMENT, CYCLE, Caller, FOCAL_POINT, House, JVAP, SECRETARY, VERIFIER, date, declaration, id, official,
        place, refusal, source, types,
    },
    receipt,
};

fn submission(sources: &[&str]) -> pb::SubmitProgressRequest {
    pb::SubmitProgressRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        act: Some(Act { sources: sources.iter().map(|title| source(title)).collect(), ..Act::default() }),
        cycle: CYCLE.into(),
        text: Some(official("1,200 requests answered")),
        ..Default::default()
    }
}

fn verification() -> pb::VerifyProgressRequest {
    pb::VerifyProgressRequest { request_id: id(), name: COMMITMENT.into(), cycle: CYCLE.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_returned_sent_again_with_evidence_verified_and_the_promise_kept() {
    let house = House::with_commitment().await;
    let mut commitments = house.commitments();

    commitments.submit_progress(FOCAL_POINT.sends(submission(&[]))).await.expect("it is submitted");
    assert_eq!(house.commitment(None).await.status(), pb::CommitmentStatus::Reported);
    let unproved = commitments.verify_progress(VERIFIER.sends(verification())).await;
    assert_eq!(refusal(unproved), (Code::FailedPrecondition, "EVIDENCE_MISSING".into()));

    let returned = pb::ReturnProgressRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        act: Some(Act { reason: "no document proves it".into(), ..Act::default() }),
        cycle: CYCLE.into(),
        ..Default::default()
    };
    commitments.return_progress(VERIFIER.sends(returned)).await.expect("it is returned");
    commitments.submit_progress(FOCAL_POINT.sends(submission(&["statistics"]))).await.expect("it is submitted again");
    let receipt = receipt!(commitments.verify_progress(VERIFIER.sends(verification())).await.expect("it is verified"));
    assert_eq!(types(&receipt), ["ProgressVerified"]);

    let kept = pb::FulfilCommitmentRequest { request_id: id(), name: COMMITMENT.into(), ..Default::default() };
    let other = Caller("focal_point", "partners/fr", "focal point");
    let by_another = commitments.fulfil_commitment(other.sends(kept.clone())).await;
    assert_eq!(refusal(by_another), (Code::PermissionDenied, "NOT_THE_OWNER".into()));
    commitments.fulfil_commitment(FOCAL_POINT.sends(kept)).await.expect("its owner says so");

    let shown = house.commitment(None).await;
    assert_eq!(shown.status(), pb::CommitmentStatus::Fulfilled);
    let [report] = shown.reports.as_slice() else { panic!("one report a cycle: {shown:?}") };
    assert_eq!(report.status(), pb::ReportStatus::Verified);
    assert_eq!(report.evidence[0].title, "statistics");
    assert_eq!(report.verdict.as_ref().expect("a verdict").on_behalf_of, "partners/icmpd");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_cycle_takes_no_reports() {
    let house = House::with_commitment().await;
    let close = pb::CloseCycleRequest { request_id: id(), name: CYCLE.into(), ..Default::default() };
    house.cycles().close_cycle(SECRETARY.sends(close)).await.expect("it is closed");
    let late = house.commitments().submit_progress(FOCAL_POINT.sends(submission(&[]))).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "CYCLE_NOT_OPEN".into()));
    let asked = pb::GetCycleRequest { name: CYCLE.into(), ..Default::default() };
    let cycle = house.cycles().get_cycle(FOCAL_POINT.sends(asked)).await.expect("it is there").into_inner().cycle;
    assert_eq!(cycle.expect("a cycle").status(), pb::CycleStatus::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_in_a_source_is_shown_as_unconfirmed_until_the_owner_confirms_it() {
    let house = House::with_framework().await;
    let read = pb::DeclareCommitmentRequest {
        act: Some(Act {
            on_behalf_of: "partners/ml".into(),
            basis: Basis::RecordedFromSource.into(),
            sources: vec![source("a newspaper")],
            ..Act::default()
        }),
        ..declaration()
    };
    house.commitments().declare_commitment(SECRETARY.sends(read)).await.expect("it is recorded");
    let shown = house.commitment(None).await;
    assert_eq!(shown.confirmation(), pb::Confirmation::Unconfirmed);
    assert_eq!(shown.provenance.expect("who says so").sources[0].title, "a newspaper");
    let confirm = pb::ConfirmCommitmentRequest { request_id: id(), name: COMMITMENT.into(), ..Default::default() };
    house.commitments().confirm_commitment(FOCAL_POINT.sends(confirm)).await.expect("its owner confirms");
    assert_eq!(house.commitment(None).await.confirmation(), pb::Confirmation::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_promise_moves_to_the_next_plan_and_the_old_link_stays_readable() {
    let house = House::with_commitment().await;
    let migrate = pb::MigrateCommitmentRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        act: Some(Act { effective_on: Some(date(2022, 12, 14)), ..Act::default() }),
        plan: "update".into(),
        item: "15".into(),
        ..Default::default()
    };
    let nowhere = pb::MigrateCommitmentRequest { request_id: id(), item: "99".into(), ..migrate.clone() };
    let nowhere = house.commitments().migrate_commitment(SECRETARY.sends(nowhere)).await;
    assert_eq!(refusal(nowhere), (Code::FailedPrecondition, "PLAN_ITEM_UNKNOWN".into()));
    house.commitments().migrate_commitment(SECRETARY.sends(migrate)).await.expect("it is migrated");

    let before = house.commitment(Some(date(2022, 12, 13))).await;
    assert_eq!(before.answers, Some(place("valletta", "15")));
    let after = house.commitment(None).await;
    assert_eq!((after.answers, after.answered_before), (Some(place("update", "15")), vec![place("valletta", "15")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sent_twice_has_one_effect_and_an_etag_guards_against_others() {
    let house = House::with_commitment().await;
    let note = pb::NoteProgressRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        etag: "\"2\"".into(),
        text: Some(official("a consular mission")),
        ..Default::default()
    };
    let first = receipt!(house.commitments().note_progress(FOCAL_POINT.sends(note.clone())).await.expect("noted"));
    assert_eq!((first.etag.as_str(), first.replayed), ("\"3\"", false));
    let again = receipt!(house.commitments().note_progress(FOCAL_POINT.sends(note.clone())).await.expect("the same"));
    assert_eq!((again.events, again.replayed), (first.events, true));
    let stale = pb::NoteProgressRequest { request_id: id(), ..note };
    let stale = house.commitments().note_progress(FOCAL_POINT.sends(stale)).await;
    assert_eq!(refusal(stale), (Code::Aborted, "STALE_VERSION".into()));
    assert_eq!(house.commitment(None).await.notes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framework_shows_its_plans_with_what_each_source_counts() {
    let house = House::with_framework().await;
    for (count, title) in [(29, "official page"), (31, "copies"), (21, "a newspaper")] {
        let counted = pb::RecordPlanCountRequest {
            request_id: id(),
            name: JVAP.into(),
            act: Some(Act { sources: vec![source(title)], ..Act::default() }),
            plan: "valletta".into(),
            kind: crate::house::pb_events::PlanItemKind::Action.into(),
            count,
            ..Default::default()
        };
        house.frameworks().record_plan_count(SECRETARY.sends(counted)).await.expect("it is recorded");
    }
    let asked = pb::GetFrameworkRequest { name: JVAP.into(), ..Default::default() };
    let answer = house.frameworks().get_framework(FOCAL_POINT.sends(asked)).await.expect("it is there").into_inner();
    let framework = answer.framework.expect("a framework");
    assert_eq!(framework.secretariat, "partners/icmpd");
    let plan = &framework.plans[0];
    assert_eq!(plan.items.iter().map(|item| item.item.as_str()).collect::<Vec<_>>(), ["D5", "15"]);
    let told: Vec<_> = plan.counts.iter().map(|count| (count.count, count.provenance.clone())).collect();
    let told: Vec<_> =
        told.iter().map(|(count, by)| (*count, by.as_ref().expect("by whom").sources[0].title.as_str())).collect();
    assert_eq!(told, [(29, "official page"), (31, "copies"), (21, "a newspaper")]);
}
