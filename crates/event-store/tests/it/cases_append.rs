//! Cases of appending that the tests of other event stores hold; `docs/cases.md` says whose, and where the rest is.

use std::sync::Arc;

use event_store::{CommandMeta, ExecuteError, Executed, Interrupt, Log, PageLimit, StaleVersion, StreamName, Unit};
use harness::Servers;

use crate::{
    log::{all, new_log, open, run},
    stage::append,
    tally::{Tally, act_of, count, request, tally},
};

async fn expecting(log: &Log, id: &str, version: u64) -> Result<Executed, ExecuteError> {
    run(log, CommandMeta { expected_version: Some(version), ..request() }, &tally(id), count(1)).await
}

/// What a command is told whose only stale stream is this one.
fn is_stale(answer: &Result<Executed, ExecuteError>, id: &str, expected: u64, version: u64) -> bool {
    let stale = StaleVersion { stream: tally(id), expected, version };
    matches!(answer, Err(ExecuteError::StaleVersion(all)) if *all == [stale])
}

#[tokio::test]
async fn who_expects_no_stream_makes_one_and_is_refused_where_there_is_one() {
    let (log, _) = new_log().await;
    assert_eq!(expecting(&log, "a", 0).await.expect("made").version, 1);
    let answer = expecting(&log, "a", 0).await;
    assert!(is_stale(&answer, "a", 0, 1), "{answer:?}");
    assert_eq!(log.head(), 1);
}

#[tokio::test]
async fn who_expects_a_stream_is_refused_where_there_is_none() {
    let (log, _) = new_log().await;
    let answer = expecting(&log, "a", 1).await;
    assert!(is_stale(&answer, "a", 1, 0), "{answer:?}");
    assert_eq!(log.head(), 0);
}

#[tokio::test]
async fn an_expected_version_must_be_the_last_one_neither_earlier_nor_later() {
    let (log, _) = new_log().await;
    append(&log, request(), "a", 3).await;
    for version in [1, 2, 4, u64::MAX] {
        let answer = expecting(&log, "a", version).await;
        assert!(is_stale(&answer, "a", version, 3), "{answer:?}");
    }
    assert_eq!(expecting(&log, "a", 3).await.expect("counted").version, 4);
    assert_eq!(expecting(&log, "a", 4).await.expect("counted").version, 5);
    assert_eq!(log.head(), 5);
}

