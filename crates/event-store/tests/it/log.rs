//! The invariants of the log, on a real Postgres.

use std::collections::HashSet;

use event_store::{
    CommandMeta, Correction, Epoch, ExecuteError, Executed, Log, PageLimit, Published, StaleVersion, StreamName, Unit,
};
use harness::Servers;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::tally::{Count, Counted, Tally, act_of, count, request, tally};

pub async fn open(url: &str) -> Log {
    Log::open("tallies", url, CancellationToken::new()).await.expect("the log opens")
}

pub async fn new_log() -> (Log, String) {
    let url = Servers::shared().await.database("log").await;
    (open(&url).await, url)
}

pub async fn run(log: &Log, meta: CommandMeta, name: &StreamName, command: Count) -> Result<Executed, ExecuteError> {
    let name = name.clone();
    log.execute(meta, act_of("someone"), move |unit| unit.handle::<Tally>(&name, &command)).await
}

pub async fn all(log: &Log) -> Vec<contracts::toguna::log::v1::EventRecord> {
    let limit = PageLimit { events: 100_000, bytes: usize::MAX };
    log.page(1, limit).await.expect("a page").iter().map(|event| event.decode().expect("a record")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_and_versions_have_no_gap_under_many_writers() {
    let (log, _) = new_log().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..32 {
        let log = log.clone();
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for turn in 0..10 {
                // Half of the commands meet on one stream.
                let name = if turn % 2 == 0 { tally("shared") } else { tally(&format!("own-{writer}")) };
                let executed = run(&log, request(), &name, count(1)).await.expect("counted");
                acknowledged.extend(executed.events.iter().map(|event| event.position));
            }
            acknowledged
        });
    }
    let mut acknowledged: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (1..=320).collect::<Vec<_>>());

    let records = all(&log).await;
    assert_eq!(records.iter().map(|record| record.position).collect::<Vec<_>>(), acknowledged);
    let shared = records.iter().filter(|record| record.stream == "tallies/shared");
    assert_eq!(shared.map(|record| record.version).collect::<Vec<_>>(), (1..=160).collect::<Vec<_>>());
    let times: Vec<_> = records.iter().map(|record| record.recorded_at.expect("a time")).collect();
    assert!(times.is_sorted_by_key(|time| (time.seconds, time.nanos)));
    assert_eq!(log.head(), 320);
}

#[tokio::test]
async fn a_record_carries_the_whole_act() {
    let (log, _) = new_log().await;
    let meta = CommandMeta { traceparent: "00-1-2-01".into(), ..request() };
    run(&log, meta.clone(), &tally("a"), count(5)).await.expect("counted");
    let record = all(&log).await.pop().expect("a record");
    assert_eq!((record.position, record.version, record.stream.as_str()), (1, 1, "tallies/a"));
    assert_eq!(record.epoch, log.epoch().as_bytes());
    assert_eq!(record.r#type, "toguna.type.v1.Money");
    assert_eq!(record.request_id, meta.request_id.as_bytes());
    assert_eq!(record.correlation_id, meta.request_id.as_bytes());
    assert_eq!(record.content_hash, [7; 32]);
    assert_eq!(record.traceparent, "00-1-2-01");
    let act = event_store::act_from_record(&record).expect("an act");
    let sent = act_of("someone");
    assert_eq!((act.actor, act.effective_on, act.reason), (sent.actor, sent.effective_on, sent.reason));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_effect_however_often_and_fast_it_is_sent() {
    let (log, url) = new_log().await;
    let meta = request();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (log, meta) = (log.clone(), meta.clone());
        senders.spawn(async move { run(&log, meta, &tally("a"), count(5)).await.expect("answered") });
    }
    let answers = senders.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| (&answer.events, answer.version) == (&answers[0].events, 1)));
    assert_eq!(log.head(), 1);

    // The index of ids is lost and made again from the events.
    let mut owner = PgConnection::connect(&url).await.expect("the owner connects");
    sqlx::query("TRUNCATE log.requests").execute(&mut owner).await.expect("truncated");
    let again = run(&open(&url).await, meta, &tally("a"), count(5)).await.expect("answered");
    assert!(again.replayed);
    assert_eq!(again.events, answers[0].events);
}

