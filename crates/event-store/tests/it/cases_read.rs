//! Cases of reading that the tests of other event stores hold; `docs/cases.md` says whose, and where the rest is.

use std::sync::Arc;

use event_store::{Correction, EventFilter, Log, PageLimit, Unit};
use tokio::sync::Semaphore;

use crate::{
    log::{all, new_log, run},
    stage::append,
    tally::{Counted, Tally, act_of, count, request, tally},
};

const WIDE: PageLimit = PageLimit { events: 1_000, bytes: usize::MAX };

/// The positions of a page.
async fn positions(log: &Log, from: u64, events: usize) -> Vec<u64> {
    let page = log.page(from, PageLimit { events, ..WIDE }).await.expect("a page");
    page.iter().map(|event| event.position).collect()
}

/// The positions that a filter takes, from a position to the end.
async fn matching(log: &Log, from: u64, filter: EventFilter) -> Vec<u64> {
    let mut pages = log.pages(from, filter, Arc::new(Semaphore::new(1))).await.expect("pages");
    let mut found = Vec::new();
    loop {
        let page = pages.next().await.expect("a page");
        found.extend(page.events.iter().map(|event| event.position));
        if page.at_end {
            return found;
        }
    }
}

#[tokio::test]
async fn an_empty_log_reads_as_nothing_and_not_as_an_error() {
    let (log, _) = new_log().await;
    assert_eq!(log.head(), 0);
    for from in [0, 1, 2] {
        assert!(positions(&log, from, 10).await.is_empty());
    }
    assert!(matching(&log, 1, EventFilter::default()).await.is_empty());
}

#[tokio::test]
async fn a_stream_that_was_never_written_is_empty_whether_there_are_others_or_not() {
    let (log, _) = new_log().await;
    for _ in 0..2 {
        let history = log.history::<Tally>(&tally("none")).await.expect("a history");
        assert!(history.is_empty());
        assert_eq!((history.version(), history.state().total), (0, 0));
        assert!(log.stream(&tally("none"), 0).await.expect("the stream").is_empty());
        append(&log, request(), "other", 1).await;
    }
    assert!(!log.history::<Tally>(&tally("other")).await.expect("a history").is_empty());
}

#[tokio::test]
async fn what_was_known_when_an_event_was_written_leaves_out_what_came_after_it_at_the_same_time() {
    let (log, _) = new_log().await;
    let both = |unit: &mut Unit| {
        unit.handle::<Tally>(&tally("a"), &count(1))?;
        unit.handle::<Tally>(&tally("b"), &count(1))
    };
    for _ in 0..2 {
        log.execute(request(), act_of("someone"), both).await.expect("one commit");
    }
    let when = async |stream: &str, other: &str, version| {
        log.version_when(&tally(stream), &tally(other), version).await.expect("a version")
    };
    assert_eq!((when("b", "a", 1).await, when("b", "a", 2).await), (0, 1), "`b` is written after `a`");
    assert_eq!((when("a", "b", 1).await, when("a", "b", 2).await), (1, 2));
    assert_eq!((when("a", "b", 3).await, when("none", "b", 2).await), (0, 0));
    let times: Vec<_> = all(&log).await.iter().map(|event| event.recorded_at).collect();
    assert_eq!((times[0], times[2]), (times[1], times[3]), "times do not tell them apart");
}

