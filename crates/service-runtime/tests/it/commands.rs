//! What a command's envelope brings, seen from outside.

use std::time::{Duration, Instant};

use contracts::toguna::{
    disbursements::v1::{ConfirmCorrectionRequest, ProposeCorrectionRequest},
    log::v1 as pb,
    r#type::v1::Date,
};
use event_store::ConsistencyToken;
use prost::Message as _;
use service_runtime::LogReaders;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::notes::{Service, by, environment, note, reason, unique_name, with_token};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_with_a_receipt() {
    let mut service = Service::start().await;
    let answer = service.notes.propose_correction(by("aminata", note(7))).await.expect("it is noted");
    let token = answer.metadata().get("consistency-token").expect("in the metadata too").clone();
    assert!(answer.metadata().get("idempotent-replay").is_none());
    let receipt = answer.into_inner().receipt.expect("a receipt");
    assert_eq!(receipt.etag, "\"1\"");
    assert_eq!(receipt.consistency_token, token.to_str().expect("ASCII"));
    assert!(!receipt.replayed);
    let [event] = receipt.events.as_slice() else { panic!("one event: {receipt:?}") };
    assert_eq!((event.position, event.version, event.stream.as_str()), (1, 1, "funds/one"));
    assert_eq!(event.r#type, "toguna.log.v1.EventReference");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_says_who_did_what_on_what_ground() {
    let mut service = Service::start().await;
    let source = pb::Source { title: "Journal officiel".into(), kind: "law".into(), ..pb::Source::default() };
    let sent = ProposeCorrectionRequest {
        act: Some(pb::Act {
            on_behalf_of: "partners/fra".into(),
            effective_on: Some(Date { year: 2016, month: 4, day: 15 }),
            sources: vec![source.clone()],
            certainty: pb::Certainty::Inferred.into(),
            reason: "d’après la publication".into(),
            ..pb::Act::default()
        }),
        ..note(7)
    };
    let mut request = by("aminata", sent.clone());
    let (undertaking, trace) = (Uuid::now_v7(), "0af7651916cd43dd8448eb211c80319c");
    let metadata = request.metadata_mut();
    metadata.insert("correlation-id", undertaking.to_string().parse().expect("ASCII"));
    metadata.insert("traceparent", format!("00-{trace}-b7ad6b7169203331-01").parse().expect("ASCII"));
    service.notes.propose_correction(request).await.expect("it is noted");

    let record = stored(&mut service).await.remove(0);
    let actor = record.actor.clone().expect("an actor");
    assert_eq!((actor.organisation.as_str(), actor.issuer.as_str()), ("partners/mli", harness::ISSUER));
    assert_eq!(actor.roles, ["focal_point", "reader"]);
    assert_eq!(actor.subject.len(), 64, "a pseudonym");
    assert!(!format!("{record:?}").contains("aminata"));
    assert_eq!((record.on_behalf_of.as_str(), record.basis()), ("partners/fra", pb::Basis::RecordedFromSource));
    assert_eq!((record.certainty(), record.reason.as_str()), (pb::Certainty::Inferred, "d’après la publication"));
    assert_eq!(record.sources, [source]);
    assert_eq!(record.effective_on, Some(Date { year: 2016, month: 4, day: 15 }));
    assert_eq!(record.request_id, Uuid::try_parse(&sent.request_id).expect("a UUID").as_bytes());
    assert_eq!(record.correlation_id, undertaking.as_bytes());
    assert!(record.traceparent.starts_with(&format!("00-{trace}-")), "{}", record.traceparent);
    let content = ProposeCorrectionRequest { request_id: String::new(), ..sent };
    let mut hash = Sha256::new();
    hash.update("toguna.disbursements.v1.ProposeCorrectionRequest\0");
    hash.update(content.encode_to_vec());
    assert_eq!(record.content_hash, hash.finalize().as_slice());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_gets_the_same_answer() {
    let mut service = Service::start().await;
    let sent = note(7);
    let first = service.notes.propose_correction(by("aminata", sent.clone())).await.expect("it is noted");
    let again = ProposeCorrectionRequest {
        at_least_as_fresh: vec![token_of(first.into_inner().receipt.as_ref())],
        ..sent.clone()
    };
    let second = service.notes.propose_correction(by("aminata", again)).await.expect("the same answer");
    assert_eq!(second.metadata().get("idempotent-replay").expect("said in the metadata"), "true");
    let receipt = second.into_inner().receipt.expect("a receipt");
    assert!(receipt.replayed);
    assert_eq!((receipt.etag.as_str(), receipt.events[0].position), ("\"1\"", 1));

    let other = ProposeCorrectionRequest { mistaken_version: 8, ..sent };
    let status = service.notes.propose_correction(by("aminata", other)).await.expect_err("another content");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(stored(&mut service).await.len(), 1);
}

fn token_of(receipt: Option<&pb::Receipt>) -> String {
    receipt.expect("a receipt").consistency_token.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_is_mended_by_what_the_refusal_says() {
    let mut service = Service::start().await;
    service.note(1).await;
    service.note(2).await;
    let stale = ProposeCorrectionRequest { etag: "\"1\"".into(), ..note(3) };
    let status = service.notes.propose_correction(by("aminata", stale.clone())).await.expect_err("it is stale");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "STALE_VERSION"));
    let etag = status.get_details_error_info().expect("a reason").metadata["etag"].clone();
    let mended = ProposeCorrectionRequest { etag, ..stale };
    let answer = service.notes.propose_correction(by("aminata", mended)).await.expect("it is mended");
    assert_eq!(answer.into_inner().receipt.expect("a receipt").etag, "\"3\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_validated_is_not_written() {
    let mut service = Service::start().await;
    let dry = ProposeCorrectionRequest { validate_only: true, ..note(7) };
    let answer = service.notes.propose_correction(by("aminata", dry.clone())).await.expect("it would be noted");
    let receipt = answer.into_inner().receipt.expect("a receipt");
    assert_eq!((receipt.events[0].position, receipt.etag.as_str()), (0, "\"1\""));
    assert!(stored(&mut service).await.is_empty());
    let real = ProposeCorrectionRequest { validate_only: false, ..dry };
    assert!(service.notes.propose_correction(by("aminata", real)).await.is_ok(), "the request id is not used up");
    let dry = ProposeCorrectionRequest { validate_only: true, ..note(1001) };
    let status = service.notes.propose_correction(by("aminata", dry)).await.expect_err("by the real rule");
    assert_eq!(reason(&status), "RECORD_NOT_CORRECTABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_envelope_and_fields_is_told_at_once() {
    let mut service = Service::start().await;
    let wrong = ProposeCorrectionRequest {
        request_id: "7".into(),
        etag: "1".into(),
        at_least_as_fresh: vec!["nonsense".into()],
        act: Some(pb::Act { reason: "\n".into(), ..pb::Act::default() }),
        name: "Notebook".into(),
        ..ProposeCorrectionRequest::default()
    };
    let status = service.notes.propose_correction(by("aminata", wrong)).await.expect_err("all is wrong");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let mut fields: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["act.reason", "at_least_as_fresh[0]", "etag", "name", "request_id"]);
    assert!(stored(&mut service).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_s_refusal_says_its_reason_and_writes_nothing() {
    let mut service = Service::start().await;
    let mut request = by("aminata", note(1001));
    request.metadata_mut().insert("accept-language", "fr".parse().expect("ASCII"));
    let status = service.notes.propose_correction(request).await.expect_err("too large");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "RECORD_NOT_CORRECTABLE"));
    let said = status.get_details_localized_message().expect("in the caller's language").message;
    assert!(said.contains("1001") && said.contains("ne peut être corrigé"), "{said}");
    assert!(stored(&mut service).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_commands_or_asks_without_a_token() {
    let mut service = Service::start().await;
    for status in [
        service.notes.propose_correction(note(7)).await.map(|_| ()).expect_err("no token"),
        service.notes.confirm_correction(ConfirmCorrectionRequest::default()).await.map(|_| ()).expect_err("no token"),
        service.log.get_log(pb::GetLogRequest {}).await.map(|_| ()).expect_err("no token"),
        service.log.replay_log(pb::ReplayLogRequest::default()).await.map(|_| ()).expect_err("no token"),
        service.notes.propose_correction(with_token("garbage", note(7))).await.map(|_| ()).expect_err("no token"),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "TOKEN_INVALID"));
    }
    assert!(stored(&mut service).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_comes_before_everything_else_that_is_wrong() {
    let mut service = Service::start().await;
    let status = service.notes.propose_correction(ProposeCorrectionRequest::default()).await.expect_err("no token");
    assert_eq!(status.code(), Code::Unauthenticated);
    let act = pb::Act { on_behalf_of: "partners/fra".into(), basis: pb::Basis::Act.into(), ..pb::Act::default() };
    let wrong = ProposeCorrectionRequest { act: Some(act), ..ProposeCorrectionRequest::default() };
    let status = service.notes.propose_correction(by("aminata", wrong)).await.expect_err("not theirs");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ACTS_FOR_ANOTHER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_needed_is_named() {
    let mut service = Service::start().await;
    let token = harness::token("contributor", "partners/mli", "moussa");
    let asked = service.notes.confirm_correction(with_token(&token, ConfirmCorrectionRequest::default())).await;
    let status = asked.expect_err("not for contributors");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    assert!(status.message().contains("reader or auditor"), "{}", status.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_future_of_elsewhere_and_of_another_history_are_told_apart() {
    let mut service = Service::start().await;
    let token: ConsistencyToken = service.note(1).await.consistency_token.parse().expect("a token");
    let asking = |token: ConsistencyToken| ConfirmCorrectionRequest {
        at_least_as_fresh: vec![token.to_string()],
        ..ConfirmCorrectionRequest::default()
    };
    let seen = service.notes.confirm_correction(by("aminata", asking(token.clone()))).await.expect("it was seen");
    assert_eq!(token_of(seen.into_inner().receipt.as_ref()), token.to_string());

    let future = ConsistencyToken { position: 2, ..token.clone() };
    let mut request = by("aminata", asking(future.clone()));
    request.set_timeout(Duration::from_millis(800));
    let started = Instant::now();
    let status = service.notes.confirm_correction(request).await.expect_err("nobody has seen it");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "READ_MODEL_BEHIND"));
    assert!(started.elapsed().as_millis() >= 600, "it waited: {:?}", started.elapsed());
    let details = status.get_error_details();
    assert!(details.retry_info().is_some());
    let values = &details.error_info().expect("a reason").metadata;
    assert_eq!((values["position"].as_str(), values["wanted"].as_str()), ("1", "2"));
    assert_eq!((values["events"].as_str(), values["seconds"].as_str()), ("1", "0"));

    // The same is true once it has come, also for a command.
    let command = ProposeCorrectionRequest { at_least_as_fresh: vec![future.to_string()], ..note(3) };
    let mut notes = service.notes.clone();
    let waiting = tokio::spawn(async move { notes.propose_correction(by("aminata", command)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    service.note(2).await;
    waiting.await.expect("no panic").expect("what it waited for has come");

    let elsewhere = ConsistencyToken { log: "elsewhere".into(), ..token.clone() };
    let status = service.notes.confirm_correction(by("aminata", asking(elsewhere))).await.expect_err("not followed");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "TOKEN_FOREIGN_LOG"));
    let restored = ConsistencyToken { epoch: Uuid::from_u128(7).into(), ..token };
    let status = service.notes.confirm_correction(by("aminata", asking(restored))).await.expect_err("another history");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "TOKEN_OTHER_EPOCH"));
}

/// Every record of the log.
async fn stored(service: &mut Service) -> Vec<pb::EventRecord> {
    let answers = service.log.replay_log(by("auditor", pb::ReplayLogRequest::default())).await.expect("a replay");
    let mut answers = answers.into_inner();
    let mut records = Vec::new();
    while let Some(answer) = answers.message().await.expect("an answer") {
        if let Some(pb::replay_log_response::Message::Events(batch)) = answer.message {
            records.extend(
                batch.events.iter().map(|event| pb::EventRecord::decode(event.record.clone()).expect("a record")),
            );
        }
    }
    records
}

/// Texts within their limits can still be more, together, than what is stored of one event.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_large_is_refused_before_anything_is_written() {
    let mut service = Service::start().await;
    let long = || "é".repeat(500);
    let source = pb::Source { title: long(), kind: long(), issuer: long(), location: long(), ..pb::Source::default() };
    let act = pb::Act { sources: vec![source; 20], ..pb::Act::default() };
    let sent = by("aminata", ProposeCorrectionRequest { act: Some(act), ..note(7) });
    let status = service.notes.propose_correction(sent).await.expect_err("it is too large");
    let info = status.get_details_error_info().expect("always there");
    assert_eq!((status.code(), info.reason.as_str()), (Code::InvalidArgument, "EVENT_TOO_LARGE"));
    assert!(info.metadata["limit"] == "65535" && status.message().contains("65,535"), "{status:?}");
    assert_eq!(service.note(8).await.events[0].position, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_lets_nobody_in_callers_are_told_to_come_again() {
    let environment = environment().await;
    let mut service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    service.note(1).await;
    let mut owner = PgConnection::connect(&environment["DATABASE_URL"]).await.expect("the owner connects");
    let limited = |most: i32| {
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {most}', current_database()); END $$")
    };
    sqlx::query(AssertSqlSafe(limited(0))).execute(&mut owner).await.expect("nobody comes in");
    crate::following::cut(&mut owner).await;
    let sent = note(2);
    let status = service.notes.propose_correction(by("aminata", sent.clone())).await.expect_err("it is not written");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "LOG_UNAVAILABLE"), "{status:?}");
    assert!(status.get_details_retry_info().is_some());
    sqlx::query(AssertSqlSafe(limited(-1))).execute(&mut owner).await.expect("all come in");
    let started = Instant::now();
    while service.notes.propose_correction(by("aminata", sent.clone())).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "the log comes back");
    }
}