#[tokio::test]
async fn a_request_id_with_another_content_is_refused() {
    let (log, _) = new_log().await;
    let meta = request();
    run(&log, meta.clone(), &tally("a"), count(5)).await.expect("counted");
    let other = CommandMeta { content_hash: [8; 32], ..meta };
    assert!(matches!(run(&log, other, &tally("a"), count(6)).await, Err(ExecuteError::RequestIdReused)));
    assert_eq!(log.head(), 1);
}

#[tokio::test]
async fn a_refusal_writes_nothing_and_uses_up_no_id() {
    let (log, _) = new_log().await;
    let meta = request();
    let refused = log
        .execute(meta.clone(), act_of("someone"), |unit| {
            unit.handle::<Tally>(&tally("a"), &count(1))?;
            unit.handle::<Tally>(&tally("b"), &Count { amount: 2, limit: 1 })
        })
        .await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))));
    assert_eq!(log.head(), 0);
    run(&log, meta, &tally("a"), count(1)).await.expect("the id is still free");
}

#[tokio::test]
async fn a_stale_etag_is_told_the_current_version() {
    let (log, _) = new_log().await;
    run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    let stale = CommandMeta { expected_version: Some(0), ..request() };
    let answer = run(&log, stale, &tally("a"), count(1)).await;
    let stale = |id: &str, expected, version| StaleVersion { stream: tally(id), expected, version };
    assert!(matches!(&answer, Err(ExecuteError::StaleVersion(all)) if *all == [stale("a", 0, 1)]), "{answer:?}");
    let fresh = CommandMeta { expected_version: Some(1), ..request() };
    assert_eq!(run(&log, fresh, &tally("a"), count(1)).await.expect("counted").version, 2);
}

