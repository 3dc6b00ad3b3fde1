//! The tree in the head row: that of exactly the records below it, whatever happens; and what happens to an edited one.

use event_store::{ExecuteError, HeadFault, Log, Published, StoreError, StoredEvent, TreeHead};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio::{
    task::JoinSet,
    time::{Duration, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    log::{all, join_roles, new_log, open, restore, run},
    races::{hold_head, owner, waiting_writer},
    stage::{append, until},
    tally::{act_of, count, request, tally},
};

const LIMIT: Duration = Duration::from_mins(1);

/// The root by the definition of RFC 6962, 2.1, word by word.
fn defined(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest(b"").into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Sha256::digest([&[1][..], &defined(left), &defined(right)].concat()).into()
        }
    }
}

fn leaf(record: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0], record].concat()).into()
}

async fn stored(log: &Log) -> Vec<StoredEvent> {
    let limit = event_store::PageLimit { events: 100_000, bytes: usize::MAX };
    log.page(1, limit).await.expect("the log")
}

async fn head(log: &Log) -> TreeHead {
    log.tree_head().await.expect("a sound head").expect("a tree")
}

/// Each of these heads is that of the records below it.
async fn assert_right(log: &Log, heads: &[TreeHead]) {
    let leaves: Vec<_> = stored(log).await.iter().map(|event| leaf(&event.record)).collect();
    for head in heads {
        let size = usize::try_from(head.size).expect("a size");
        assert_eq!(*head.root.as_bytes(), defined(&leaves[..size]), "at {size}");
        assert_eq!((head.range.root(), head.range.end()), (head.root, head.size));
    }
}

async fn edit(url: &str, statements: &[&str]) {
    let mut owner = owner(url).await;
    for statement in statements {
        // They are written here.
        sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(&mut owner).await.expect(statement);
    }
}

/// What is in the head row, to be put back.
async fn row(url: &str) -> (Vec<u8>, Vec<u8>) {
    let row = sqlx::query("SELECT root, compact_range FROM log.head").fetch_one(&mut owner(url).await).await;
    let row = row.expect("a row");
    (row.get(0), row.get(1))
}

async fn put(url: &str, (root, range): &(Vec<u8>, Vec<u8>)) {
    let put = sqlx::query("UPDATE log.head SET root = $1, compact_range = $2").bind(root).bind(range);
    put.execute(&mut owner(url).await).await.expect("put back");
}

/// The fault that a command is refused for; nothing is written.
async fn refused(log: &Log) -> HeadFault {
    let before = log.head();
    match run(log, request(), &tally("a"), count(1)).await {
        Err(ExecuteError::Unavailable(StoreError::Head(fault))) => {
            assert_eq!(log.watch_head_fault().borrow().as_ref(), Some(&fault), "whoever watches is told the same");
            assert_eq!(log.head(), before);
            fault
        }
        other => panic!("{other:?}"),
    }
}

async fn is_written_again(log: &Log) {
    run(log, request(), &tally("a"), count(1)).await.expect("counted");
    assert_eq!(*log.watch_head_fault().borrow(), None);
    assert_right(log, &[head(log).await]).await;
}

