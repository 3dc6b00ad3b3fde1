//! What is refused is kept beside the log, for those who may see it.

use std::{collections::HashMap, time::Instant};

use contracts::toguna::{
    disbursements::v1::{ConfirmCorrectionRequest, ProposeCorrectionRequest},
    errors::v1::RefusalKind,
    log::v1::{self as pb},
};
use harness::Servers;
use service_runtime::LogReaders;
use sqlx::{Connection as _, PgConnection};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::notes::{Service, by, environment, note, reason, unique_name, with_token};

/// The service with the address of its database.
async fn service(changed: &[(&'static str, &str)]) -> (Service, HashMap<&'static str, String>) {
    let mut environment = environment().await;
    environment.extend(changed.iter().map(|(name, value)| (*name, (*value).to_owned())));
    (Service::start_in(unique_name(), &environment, LogReaders::Partners).await, environment)
}

/// Somebody without a role that may take notes.
fn by_nobody<T>(organisation: &str, message: T) -> tonic::Request<T> {
    with_token(&harness::token("observer", organisation, "moussa"), message)
}

async fn listed(service: &mut Service, asked: pb::ListRefusalsRequest) -> pb::ListRefusalsResponse {
    let auditor = harness::token("auditor", "partners/court-of-auditors", "auditor");
    service.journal.list_refusals(with_token(&auditor, asked)).await.expect("they are listed").into_inner()
}

async fn refusals(service: &mut Service) -> Vec<pb::Refusal> {
    listed(service, pb::ListRefusalsRequest::default()).await.refusals
}

async fn refused(service: &mut Service, request: tonic::Request<ProposeCorrectionRequest>) -> Status {
    service.notes.propose_correction(request).await.expect_err("it is refused")
}

async fn as_owner(environment: &HashMap<&'static str, String>) -> PgConnection {
    PgConnection::connect(&environment["DATABASE_URL"]).await.expect("the database")
}

/// All bytes of the log.
async fn log_bytes(environment: &HashMap<&'static str, String>) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT 'events', coalesce(md5(string_agg(e::text, '|' ORDER BY position)), '') FROM log.events e
         UNION ALL SELECT 'head', coalesce(md5(string_agg(h::text, '|')), '') FROM log.head h
         UNION ALL SELECT 'requests', coalesce(md5(string_agg(r::text, '|' ORDER BY request_id)), '') FROM log.requests r
         UNION ALL SELECT 'epochs', coalesce(md5(string_agg(p::text, '|' ORDER BY epoch)), '') FROM log.epochs p",
    )
    .fetch_all(&mut as_owner(environment).await)
    .await
    .expect("the log")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_in_the_journal_once_it_is_told_and_the_log_is_as_it_was() {
    let (mut service, environment) = service(&[]).await;
    service.note(7).await;
    let before = log_bytes(&environment).await;
    let sent = note(8);
    let mut request = by_nobody("partners/mli", sent.clone());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    request.metadata_mut().insert("traceparent", format!("00-{trace}-b7ad6b7169203331-01").parse().expect("ASCII"));
    let status = refused(&mut service, request).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));

    let kept = refusals(&mut service).await;
    let [refusal] = kept.as_slice() else { panic!("one: {kept:?}") };
    assert_eq!((refusal.kind(), refusal.reason.as_str(), refusal.count), (RefusalKind::Permission, "ROLE_REQUIRED", 1));
    let actor = refusal.actor.clone().expect("who it was");
    assert_eq!((actor.organisation.as_str(), actor.issuer.as_str()), ("partners/mli", harness::ISSUER));
    assert_eq!((actor.subject.len(), actor.roles), (64, vec!["observer".to_owned()]));
    assert!(!format!("{refusal:?}").contains("moussa"), "by pseudonym alone");
    assert_eq!((refusal.on_behalf_of.as_str(), refusal.resource.as_str()), ("partners/mli", "funds/one"));
    assert_eq!(refusal.method, "toguna.disbursements.v1.CorrectionService/ProposeCorrection");
    assert_eq!((refusal.request_id.as_str(), refusal.trace_id.as_str()), (sent.request_id.as_str(), trace));
    assert_eq!(refusal.refused_at, refusal.first_refused_at);
    let role = refusal.values.iter().find(|value| value.key == "role").expect("the roles it takes");
    assert_eq!(role.value, "focal_point, contributor");
    assert_eq!(log_bytes(&environment).await, before, "no byte of the log has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_of_a_command_is_kept_with_its_request_id_and_a_dry_run_is_marked() {
    let (mut service, _) = service(&[]).await;
    let sent = note(8);
    for _ in 0..2 {
        refused(&mut service, by_nobody("partners/mli", sent.clone())).await;
    }
    let dry = ProposeCorrectionRequest { validate_only: true, ..note(9) };
    refused(&mut service, by_nobody("partners/mli", dry)).await;
    let kept = refusals(&mut service).await;
    let said: Vec<_> = kept.iter().map(|it| (it.validate_only, it.request_id == sent.request_id)).collect();
    assert_eq!(said, [(true, false), (false, true), (false, true)], "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_for_another_is_kept_without_a_word_of_its_own() {
    let (mut service, _) = service(&[]).await;
    let act = |whose: &str| pb::Act { on_behalf_of: whose.into(), basis: pb::Basis::Act.into(), ..pb::Act::default() };
    for whose in ["partners/fra", "somebody whose name is a story"] {
        let sent = ProposeCorrectionRequest {
            act: Some(act(whose)),
            name: "not a name either".into(),
            request_id: "neither an id".into(),
            ..note(8)
        };
        assert_eq!(reason(&refused(&mut service, by("aminata", sent)).await), "ACTS_FOR_ANOTHER");
    }
    let kept = refusals(&mut service).await;
    let said: Vec<_> = kept.iter().map(|it| it.on_behalf_of.as_str()).collect();
    assert_eq!(said, ["", "partners/fra"]);
    assert!(kept.iter().all(|it| it.resource.is_empty() && it.request_id.is_empty()), "{kept:?}");
    let written = format!("{kept:?}");
    assert!(!written.contains("story") && !written.contains("either") && !written.contains("neither"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_unknown_or_done_is_not_kept_nor_what_nobody_verified_asks() {
    let (mut service, _) = service(&[]).await;
    let wrong = ProposeCorrectionRequest { request_id: "7".into(), ..note(8) };
    let stale = ProposeCorrectionRequest { etag: "\"9\"".into(), ..note(8) };
    for (sent, expected) in
        [(wrong, "INVALID_REQUEST"), (stale, "STALE_VERSION"), (note(1001), "RECORD_NOT_CORRECTABLE")]
    {
        assert_eq!(reason(&refused(&mut service, by("aminata", sent)).await), expected);
    }
    assert_eq!(reason(&refused(&mut service, with_token("garbage", note(8))).await), "TOKEN_INVALID");
    service.note(8).await;
    assert_eq!(refusals(&mut service).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_see_all_administrators_their_own_and_others_nothing() {
    let (mut service, _) = service(&[]).await;
    refused(&mut service, by_nobody("partners/mli", note(1))).await;
    refused(&mut service, by_nobody("partners/fra", note(2))).await;
    let ask = |organisation: &str| pb::ListRefusalsRequest { organisation: organisation.into(), ..Default::default() };
    assert_eq!(refusals(&mut service).await.len(), 2);
    assert_eq!(listed(&mut service, ask("partners/fra")).await.refusals.len(), 1);
    let administrator = harness::token("administrator", "partners/mli", "fatou");
    let own = service.journal.list_refusals(with_token(&administrator, ask("partners/mli"))).await;
    let own = own.expect("its own").into_inner().refusals;
    let whose = own[0].actor.clone().expect("somebody").organisation;
    assert_eq!((own.len(), whose.as_str()), (1, "partners/mli"));
    for (roles, organisation) in
        [("administrator", ""), ("administrator", "partners/fra"), ("focal_point", "partners/mli")]
    {
        let token = harness::token(roles, "partners/mli", "fatou");
        let status =
            service.journal.list_refusals(with_token(&token, ask(organisation))).await.expect_err("not for them");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let kept = refusals(&mut service).await;
    assert_eq!(kept.len(), 5, "that somebody wanted to see them is kept too");
    assert_eq!(kept[0].method, "toguna.log.v1.JournalService/ListRefusals");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_list_are_the_list_and_filters_hold() {
    let (mut service, _) = service(&[]).await;
    for number in 0..5 {
        refused(&mut service, by_nobody("partners/mli", note(number))).await;
    }
    let all = refusals(&mut service).await;
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let asked = pb::ListRefusalsRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = listed(&mut service, asked).await;
        assert!(page.refusals.len() <= 2);
        pages.extend(page.refusals);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((pages.len(), &pages), (5, &all));
    let money = pb::ListRefusalsRequest { kind: RefusalKind::Money.into(), ..Default::default() };
    assert_eq!(listed(&mut service, money).await.refusals, []);
    let since = pb::ListRefusalsRequest { since: all[1].refused_at, ..Default::default() };
    let since = listed(&mut service, since).await.refusals;
    let before = pb::ListRefusalsRequest { before: all[1].refused_at, ..Default::default() };
    let before = listed(&mut service, before).await.refusals;
    assert!(since.contains(&all[1]) && !before.contains(&all[1]));
    assert_eq!(since.len() + before.len(), 5);
    let wrong = pb::ListRefusalsRequest { kind: 99, page_size: -1, page_token: "00".into(), ..Default::default() };
    let auditor = harness::token("auditor", "partners/court-of-auditors", "auditor");
    let status = service.journal.list_refusals(with_token(&auditor, wrong)).await.expect_err("all is wrong");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let told: Vec<&str> = told.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(told, ["page_size", "kind", "page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_refusals_is_for_whoever_asked_for_the_one_before() {
    let (mut service, _) = service(&[]).await;
    for number in 0..3 {
        refused(&mut service, by_nobody("partners/mli", note(number))).await;
    }
    let asked = pb::ListRefusalsRequest { page_size: 1, ..Default::default() };
    let page_token = listed(&mut service, asked.clone()).await.next_page_token;
    let next = pb::ListRefusalsRequest { page_token, ..asked };
    assert_eq!(listed(&mut service, next.clone()).await.refusals.len(), 1);
    let other = harness::token("auditor", "partners/other-court", "auditor");
    let of_others = service.journal.list_refusals(with_token(&other, next.clone())).await;
    let narrower = pb::ListRefusalsRequest { kind: RefusalKind::Permission.into(), ..next };
    let auditor = harness::token("auditor", "partners/court-of-auditors", "auditor");
    let otherwise = service.journal.list_refusals(with_token(&auditor, narrower)).await;
    for answer in [of_others, otherwise] {
        assert_eq!(reason(&answer.expect_err("it leads elsewhere")), "INVALID_REQUEST");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_not_permitted_is_kept_without_an_act() {
    let (mut service, _) = service(&[]).await;
    let asked =
        with_token(&harness::token("contributor", "partners/mli", "moussa"), ConfirmCorrectionRequest::default());
    service.notes.confirm_correction(asked).await.expect_err("not for contributors");
    let kept = refusals(&mut service).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].on_behalf_of.as_str(), kept[0].request_id.as_str()), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_owner_changes_or_deletes_an_entry() {
    let (mut service, environment) = service(&[]).await;
    refused(&mut service, by_nobody("partners/mli", note(1))).await;
    let mut owner = as_owner(&environment).await;
    let rights: Vec<(String, bool, bool, bool, bool)> = sqlx::query_as(
        "SELECT rolname::text, has_table_privilege(rolname, 'log.refusals', 'INSERT'),
                has_table_privilege(rolname, 'log.refusals', 'UPDATE'),
                has_table_privilege(rolname, 'log.refusals', 'DELETE'),
                has_table_privilege(rolname, 'log.refusals', 'TRUNCATE')
         FROM pg_roles WHERE rolname IN (current_database() || '_writer', current_database() || '_reader') ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .expect("the roles");
    let rights: Vec<_> = rights.iter().map(|it| (it.1, it.2, it.3, it.4)).collect();
    assert_eq!(rights, [(false, false, false, false), (true, false, false, false)], "the reader, the writer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_fills_no_disk_and_loses_no_refusal() {
    let (mut service, environment) = service(&[("TOGUNA_REFUSALS_PER_MINUTE", "3")]).await;
    let name = service.name;
    for number in 0..200 {
        refused(&mut service, by_nobody("partners/mli", note(number))).await;
    }
    refused(&mut service, by_nobody("partners/fra", note(1))).await;
    service.stop().await;
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    let kept = refusals(&mut service).await;
    let theirs = |it: &&pb::Refusal| it.actor.as_ref().is_some_and(|actor| actor.organisation == "partners/mli");
    let (entries, stand_for) =
        kept.iter().filter(theirs).fold((0, 0), |(entries, sum), it| (entries + 1, sum + it.count));
    // A minute may have ended meanwhile.
    assert!((4..=8).contains(&entries), "{entries} entries: {kept:?}");
    assert_eq!(stand_for, 200, "each refusal is in an entry");
    assert_eq!(kept.len() - entries, 1, "the others' is there by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_it_is_to_be_kept_is_forgotten() {
    let (mut service, mut environment) = service(&[]).await;
    refused(&mut service, by_nobody("partners/mli", note(1))).await;
    let mut owner = as_owner(&environment).await;
    let old = "INSERT INTO log.refusals SELECT '015d3ef7-98f5-7000-8000-000000000000', refused_at - interval '9 years',
               refused_at - interval '9 years', count, kind, reason, metadata, organisation, issuer, subject, roles, on_behalf_of,
               method, resource, request_id, trace_id, validate_only FROM log.refusals";
    sqlx::query(old).execute(&mut owner).await.expect("an entry of 2017");
    assert_eq!(refusals(&mut service).await.len(), 2);
    let name = service.name;
    service.stop().await;
    environment.insert("TOGUNA_REFUSAL_DAYS", "30".into());
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    let started = Instant::now();
    while refusals(&mut service).await.len() > 1 {
        assert!(started.elapsed().as_secs() < 20, "the old one is still there");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_while_the_database_is_away_and_kept_when_it_is_back() {
    let servers = Servers::shared().await;
    let mut postgres = servers.private_postgres().await;
    let mut environment = environment().await;
    environment.insert("DATABASE_URL", postgres.database("notes").await.expect("a database"));
    let mut service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    service.note(1).await;
    postgres.stop_immediately().await.expect("it is gone");
    let started = Instant::now();
    let status = refused(&mut service, by_nobody("partners/mli", note(2))).await;
    assert_eq!(reason(&status), "ROLE_REQUIRED");
    assert!(started.elapsed().as_secs() < 10, "whoever is refused does not wait for ever: {:?}", started.elapsed());
    postgres.resume().await.expect("it is back");
    let auditor = harness::token("auditor", "partners/court-of-auditors", "auditor");
    loop {
        let asked = with_token(&auditor, pb::ListRefusalsRequest::default());
        let found = service.journal.list_refusals(asked).await;
        if found.is_ok_and(|found| found.into_inner().refusals.len() == 1) {
            break;
        }
        assert!(started.elapsed().as_secs() < 60, "it was not kept");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

/// `cargo test --release -p service-runtime --test it refusals_cost -- --nocapture` prints the figures.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_cost_a_commit_and_those_of_a_flood_none() {
    const CALLS: u32 = 200;
    let mut middle = Vec::new();
    for most in ["1000000", "1"] {
        let (mut service, _) = service(&[("TOGUNA_REFUSALS_PER_MINUTE", most)]).await;
        refused(&mut service, by_nobody("partners/mli", note(0))).await;
        let mut took = Vec::new();
        for number in 0..CALLS {
            let started = Instant::now();
            refused(&mut service, by_nobody("partners/mli", note(number.into()))).await;
            took.push(started.elapsed());
        }
        took.sort();
        middle.push(took[took.len() / 2]);
    }
    println!("a refusal that is written: {:?}; one that is counted: {:?}", middle[0], middle[1]);
    assert!(middle[1] < middle[0]);
}