#[tokio::test]
async fn a_page_begins_at_its_position_and_ends_at_its_number_or_at_the_end() {
    let (log, _) = new_log().await;
    append(&log, request(), "a", 10).await;
    assert_eq!(positions(&log, 0, 3).await, [1, 2, 3], "nothing lies before the first");
    assert_eq!(positions(&log, 1, 3).await, [1, 2, 3]);
    assert_eq!(positions(&log, 4, 1).await, [4]);
    assert_eq!(positions(&log, 9, 3).await, [9, 10]);
    assert_eq!(positions(&log, 10, 3).await, [10]);
    assert_eq!(positions(&log, 1, 10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(positions(&log, 1, 1_000_000).await, (1..=10).collect::<Vec<_>>());
    for beyond in [11, 1_000_000, u64::MAX / 2] {
        assert!(positions(&log, beyond, 3).await.is_empty(), "{beyond}");
    }
}

#[tokio::test]
async fn pages_one_after_the_other_are_the_whole_log_once() {
    let (log, _) = new_log().await;
    for id in ["a", "b", "a"] {
        append(&log, request(), id, 11).await;
    }
    for events in [1, 2, 7, 33, 34] {
        let (mut from, mut read) = (1, Vec::new());
        while let Some(last) = { positions(&log, from, events).await.into_iter().inspect(|at| read.push(*at)).last() } {
            from = last + 1;
        }
        assert_eq!(read, (1..=33).collect::<Vec<_>>(), "{events} a page");
    }
}

#[tokio::test]
async fn a_stream_is_read_in_its_order_from_any_version_and_holds_nothing_else() {
    let (log, _) = new_log().await;
    for _ in 0..3 {
        append(&log, request(), "a", 2).await;
        append(&log, request(), "b", 1).await;
    }
    for after in 0..=8 {
        let events = log.stream(&tally("a"), after).await.expect("the stream");
        let records: Vec<_> = events.iter().map(|event| event.decode().expect("a record")).collect();
        assert!(records.iter().all(|record| record.stream == "tallies/a"));
        assert!(records.iter().map(|record| record.version).eq(after + 1..=6), "after {after}");
        assert!(records.is_sorted_by_key(|record| record.position));
    }
}

#[tokio::test]
async fn the_last_event_of_a_stream_is_the_one_of_its_version() {
    let (log, _) = new_log().await;
    append(&log, request(), "a", 4).await;
    append(&log, request(), "b", 1).await;
    let history = log.history::<Tally>(&tally("a")).await.expect("a history");
    let last = log.stream(&tally("a"), history.version() - 1).await.expect("the stream");
    assert_eq!(last.iter().map(|event| event.position).collect::<Vec<_>>(), [4]);
    assert_eq!(history.entries().next_back().map(|entry| entry.version), Some(4));
}

#[tokio::test]
async fn a_stream_is_as_it_was_at_each_of_its_versions() {
    let (log, _) = new_log().await;
    for amount in [5, -3, 10] {
        run(&log, request(), &tally("a"), count(amount)).await.expect("counted");
    }
    let history = log.history::<Tally>(&tally("a")).await.expect("a history");
    let totals: Vec<i64> = (0..=4).map(|version| history.state_at(version).total).collect();
    assert_eq!(totals, [0, 5, 2, 12, 12]);
    assert_eq!(history.state().total, 12);
}

#[tokio::test]
async fn a_category_is_read_in_order_of_the_log_without_the_others_and_from_any_position() {
    let (log, _) = new_log().await;
    for id in ["a", "b", "a"] {
        append(&log, request(), id, 2).await;
    }
    let of = |category: &str| EventFilter { category: Some(category.into()), ..EventFilter::default() };
    assert_eq!(matching(&log, 1, of("tallies")).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(matching(&log, 4, of("tallies")).await, [4, 5, 6]);
    assert!(matching(&log, 7, of("tallies")).await.is_empty());
    // Not a pattern, not a beginning.
    for other in ["tallie", "tallies/a", "talliess", "%", ""] {
        assert!(matching(&log, 1, of(other)).await.is_empty(), "{other:?}");
    }
}

#[tokio::test]
async fn types_streams_and_organisations_are_told_apart_alone_and_together() {
    let (log, _) = new_log().await;
    append(&log, request(), "a", 2).await;
    append(&log, request(), "b", 1).await;
    let proposed = log.execute(request(), act_of("someone"), |unit| {
        let right = Correction { mistaken_version: 1, right: Counted(3), effective_on: None };
        unit.propose_correction::<Tally>(&tally("a"), right)
    });
    proposed.await.expect("proposed");
    let none = EventFilter::default;
    let types = |types: &[&str]| types.iter().map(ToString::to_string).collect();
    let (counts, proposals) = ("toguna.type.v1.Money", "toguna.log.v1.CorrectionProposed");
    let cases = [
        (none(), vec![1, 2, 3, 4]),
        (EventFilter { types: types(&[counts]), ..none() }, vec![1, 2, 3]),
        (EventFilter { types: types(&[proposals]), ..none() }, vec![4]),
        (EventFilter { types: types(&[proposals, counts]), ..none() }, vec![1, 2, 3, 4]),
        (EventFilter { types: types(&["toguna.type.v1.Nothing"]), ..none() }, vec![]),
        (EventFilter { stream: Some(tally("a")), ..none() }, vec![1, 2, 4]),
        (EventFilter { stream: Some(tally("c")), ..none() }, vec![]),
        (EventFilter { stream: Some(tally("a")), types: types(&[counts]), ..none() }, vec![1, 2]),
        (EventFilter { organisation: Some("partners/ml".into()), ..none() }, vec![1, 2, 3, 4]),
        (EventFilter { organisation: Some("partners/m".into()), ..none() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(matching(&log, 1, filter.clone()).await, expected, "{filter:?}");
        let later: Vec<u64> = expected.into_iter().filter(|position| *position >= 2).collect();
        assert_eq!(matching(&log, 2, filter.clone()).await, later, "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_while_others_write_sees_each_event_once_in_order_and_no_append_in_part() {
    let (log, _) = new_log().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let log = log.clone();
        writers.spawn(async move {
            for _ in 0..25 {
                // Two streams, three events: an append is whole at a multiple of three.
                let decide = move |unit: &mut Unit| {
                    unit.handle::<Tally>(&tally(&format!("own-{writer}")), &count(1))?;
                    unit.handle::<Tally>(&tally("shared"), &count(1))?;
                    unit.handle::<Tally>(&tally("shared"), &count(1))
                };
                log.execute(request(), act_of("someone"), decide).await.expect("written");
            }
        });
    }
    let mut read: Vec<u64> = Vec::new();
    while read.len() < 600 {
        let page = positions(&log, read.len() as u64 + 1, 1_000).await;
        assert!(page.len().is_multiple_of(3), "half an append was seen: {} after {}", page.len(), read.len());
        read.extend(page);
    }
    writers.join_all().await;
    assert!(read.into_iter().eq(1..=600));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_read_at_once() {
    let (log, _) = new_log().await;
    for turn in 1..=50 {
        let executed = run(&log, request(), &tally("a"), count(1)).await.expect("counted");
        assert_eq!(positions(&log, executed.events[0].position, 10).await, [turn]);
        assert_eq!(log.history::<Tally>(&tally("a")).await.expect("a history").version(), turn);
        assert!(log.head() >= turn);
    }
    assert_eq!(all(&log).await.len(), 50);
}