#[tokio::test]
async fn all_conditions_that_fail_are_told_at_once_also_on_streams_that_are_not_written() {
    let (log, _) = new_log().await;
    for id in ["a", "b", "c"] {
        run(&log, request(), &tally(id), count(1)).await.expect("counted");
    }
    let expecting = |own, b, c, none| {
        let decide = move |unit: &mut Unit| {
            unit.load::<Tally>(&tally("a"))?;
            unit.expect::<Tally>(&tally("b"), b)?;
            unit.expect::<Tally>(&tally("c"), c)?;
            unit.expect::<Tally>(&tally("none"), none)?;
            unit.handle::<Tally>(&tally("a"), &count(1))?;
            unit.handle::<Tally>(&tally("d"), &count(1))
        };
        log.execute(CommandMeta { expected_version: Some(own), ..request() }, act_of("someone"), decide)
    };
    let stale = |id: &str, expected, version| StaleVersion { stream: tally(id), expected, version };
    let answer = expecting(3, 1, 2, 1).await;
    let all = [stale("a", 3, 1), stale("c", 2, 1), stale("none", 1, 0)];
    assert!(matches!(&answer, Err(ExecuteError::StaleVersion(found)) if *found == all), "{answer:?}");
    assert_eq!(log.head(), 3, "nothing was written");
    assert_eq!(expecting(1, 1, 1, 0).await.expect("counted").events.len(), 2);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let (log, _) = new_log().await;
    let dry = CommandMeta { validate_only: true, ..request() };
    let executed = run(&log, dry.clone(), &tally("a"), count(1)).await.expect("decided");
    assert_eq!((executed.events[0].position, executed.events[0].version), (0, 1));
    assert_eq!(log.head(), 0);
    let told = executed.events[0].content.clone().expect("what would be written");
    let written = run(&log, CommandMeta { validate_only: false, ..dry.clone() }, &tally("a"), count(1)).await;
    assert_eq!(written.expect("written").events[0].content, None, "what was written is in the log");
    let stored = log.stream(&tally("a"), 0).await.expect("it is there")[0].decode().expect("a record");
    assert_eq!((&told.event.value, told.effective_on), (&stored.payload, stored.effective_on));
    assert_eq!(told.event.type_url.rsplit('/').next(), Some(stored.r#type.as_str()));
    let again = run(&log, dry, &tally("a"), count(1)).await.expect("the same answer");
    assert_eq!((again.replayed, again.events[0].position, again.events[0].content.clone()), (true, 1, Some(told)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_over_two_streams_holds_though_each_command_writes_only_one() {
    let (log, _) = new_log().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..24 {
        let log = log.clone();
        writers.spawn(async move {
            let (mine, other) = if writer % 2 == 0 { ("a", "b") } else { ("b", "a") };
            let decide = move |unit: &mut Unit| {
                let elsewhere = unit.load::<Tally>(&tally(other))?.state().total;
                unit.handle::<Tally>(&tally(mine), &Count { amount: 1, limit: 7 - elsewhere })
            };
            log.execute(request(), act_of("someone"), decide).await.is_ok()
        });
    }
    let accepted = writers.join_all().await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!(accepted, 7);
    assert_eq!(log.head(), 7);
}

#[tokio::test]
async fn an_event_that_is_too_large_costs_no_position() {
    let (log, _) = new_log().await;
    let mut act = act_of("someone");
    act.reason = "x".repeat(70_000);
    let answer = log.execute(request(), act, |unit| unit.handle::<Tally>(&tally("a"), &count(1))).await;
    assert!(matches!(answer, Err(ExecuteError::EventTooLarge { bytes }) if bytes > 70_000));
    assert_eq!(log.head(), 0);
}

#[tokio::test]
async fn the_writer_cannot_change_events_and_the_reader_cannot_write_them() {
    let (log, url) = new_log().await;
    run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    for forbidden in
        ["UPDATE log.events SET version = 2", "INSERT INTO log.head DEFAULT VALUES", "DELETE FROM log.events"]
    {
        let denied = sqlx::query(forbidden).execute(log.reader()).await.expect_err("denied");
        assert_eq!(
            denied.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
    let owner = PgPool::connect(&url).await.expect("the owner connects");
    join_roles(&mut owner.acquire().await.expect("a connection")).await;
    for forbidden in ["UPDATE log.events SET version = 2", "DELETE FROM log.events", "TRUNCATE log.events"] {
        let mut session = owner.begin().await.expect("a transaction");
        let writer = "SELECT set_config('role', current_database() || '_writer', true)";
        sqlx::query(writer).execute(&mut *session).await.expect("the owner may become the writer");
        let denied = sqlx::query(forbidden).execute(&mut *session).await.expect_err("denied");
        assert_eq!(
            denied.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_appenders_on_one_log_leave_no_gap_and_lose_nothing() {
    let (first, url) = new_log().await;
    let second = open(&url).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let log = if writer % 2 == 0 { first.clone() } else { second.clone() };
        writers.spawn(async move {
            for _ in 0..5 {
                run(&log, request(), &tally(&format!("t-{writer}")), count(1)).await.expect("counted");
            }
        });
    }
    writers.join_all().await;
    let positions: Vec<_> = all(&first).await.iter().map(|record| record.position).collect();
    assert_eq!(positions, (1..=80).collect::<Vec<_>>());
}

/// Lets the owner act as the two roles that it made.
pub async fn join_roles(owner: &mut PgConnection) {
    let grant = "DO $$ BEGIN EXECUTE format('GRANT %1$I, %2$I TO CURRENT_USER',
        current_database() || '_writer', current_database() || '_reader'); END $$";
    sqlx::query(grant).execute(owner).await.expect("granted");
}

/// Takes a database back to where it was at a position, as restoring a backup does.
pub async fn restore(url: &str, position: i64) {
    let mut owner = PgConnection::connect(url).await.expect("the owner connects");
    for statement in [
        "DELETE FROM log.events WHERE position > $1",
        "DELETE FROM log.requests WHERE first_position > $1",
        "UPDATE log.head SET position = $1, root = NULL, compact_range = NULL",
    ] {
        sqlx::query(statement).bind(position).execute(&mut owner).await.expect("restored");
    }
    // Every connection of the service is cut by a restore.
    join_roles(&mut owner).await;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .execute(&mut owner)
        .await
        .expect("cut");
}

#[tokio::test]
async fn a_log_restored_under_a_running_service_gets_a_new_epoch() {
    let (log, url) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let before = log.epoch();
    restore(&url, 1).await;
    let mut answer = run(&log, request(), &tally("a"), count(1)).await;
    while matches!(answer, Err(ExecuteError::Unavailable(_))) {
        answer = run(&log, request(), &tally("a"), count(1)).await;
    }
    let executed = answer.expect("counted");
    assert_ne!(executed.token.epoch, before);
    assert_eq!((executed.events[0].position, executed.version), (2, 2));
    assert_eq!(log.history::<Tally>(&tally("a")).await.expect("a history").state().total, 2);
}

#[tokio::test]
async fn a_log_restored_while_the_service_was_down_is_told_by_its_published_copy() {
    let (log, url) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let last = log.page(3, PageLimit::default()).await.expect("a page").remove(0);
    let copy = Published { epoch: log.epoch(), position: 3, record: last.record };
    assert!(!log.compare_with_published(&copy).await.expect("compared"), "the copy is right");
    restore(&url, 2).await;
    let log = open(&url).await;
    let old: Epoch = log.epoch();
    assert!(log.compare_with_published(&copy).await.expect("compared"));
    assert_ne!(log.epoch(), old);
    assert_eq!(open(&url).await.epoch(), log.epoch(), "the new epoch is stored");
}

#[tokio::test]
async fn a_correction_takes_the_mistaken_records_place_and_what_was_known_stays() {
    let (log, _) = new_log().await;
    run(&log, request(), &tally("a"), count(5)).await.expect("counted");
    let propose = |unit: &mut Unit| {
        unit.propose_correction::<Tally>(
            &tally("a"),
            Correction { mistaken_version: 1, right: Counted(4), effective_on: None },
        )
    };
    let confirm = |unit: &mut Unit| unit.confirm_correction::<Tally>(&tally("a"), 2);
    log.execute(request(), act_of("first"), propose).await.expect("proposed");
    let same_person = log.execute(request(), act_of("first"), confirm).await;
    assert!(matches!(same_person, Err(ExecuteError::Refused(_))));
    assert_eq!(log.history::<Tally>(&tally("a")).await.expect("a history").state().total, 5);
    log.execute(request(), act_of("second"), confirm).await.expect("confirmed");
    let history = log.history::<Tally>(&tally("a")).await.expect("a history");
    assert_eq!((history.state().total, history.state_at(2).total), (4, 5));
    let types: HashSet<String> = all(&log).await.into_iter().map(|record| record.r#type).collect();
    assert!(types.contains("toguna.log.v1.RecordCorrected"));
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_and_never_before_one_event() {
    let (log, _) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let small = log.page(1, PageLimit { events: 10, bytes: 1 }).await.expect("a page");
    assert_eq!(small.len(), 1);
    let two = log.page(2, PageLimit::default()).await.expect("a page");
    assert_eq!(two.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn a_time_leads_to_the_first_position_recorded_then_or_later() {
    let (log, _) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let second = log.recorded_at(2).await.expect("a time").expect("recorded");
    let found = log.position_since(second).await.expect("a position");
    assert_eq!(log.recorded_at(found).await.expect("a time"), Some(second));
    let later = log.recorded_at(3).await.expect("a time").expect("recorded") + std::time::Duration::from_secs(1);
    assert_eq!(log.position_since(later).await.expect("a position"), 4);
}