#[tokio::test]
async fn at_every_position_the_head_holds_the_root_of_the_records_up_to_it() {
    let (log, _) = new_log().await;
    let mut heads = vec![head(&log).await];
    for events in [1, 1, 1, 2, 3, 1, 7, 1, 16, 5, 64, 28, 1] {
        append(&log, request(), "a", events).await;
        heads.push(head(&log).await);
    }
    assert_eq!(heads.last().map(|head| head.size), Some(131));
    assert_eq!(heads[0].root, transparency::Hash::EMPTY_TREE);
    assert_right(&log, &heads).await;
    let page = log.page(7, event_store::PageLimit::default()).await.expect("a page").remove(0);
    assert_eq!(transparency::leaf_hash(&page.record).as_bytes(), &leaf(&page.record), "leaf 6 is the event at 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_while_two_appenders_write_sees_a_head_with_its_own_root() {
    let (first, url) = new_log().await;
    let second = open(&url).await;
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let log = if writer % 2 == 0 { first.clone() } else { second.clone() };
        writers.spawn(async move {
            for _ in 0..10 {
                run(&log, request(), &tally(&format!("t-{}", writer % 5)), count(1)).await.expect("counted");
            }
        });
    }
    let mut heads = Vec::new();
    while !writers.is_empty() {
        heads.push(head(&first).await);
        while writers.try_join_next().is_some_and(|joined| joined.map(|()| true).expect("no panic")) {}
    }
    heads.push(head(&second).await);
    assert_eq!(heads.last().map(|head| head.size), Some(160));
    assert_right(&first, &heads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_cut_off_leaves_the_root_of_what_is_there() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    let mut heads = vec![head(&log).await];
    for _ in 0..3 {
        let held = hold_head(&url).await;
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let log = log.clone();
            senders.spawn(async move { run(&log, request(), &tally(&format!("t-{sender}")), count(1)).await });
        }
        let writer = waiting_writer(&url).await;
        let mut owner = owner(&url).await;
        join_roles(&mut owner).await;
        sqlx::query("SELECT pg_terminate_backend($1)").bind(writer).execute(&mut owner).await.expect("cut");
        held.close().await.expect("released");
        assert!(senders.join_all().await.iter().all(Result::is_ok));
        heads.push(head(&log).await);
    }
    assert_eq!(log.head(), 29);
    assert_right(&log, &heads).await;
}

#[tokio::test]
async fn a_log_from_before_there_were_trees_gets_one_when_it_is_opened() {
    let (log, url) = new_log().await;
    for _ in 0..3 {
        append(&log, request(), "a", 500).await;
    }
    let before = head(&log).await;
    let forget = [
        "ALTER TABLE log.head DROP COLUMN root, DROP COLUMN compact_range",
        "DELETE FROM log._sqlx_migrations WHERE version = (SELECT max(version) FROM log._sqlx_migrations)",
    ];
    edit(&url, &forget).await;
    let log = open(&url).await;
    assert_eq!(head(&log).await, before);
    is_written_again(&log).await;
}

#[tokio::test]
async fn a_tree_that_was_taken_away_is_computed_again_while_the_service_runs() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    edit(&url, &["UPDATE log.head SET root = NULL, compact_range = NULL"]).await;
    assert_eq!(log.tree_head().await.expect("a sound head"), None);
    is_written_again(&log).await;
}

#[tokio::test]
async fn a_tree_of_other_records_than_this_process_committed_is_refused_even_where_it_fits_them() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    let (before, row) = (head(&log).await, row(&url).await);
    let record: Vec<u8> = stored(&log).await[2].record.to_vec();
    let alter = [
        "UPDATE log.events SET record = set_byte(record, 40, get_byte(record, 40) # 1) WHERE position = 3",
        "UPDATE log.head SET root = NULL, compact_range = NULL",
    ];
    edit(&url, &alter).await;
    let fault = refused(&log).await;
    assert!(matches!(fault, HeadFault::Changed { position: 5, known, .. } if known == before.root), "{fault}");
    assert_right(&log, &[head(&log).await]).await;
    // It is another tree, and stays refused, until both are what they were.
    assert_eq!(refused(&log).await, fault);
    let mend = sqlx::query("UPDATE log.events SET record = $1 WHERE position = 3").bind(record);
    mend.execute(&mut owner(&url).await).await.expect("mended");
    put(&url, &row).await;
    is_written_again(&log).await;
}