#[tokio::test]
async fn who_expects_nothing_appends_to_a_stream_at_any_version() {
    let (log, _) = new_log().await;
    for version in 1..=3 {
        assert_eq!(run(&log, request(), &tally("a"), count(1)).await.expect("counted").version, version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_expect_the_same_version_one_is_written_and_the_others_are_told() {
    let (log, _) = new_log().await;
    for version in [0, 1] {
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let log = log.clone();
            writers.spawn(async move { expecting(&log, "a", version).await });
        }
        let answers = writers.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        let told = answers.iter().filter(|answer| is_stale(answer, "a", version, version + 1)).count();
        assert_eq!(told, 15, "{answers:?}");
    }
    assert_eq!(log.head(), 2);
}

#[tokio::test]
async fn several_streams_are_written_at_once_each_in_its_order() {
    let (log, _) = new_log().await;
    append(&log, request(), "b", 2).await;
    let executed = log.execute(request(), act_of("someone"), |unit| {
        for (id, amounts) in [("a", [1, 2]), ("b", [3, 4]), ("c", [5, 6])] {
            for amount in amounts {
                unit.handle::<Tally>(&tally(id), &count(amount))?;
            }
        }
        Ok(())
    });
    let executed = executed.await.expect("written");
    let events = executed.events.iter().map(|event| (event.position, event.stream.as_str(), event.version));
    let written = [("a", 1), ("a", 2), ("b", 3), ("b", 4), ("c", 1), ("c", 2)];
    let written = written.map(|(id, version)| (tally(id), version));
    let written = (3..).zip(&written).map(|(position, (stream, version))| (position, stream.as_str(), *version));
    assert!(events.eq(written), "{executed:?}");
}

#[tokio::test]
async fn a_conflict_on_one_stream_leaves_nothing_on_any_and_uses_up_no_id() {
    let (log, _) = new_log().await;
    append(&log, request(), "b", 2).await;
    let meta = request();
    let decide = |version| {
        move |unit: &mut Unit| -> Result<(), Interrupt> {
            unit.handle::<Tally>(&tally("a"), &count(1))?;
            unit.expect::<Tally>(&tally("b"), version)?;
            unit.handle::<Tally>(&tally("b"), &count(1))?;
            unit.handle::<Tally>(&tally("c"), &count(1))
        }
    };
    let answer = log.execute(meta.clone(), act_of("someone"), decide(1)).await;
    assert!(is_stale(&answer, "b", 1, 2), "{answer:?}");
    assert_eq!(log.head(), 2);
    for (id, version) in [("a", 0), ("b", 2), ("c", 0)] {
        assert_eq!(log.history::<Tally>(&tally(id)).await.expect("a history").version(), version);
    }
    let executed = log.execute(meta, act_of("someone"), decide(2)).await.expect("written");
    assert_eq!((executed.events.len(), executed.replayed), (3, false));
}

#[tokio::test]
async fn a_decision_of_no_events_writes_none_and_makes_no_stream() {
    let (log, _) = new_log().await;
    for version in [0, 2] {
        let nothing = |unit: &mut Unit| unit.record::<Tally>(&tally("a"), Vec::new());
        let executed = log.execute(request(), act_of("someone"), nothing).await.expect("decided");
        assert_eq!((executed.events.len(), executed.version), (0, version));
        assert_eq!(log.head(), version);
        append(&log, request(), "a", 2).await;
    }
}

#[tokio::test]
async fn thousands_of_events_of_one_command_are_one_append() {
    let (log, _) = new_log().await;
    let executed = append(&log, request(), "a", 5_000).await;
    assert!(executed.events.iter().map(|event| event.position).eq(1..=5_000));
    assert!(executed.events.iter().map(|event| event.version).eq(1..=5_000));
    let stored = log.stream(&tally("a"), 0).await.expect("the stream");
    assert!(stored.iter().map(|event| event.position).eq(1..=5_000));
}

#[tokio::test]
async fn an_event_may_be_as_large_as_is_promised_and_no_larger() {
    let (log, _) = new_log().await;
    let with_reason = |length: usize| {
        let act = event_store::Act { reason: "é".repeat(length / 2), ..act_of("someone") };
        log.execute(request(), act, |unit| unit.handle::<Tally>(&tally("a"), &count(1)))
    };
    let Err(ExecuteError::EventTooLarge { bytes }) = with_reason(event_store::MAX_RECORD_BYTES).await else {
        panic!("it has no room for anything else");
    };
    // The rest of the record, and as much as its place and length may need more.
    let rest = bytes - event_store::MAX_RECORD_BYTES + 64;
    with_reason(event_store::MAX_RECORD_BYTES - rest).await.expect("stored");
    let record = all(&log).await.pop().expect("a record");
    assert_eq!(record.reason, "é".repeat((event_store::MAX_RECORD_BYTES - rest) / 2));
    assert_eq!(log.head(), 1);
}

#[tokio::test]
async fn text_of_any_script_is_stored_as_it_is() {
    let (log, _) = new_log().await;
    let texts = ["Ségou ; « accord »", "ߒߞߏ", "اتفاق", "a'b\"c\\d;--%_$1", "line\nline\ttab\0nul", "🤝🏿", ""];
    for text in texts {
        let act = event_store::Act { reason: text.to_owned(), ..act_of(text) };
        log.execute(request(), act, |unit| unit.handle::<Tally>(&tally("a"), &count(1))).await.expect("counted");
    }
    for (record, text) in all(&log).await.iter().zip(texts) {
        let act = event_store::act_from_record(record).expect("an act");
        assert_eq!((act.reason.as_str(), act.actor.subject.as_str()), (text, text));
    }
}

#[tokio::test]
async fn streams_whose_names_begin_alike_are_told_apart() {
    let (log, _) = new_log().await;
    let longest = "a".repeat(63);
    let ids = ["a", "aa", "a-a", "a-a-1", "0", "2026", longest.as_str()];
    for (events, id) in (1..).zip(ids) {
        append(&log, request(), id, events).await;
    }
    for (events, id) in (1_u64..).zip(ids) {
        let history = log.history::<Tally>(&tally(id)).await.expect("a history");
        assert_eq!((history.version(), history.state().total), (events, events.cast_signed()), "{id}");
    }
}

#[test]
fn what_could_be_taken_for_a_pattern_or_a_path_is_no_name() {
    let (longer, ids) =
        ("a".repeat(64), ["", "A", "a_b", "a%", "a/b", "a b", "-a", "a-", "é", "a.b", "a:b", "a+b", "*"]);
    for id in ids.into_iter().chain([longer.as_str()]) {
        assert!(StreamName::new("tallies", id).is_err(), "{id}");
    }
    for name in ["", "tallies", "tallies/", "/a", "tallies/a/b", "Tallies/a", "tallies:a"] {
        assert!(name.parse::<StreamName>().is_err(), "{name}");
    }
    let name: StreamName = "public-funds/t05-eutf".parse().expect("a name");
    assert_eq!((name.category(), name.id(), name.as_str()), ("public-funds", "t05-eutf", "public-funds/t05-eutf"));
}

#[tokio::test]
async fn what_caused_an_event_and_what_it_belongs_to_are_stored_with_it() {
    let (log, _) = new_log().await;
    let (belongs_to, cause) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let meta = CommandMeta { correlation_id: Some(belongs_to), causation_id: Some(cause), ..request() };
    run(&log, meta, &tally("a"), count(1)).await.expect("counted");
    let alone = request();
    run(&log, alone.clone(), &tally("a"), count(1)).await.expect("counted");
    let records = all(&log).await;
    assert_eq!(records[0].correlation_id, belongs_to.as_bytes());
    assert_eq!(records[0].causation_id, cause.as_bytes());
    assert_eq!(records[1].correlation_id, alone.request_id.as_bytes());
    assert!(records[1].causation_id.is_empty());
    assert_ne!(records[0].event_id, records[1].event_id);
}

#[tokio::test]
async fn a_log_that_is_opened_again_goes_on_after_its_last_event() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 3).await;
    let again = open(&url).await;
    assert_eq!((again.head(), again.epoch()), (3, log.epoch()));
    let executed = run(&again, request(), &tally("a"), count(1)).await.expect("counted");
    assert_eq!((executed.events[0].position, executed.version), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_postgres_has_crashed() {
    let mut postgres = Servers::shared().await.private_postgres().await;
    let url = postgres.database("crash").await.expect("a database");
    let log = Arc::new(open(&url).await);
    let mut acknowledged = 0;
    for crash in 0..3 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let log = log.clone();
            writers.spawn(async move {
                let (name, mut positions) = (tally(&format!("{crash}-{writer}")), Vec::new());
                while let Ok(executed) = run(&log, request(), &name, count(1)).await {
                    positions.push(executed.events[0].position);
                }
                positions
            });
        }
        let goal = log.head() + 40;
        log.watch_head().wait_for(|head| *head >= goal).await.expect("the log goes on");
        postgres.stop_immediately().await.expect("stopped");
        let positions: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
        postgres.resume().await.expect("it starts");
        acknowledged += positions.len();
        let records = all(&log).await;
        assert!(records.iter().map(|record| record.position).eq(1..=records.len() as u64), "no gap");
        assert!(positions.iter().all(|position| *position <= records.len() as u64), "nothing acknowledged is lost");
        // One command of each writer may have been on its way: it is there or not, never in part.
        assert!(records.len() <= acknowledged + 8 * (crash + 1));
    }
    run(&log, request(), &tally("after"), count(1)).await.expect("it goes on");
    assert_eq!(all(&log).await.len() as u64, log.head());
    // Nothing of what was acknowledged reads otherwise than by position.
    let limit = PageLimit { events: 1, bytes: 1 };
    assert_eq!(log.page(log.head(), limit).await.expect("a page").len(), 1);
}
