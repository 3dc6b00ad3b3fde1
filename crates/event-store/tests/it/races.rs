//! Interleavings that a log must survive: retries that overtake each other, a second appender, a restored database, a
//! cut connection, callers that go away.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use event_store::{CommandMeta, ExecuteError, Interrupt, Log, PageLimit, Published, Unit};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    runtime::Handle,
    task::{JoinSet, block_in_place},
    time::{Duration, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    log::{all, join_roles, new_log, open, restore, run},
    tally::{Count, Tally, act_of, count, request, tally},
};

pub async fn owner(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the owner connects")
}

async fn total(log: &Log, name: &str) -> i64 {
    log.history::<Tally>(&tally(name)).await.expect("a history").state().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_comes_after_its_own_effect_is_answered_and_not_refused() {
    for expected_version in [None, Some(0)] {
        let (log, url) = new_log().await;
        let other = open(&url).await;
        // A second effect would be refused by the rule, and by the etag.
        let (meta, once) = (CommandMeta { expected_version, ..request() }, Count { amount: 5, limit: 5 });
        let overtaken = AtomicBool::new(false);
        let answer = log.execute(meta.clone(), act_of("someone"), |unit| {
            if !overtaken.swap(true, Ordering::Relaxed) {
                let (other, meta) = (other.clone(), meta.clone());
                let same = async move { run(&other, meta, &tally("a"), once).await };
                assert!(!block_in_place(|| Handle::current().block_on(same)).expect("counted").replayed);
            }
            unit.handle::<Tally>(&tally("a"), &once)
        });
        let answer = answer.await.expect("answered");
        assert!(answer.replayed);
        assert_eq!((answer.events.len(), answer.version, all(&log).await.len()), (1, 1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_waits_for_its_first_and_decides_nothing_neither_does_one_that_comes_later() {
    let (log, url) = new_log().await;
    // An appender that begins lets those decide again who were faster than it.
    run(&log, request(), &tally("before"), count(1)).await.expect("counted");
    let (meta, decided) = (request(), Arc::new(AtomicUsize::new(0)));
    let send = |log: &Log| {
        let (log, meta, decided) = (log.clone(), meta.clone(), decided.clone());
        async move {
            let decide = |unit: &mut Unit| {
                let tally = unit.load::<Tally>(&tally("a"))?;
                decided.fetch_add(1, Ordering::Relaxed);
                assert_eq!(tally.version(), 0, "decided on its own effect");
                unit.handle::<Tally>(&crate::tally::tally("a"), &count(5))
            };
            log.execute(meta, act_of("someone"), decide).await.expect("answered")
        }
    };
    let held = hold_head(&url).await;
    let mut storm: JoinSet<_> = (0..200).map(|_| send(&log)).collect();
    waiting_writer(&url).await;
    held.close().await.expect("released");
    let mut answers = Vec::new();
    while let Some(answer) = storm.join_next().await {
        answers.push(answer.expect("no panic"));
    }
    answers.push(send(&log).await);
    // Another process knows the request from the log alone.
    answers.push(send(&open(&url).await).await);
    assert_eq!(decided.load(Ordering::Relaxed), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let first = &answers[0];
    assert!(answers.iter().all(|answer| (&answer.events, &answer.token) == (&first.events, &first.token)));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_one_stream_share_commits_and_each_decides_after_the_one_before() {
    let (log, url) = new_log().await;
    run(&log, request(), &tally("a"), count(0)).await.expect("counted");
    let held = hold_head(&url).await;
    let mut senders = JoinSet::new();
    let decided = Arc::new(AtomicUsize::new(0));
    for _ in 0..120 {
        let (log, decided) = (log.clone(), decided.clone());
        let count = move |unit: &mut Unit| {
            let counted = unit.handle::<Tally>(&tally("a"), &Count { amount: 1, limit: 100 });
            // On the first run the stream is not there yet.
            decided.fetch_add(usize::from(!matches!(counted, Err(Interrupt::Load))), Ordering::Relaxed);
            counted
        };
        senders.spawn(async move { log.execute(request(), act_of("someone"), count).await });
    }
    waiting_writer(&url).await;
    // All the others are decided, on what is not committed yet; nobody is answered on it.
    while decided.load(Ordering::Relaxed) < 120 {
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_millis(100)).await;
    assert!(senders.try_join_next().is_none(), "neither an effect nor a refusal is told before the commit");
    held.close().await.expect("released");
    let counted = senders.join_all().await.into_iter().flatten().count();
    assert_eq!((counted, log.head()), (100, 101));
    let mut times: Vec<_> = all(&log).await.into_iter().map(|record| record.recorded_at.expect("a time")).collect();
    times.dedup();
    assert!(times.len() > 50, "each has a time of its own");
    let mut owner = owner(&url).await;
    let commits: i64 = sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM log.events")
        .fetch_one(&mut owner)
        .await
        .expect("commits");
    assert!(commits <= 10, "{commits} commits for 101 events of one stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_events_that_were_not_written_is_decided_again() {
    let (log, url) = new_log().await;
    let other = open(&url).await;
    run(&log, request(), &tally("a"), count(0)).await.expect("counted");
    let held = hold_head(&url).await;
    let mut senders = JoinSet::new();
    // The first one nearly fills the tally, and the second is refused on that; the third does not know of them.
    for (log, amount) in [(&log, 10), (&log, 5), (&other, 4)] {
        let log = log.clone();
        let command = Count { amount, limit: 12 };
        senders.spawn(async move { (amount, run(&log, request(), &tally("a"), command).await.is_ok()) });
        sleep(Duration::from_millis(200)).await;
    }
    let mut owner = owner(&url).await;
    join_roles(&mut owner).await;
    let first = "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
                 WHERE datname = current_database() AND NOT granted ORDER BY query_start LIMIT 1";
    let writer: i32 = sqlx::query_scalar(first).fetch_one(&mut owner).await.expect("a writer waits");
    sqlx::query("SELECT pg_terminate_backend($1)").bind(writer).execute(&mut owner).await.expect("cut");
    held.close().await.expect("released");
    let mut counted: Vec<i64> = senders.join_all().await.into_iter().filter(|(_, ok)| *ok).map(|(it, _)| it).collect();
    counted.sort_unstable();
    // Whoever comes first: 10 leaves no room for the others, and they leave none for 10.
    assert!(counted == [10] || counted == [4, 5], "{counted:?}");
    assert_eq!(total(&log, "a").await, counted.iter().sum::<i64>());
}

#[tokio::test]
async fn organisations_choose_their_request_ids_alone() {
    let (log, _) = new_log().await;
    let meta = request();
    for organisation in ["partners/ml", "partners/fr"] {
        let mut act = act_of("someone");
        act.actor.organisation = organisation.into();
        let count = |unit: &mut Unit| unit.handle::<Tally>(&tally("a"), &count(1));
        assert!(!log.execute(meta.clone(), act, count).await.expect("counted").replayed);
    }
    assert_eq!(log.head(), 2);
}

#[tokio::test]
async fn an_appender_that_another_one_overtook_reads_the_log_again() {
    let (first, url) = new_log().await;
    let second = open(&url).await;
    for log in [&first, &second, &first, &second] {
        run(log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    assert_eq!((total(&first, "a").await, total(&second, "a").await), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_rests_on_streams_as_they_were_at_one_time() {
    let (log, _) = new_log().await;
    run(&log, request(), &tally("b"), count(5)).await.expect("counted");
    let moved = AtomicBool::new(false);
    let answer = log
        .execute(request(), act_of("someone"), |unit| {
            let a = unit.load::<Tally>(&tally("a"))?.state().total;
            if !moved.swap(true, Ordering::Relaxed) {
                // Everything moves from b to a, after a was read and before b is.
                let (log, act) = (log.clone(), act_of("someone else"));
                let transfer = |unit: &mut Unit| {
                    unit.handle::<Tally>(&tally("a"), &count(5))?;
                    unit.handle::<Tally>(&tally("b"), &count(-5))
                };
                let transfer = async move { log.execute(request(), act, transfer).await };
                block_in_place(|| Handle::current().block_on(transfer)).expect("moved");
            }
            let b = unit.load::<Tally>(&tally("b"))?.state().total;
            // Allowed where both together hold 5, which they always do.
            unit.handle::<Tally>(&tally("c"), &Count { amount: 5, limit: a + b })
        })
        .await;
    answer.expect("counted");
}

#[tokio::test]
async fn a_dry_run_refuses_what_is_too_large_too() {
    let (log, _) = new_log().await;
    let mut act = act_of("someone");
    act.reason = "x".repeat(70_000);
    let dry = CommandMeta { validate_only: true, ..request() };
    let answer = log.execute(dry, act, |unit| unit.handle::<Tally>(&tally("a"), &count(1))).await;
    assert!(matches!(answer, Err(ExecuteError::EventTooLarge { .. })), "{answer:?}");
}

#[tokio::test]
async fn what_was_read_of_a_lost_history_is_not_continued() {
    let (log, url) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    assert_eq!(total(&log, "a").await, 3);
    restore(&url, 1).await;
    assert_eq!(total(&log, "a").await, 1, "before anything is written");
    // Another process goes on from there, and comes to the version that was lost.
    let other = open(&url).await;
    for _ in 0..3 {
        run(&other, request(), &tally("a"), count(10)).await.expect("counted");
    }
    assert_eq!(total(&log, "a").await, 31);
    assert_eq!(run(&log, request(), &tally("a"), count(1)).await.expect("counted").version, 5);
}

/// Takes a log of two epochs back to the first one.
async fn two_epochs_then_the_first_again() -> (Log, String, Published) {
    let (log, url) = new_log().await;
    for _ in 0..3 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let first = log.epoch();
    let lost = Published { epoch: first, position: 9, record: bytes() };
    assert!(log.compare_with_published(&lost).await.expect("compared"), "a second epoch begins");
    run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    let record = log.page(4, PageLimit::default()).await.expect("a page").remove(0).record;
    let published = Published { epoch: log.epoch(), position: 4, record };
    let mut owner = owner(&url).await;
    for statement in [
        "UPDATE log.head SET epoch = (SELECT epoch FROM log.epochs ORDER BY began_at LIMIT 1)",
        "DELETE FROM log.epochs WHERE epoch <> (SELECT epoch FROM log.head)",
    ] {
        sqlx::query(statement).execute(&mut owner).await.expect("restored");
    }
    restore(&url, 2).await;
    (log, url, published)
}

fn bytes() -> bytes::Bytes {
    bytes::Bytes::from_static(b"lost")
}

#[tokio::test]
async fn a_log_restored_to_an_earlier_epoch_under_a_running_service_does_not_go_on_in_it() {
    let (log, url, published) = two_epochs_then_the_first_again().await;
    let restored = open(&url).await.epoch();
    let mut answer = run(&log, request(), &tally("a"), count(1)).await;
    while matches!(answer, Err(ExecuteError::Unavailable(_))) {
        answer = run(&log, request(), &tally("a"), count(1)).await;
    }
    let epoch = answer.expect("counted").token.epoch;
    assert!(epoch != restored && epoch != published.epoch);
}

#[tokio::test]
async fn a_log_restored_to_an_earlier_epoch_while_the_service_was_down_does_not_go_on_in_it() {
    let (log, url, published) = two_epochs_then_the_first_again().await;
    drop(log);
    let log = open(&url).await;
    let restored = log.epoch();
    assert!(log.compare_with_published(&published).await.expect("compared"));
    assert!(log.epoch() != restored && log.epoch() != published.epoch);
    // A copy of an epoch that the log remembers says nothing new.
    let old = Published { epoch: restored, position: 9, record: bytes() };
    assert!(!log.compare_with_published(&old).await.expect("compared"));
}

/// Holds the head, so that commits wait, until the connection is dropped.
pub async fn hold_head(url: &str) -> PgConnection {
    let mut owner = owner(url).await;
    sqlx::raw_sql("BEGIN; SELECT FROM log.head FOR UPDATE").execute(&mut owner).await.expect("held");
    owner
}

/// Waits until a commit waits for the head, and answers which connection that is.
pub async fn waiting_writer(url: &str) -> i32 {
    let mut owner = owner(url).await;
    let waiting =
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND NOT granted";
    loop {
        let found = sqlx::query_scalar(waiting).fetch_optional(&mut owner).await.expect("answered");
        if let Some(pid) = found {
            return pid;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_before_the_commit_finds_the_effect_by_asking_again_and_who_stays_is_answered_after_shutdown() {
    let url = harness::Servers::shared().await.database("log").await;
    let shutdown = CancellationToken::new();
    let log = Log::open("tallies", &url, shutdown.clone()).await.expect("the log opens");
    let held = hold_head(&url).await;
    let send = |name: &'static str, meta: &CommandMeta| {
        let (log, meta) = (log.clone(), meta.clone());
        tokio::spawn(async move { run(&log, meta, &tally(name), count(1)).await })
    };
    let in_flight = send("in-flight", &request());
    waiting_writer(&url).await;
    let meta = request();
    let away = send("away", &meta);
    sleep(Duration::from_millis(100)).await;
    let stays = send("stays", &request());
    sleep(Duration::from_millis(200)).await;
    away.abort();
    shutdown.cancel();
    held.close().await.expect("released");
    in_flight.await.expect("no panic").expect("counted");
    stays.await.expect("no panic").expect("counted");
    let streams: Vec<String> = all(&log).await.into_iter().map(|record| record.stream).collect();
    // What was on its way is not called back: others may have decided on it.
    assert_eq!(streams, ["tallies/in-flight", "tallies/away", "tallies/stays"]);
    assert!(run(&open(&url).await, meta, &tally("away"), count(1)).await.expect("answered").replayed);
    let late = run(&log, request(), &tally("late"), count(1)).await;
    assert!(matches!(late, Err(ExecuteError::Unavailable(_))), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_everybody_else_is_answered() {
    let (log, url) = new_log().await;
    let held = hold_head(&url).await;
    let mut senders = JoinSet::new();
    for sender in 0..4_800 {
        let log = log.clone();
        senders.spawn(async move { run(&log, request(), &tally(&format!("t-{sender}")), count(1)).await });
    }
    let refused = timeout(Duration::from_mins(1), senders.join_next()).await.expect("somebody is answered at once");
    assert!(matches!(refused, Some(Ok(Err(ExecuteError::Overloaded)))), "{refused:?}");
    held.close().await.expect("released");
    let counted = senders.join_all().await.into_iter().flatten().count();
    assert_eq!(u64::try_from(counted).expect("a number"), log.head());
    assert_eq!(all(&log).await.len(), counted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_during_the_commit_costs_nobody_an_effect_or_a_second_one() {
    let (log, url) = new_log().await;
    let held = hold_head(&url).await;
    let mut senders = JoinSet::new();
    for sender in 0..8 {
        let log = log.clone();
        senders.spawn(async move { run(&log, request(), &tally(&format!("t-{}", sender % 4)), count(1)).await });
    }
    let writer = waiting_writer(&url).await;
    let mut owner = owner(&url).await;
    join_roles(&mut owner).await;
    sqlx::query("SELECT pg_terminate_backend($1)").bind(writer).execute(&mut owner).await.expect("cut");
    held.close().await.expect("released");
    assert!(senders.join_all().await.iter().all(Result::is_ok));
    let ids: std::collections::HashSet<_> = all(&log).await.into_iter().map(|record| record.request_id).collect();
    assert_eq!((ids.len(), log.head()), (8, 8));
}

#[tokio::test]
async fn time_does_not_go_back_with_the_clock() {
    let (_, url) = new_log().await;
    let ahead = event_store::Timestamp::now() + Duration::from_hours(1);
    sqlx::query("UPDATE log.head SET recorded_at_us = $1")
        .bind(ahead.as_microsecond())
        .execute(&mut owner(&url).await)
        .await
        .expect("the clock was ahead");
    let log = open(&url).await;
    let executed = run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    let recorded_at = log.recorded_at(executed.events[0].position).await.expect("a time").expect("recorded");
    assert_eq!(recorded_at.as_microsecond(), ahead.as_microsecond());
}

#[tokio::test]
async fn a_time_between_two_microseconds_leads_to_the_later_one() {
    let (log, _) = new_log().await;
    for _ in 0..40 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let nanosecond = Duration::from_nanos(1);
    for position in [1, 2, 17, 39, 40] {
        let time = log.recorded_at(position).await.expect("a time").expect("recorded");
        assert_eq!(log.position_since(time).await.expect("a position"), position);
        assert_eq!(log.position_since(time + nanosecond).await.expect("a position"), position + 1);
    }
    assert_eq!(log.position_since(event_store::Timestamp::MIN).await.expect("a position"), 1);
}

/// Organisation, request id, content hash, first position, events.
type RequestRow = (String, Uuid, Vec<u8>, i64, i32);

#[tokio::test]
async fn the_index_of_requests_is_the_same_when_it_was_made_again() {
    let (log, url) = new_log().await;
    let mut answers = Vec::new();
    for round in 0..5 {
        let meta = request();
        let both = |unit: &mut Unit| {
            unit.handle::<Tally>(&tally("b"), &count(round))?;
            unit.handle::<Tally>(&tally("a"), &count(round))?;
            unit.handle::<Tally>(&tally("b"), &count(round))
        };
        answers.push((meta.clone(), log.execute(meta, act_of("someone"), both).await.expect("counted")));
    }
    let mut owner = owner(&url).await;
    let rows = "SELECT organisation, request_id, content_hash, first_position, events FROM log.requests ORDER BY first_position";
    let before: Vec<RequestRow> = sqlx::query_as(rows).fetch_all(&mut owner).await.expect("rows");
    let mut log = log;
    // All of it, then its end.
    for lost in [0, 7] {
        let lose = sqlx::query("DELETE FROM log.requests WHERE first_position > $1").bind(lost);
        lose.execute(&mut owner).await.expect("lost");
        log = open(&url).await;
        let after: Vec<RequestRow> = sqlx::query_as(rows).fetch_all(&mut owner).await.expect("rows");
        assert_eq!(before, after);
    }
    for (meta, answer) in answers {
        let again = log
            .execute(meta, act_of("someone"), |unit| unit.handle::<Tally>(&tally("b"), &count(1)))
            .await
            .expect("answered");
        assert!(again.replayed);
        assert_eq!((again.events, again.version, again.token), (answer.events, answer.version, answer.token));
    }
}