#[tokio::test]
async fn an_edited_head_row_is_refused_by_name_until_it_is_mended() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    let right = head(&log).await;
    let as_it_was = row(&url).await;
    let (root, range) = (
        "UPDATE log.head SET root = set_byte(root, 0, get_byte(root, 0) # 1)",
        "UPDATE log.head SET compact_range = set_byte(compact_range, 40, get_byte(compact_range, 40) # 1)",
    );
    for (edits, edited_root) in [(vec![root], true), (vec![range], false), (vec![root, range], true)] {
        edit(&url, &edits).await;
        // The process that wrote it, and one that finds it.
        for log in [&log, &open(&url).await] {
            let fault = refused(log).await;
            let HeadFault::Apart { position: 5, root, folded } = fault else { panic!("{fault}") };
            assert_eq!((root != right.root, folded != right.root), (edited_root, edits.len() == 2 || !edited_root));
            assert!(matches!(log.tree_head().await, Err(StoreError::Head(same)) if same == fault));
        }
        put(&url, &as_it_was).await;
    }
    edit(&url, &["ALTER TABLE log.head DROP CONSTRAINT head_root_is_a_hash, DROP CONSTRAINT head_range_fits"]).await;
    edit(&url, &["UPDATE log.head SET compact_range = substr(compact_range, 2)"]).await;
    assert!(matches!(refused(&log).await, HeadFault::Range(_)));
    put(&url, &as_it_was).await;
    edit(&url, &["UPDATE log.head SET root = substr(root, 2)"]).await;
    assert!(matches!(refused(&log).await, HeadFault::Root));
    assert!(run(&log, request(), &tally("a"), count(1)).await.is_err(), "and the next one");
    put(&url, &as_it_was).await;
    is_written_again(&log).await;
    assert_eq!(all(&log).await.len(), 6);
}

#[tokio::test]
async fn the_database_itself_takes_no_half_a_tree_and_no_position_without_its_range() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    for statement in [
        "UPDATE log.head SET root = NULL",
        "UPDATE log.head SET compact_range = NULL",
        "UPDATE log.head SET root = substr(root, 2)",
        "UPDATE log.head SET compact_range = substr(compact_range, 33)",
        "UPDATE log.head SET position = 7",
    ] {
        let refused = sqlx::query(statement).execute(&mut owner(&url).await).await.expect_err("refused");
        assert!(refused.to_string().contains("check constraint"), "{statement}: {refused}");
    }
    // Each update of the row finds room on its page: no index has to follow it.
    for _ in 0..20 {
        run(&log, request(), &tally("a"), count(1)).await.expect("counted");
    }
    let mut owner = owner(&url).await;
    let indexed = "SELECT count(*) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
                   WHERE indrelid = 'log.head'::regclass AND attname <> 'singleton'";
    let indexed: i64 = sqlx::query_scalar(indexed).fetch_one(&mut owner).await.expect("the catalogue");
    assert_eq!(indexed, 0);
}

#[tokio::test]
async fn a_restored_log_keeps_the_tree_of_what_it_has_in_its_new_epoch() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 3).await;
    let (old, backup) = (head(&log).await, row(&url).await);
    append(&log, request(), "a", 4).await;
    restore(&url, 3).await;
    put(&url, &backup).await;
    let wanted = async || run(&log, request(), &tally("a"), count(1)).await.is_ok();
    until("the log is written again", wanted).await;
    let new = head(&log).await;
    assert!(new.epoch != old.epoch && new.size >= 4);
    assert_right(&log, &[old, new]).await;
    // An epoch that is begun beside the appender changes nothing of the tree.
    let before = head(&log).await;
    let lost = Published { epoch: log.epoch(), position: log.head() + 1, record: bytes::Bytes::from_static(b"lost") };
    assert!(log.compare_with_published(&lost).await.expect("compared"));
    let begun = head(&log).await;
    assert_eq!((begun.epoch, begun.size, begun.root), (log.epoch(), before.size, before.root));
    is_written_again(&log).await;
}

#[tokio::test]
async fn no_tree_is_computed_over_a_hole() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    edit(&url, &["DELETE FROM log.events WHERE position = 3", "UPDATE log.head SET root = NULL, compact_range = NULL"])
        .await;
    let opened = timeout(LIMIT, Log::open("tallies", &url, CancellationToken::new())).await.expect("it is told");
    assert!(matches!(opened.err(), Some(StoreError::Record { position: 3, .. })));
}

#[tokio::test]
async fn a_dry_run_on_an_edited_head_is_refused_too() {
    let (log, url) = new_log().await;
    append(&log, request(), "a", 5).await;
    edit(&url, &["UPDATE log.head SET root = set_byte(root, 0, get_byte(root, 0) # 1)"]).await;
    let dry = event_store::CommandMeta { validate_only: true, ..request() };
    let answer =
        log.execute(dry, act_of("someone"), |unit| unit.handle::<crate::tally::Tally>(&tally("a"), &count(1))).await;
    assert!(matches!(answer, Err(ExecuteError::Unavailable(StoreError::Head(_)))), "{answer:?}");
}
