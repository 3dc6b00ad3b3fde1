//! Cases of subscriptions and checkpoints that the tests of other event stores hold; `docs/cases.md` says whose, and
//! where the rest is.

use event_store::{Correction, Followers, Log, open_read_models};
use harness::Servers;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    house::{MIGRATOR, Running, Totals, elsewhere, expected, read_models, totals},
    stage::{Stage, append, until},
    tally::{Counted, Tally, act_of, request, tally},
};

async fn own_log() -> (Log, PgPool) {
    let url = Servers::shared().await.database("own").await;
    let log = Log::open("tallies", &url, CancellationToken::new()).await.expect("the log opens");
    (log, open_read_models(&url, "tallies", 1, &MIGRATOR).await.expect("the read models open"))
}

fn following(log: &Log, pool: &PgPool) -> Running {
    Running::start(Followers::new(pool.clone()).own_log(log).projection(Totals::of("tallies")))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_from_before_and_from_after_the_start_arrive_once_each() {
    let (log, pool) = own_log().await;
    append(&log, request(), "before", 10).await;
    let running = following(&log, &pool);
    append(&log, request(), "after", 10).await;
    running.reaches("totals", 20).await;
    append(&log, request(), "live", 1).await;
    running.reaches("totals", 21).await;
    assert_eq!(totals(&pool, "totals").await, expected(&log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hand_over_from_catching_up_to_live_loses_and_doubles_nothing_under_load() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    stage.append("early", 3_000).await;
    let (stop, log) = (CancellationToken::new(), stage.log.clone());
    let stopped = stop.clone();
    let load = tokio::spawn(async move {
        while !stopped.is_cancelled() {
            append(&log, request(), "load", 1).await;
        }
    });
    // One of the own log and one by NATS, which start in the middle.
    let (pool, there) = (read_models().await, read_models().await);
    let ours = following(&stage.log, &pool);
    let theirs = Running::start(elsewhere(&there, &stage.nats).projection(Totals::of("tallies")));
    for running in [&ours, &theirs] {
        let live = stage.log.head() + 20;
        running.reaches("totals", live).await;
    }
    stop.cancel();
    load.await.expect("no command failed");
    for (running, pool) in [(&ours, &pool), (&theirs, &there)] {
        running.reaches("totals", stage.log.head()).await;
        assert_eq!(totals(pool, "totals").await, expected(&stage.log).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_an_empty_log_gets_its_first_event() {
    let (log, pool) = own_log().await;
    let running = following(&log, &pool);
    running.following.caught_up().await;
    assert!(totals(&pool, "totals").await.is_empty());
    append(&log, request(), "a", 1).await;
    running.reaches("totals", 1).await;
    assert_eq!(totals(&pool, "totals").await, expected(&log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_starts_again_at_the_end_gets_nothing_again_and_what_comes_then() {
    let (log, pool) = own_log().await;
    append(&log, request(), "a", 10).await;
    following(&log, &pool).reaches("totals", 10).await;
    let before = totals(&pool, "totals").await;
    let running = following(&log, &pool);
    running.following.caught_up().await;
    assert_eq!(totals(&pool, "totals").await, before);
    append(&log, request(), "a", 1).await;
    running.reaches("totals", 11).await;
    assert_eq!(totals(&pool, "totals").await, expected(&log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_follower_has_a_checkpoint_of_its_own_and_a_new_one_begins_at_the_start() {
    let (log, pool) = own_log().await;
    append(&log, request(), "a", 10).await;
    following(&log, &pool).reaches("totals", 10).await;
    append(&log, request(), "b", 5).await;
    let newer = Totals { name: "newer", ..Totals::of("tallies") };
    let followers = Followers::new(pool.clone()).own_log(&log);
    let running = Running::start(followers.projection(Totals::of("tallies")).projection(newer));
    for name in ["totals", "newer"] {
        running.reaches(name, 15).await;
        assert_eq!(totals(&pool, name).await, expected(&log).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_moves_over_events_that_a_projection_passes_over() {
    let (log, pool) = own_log().await;
    append(&log, request(), "a", 2).await;
    for _ in 0..3 {
        let propose = |unit: &mut event_store::Unit| {
            let right = Correction { mistaken_version: 1, right: Counted(3), effective_on: None };
            unit.propose_correction::<Tally>(&tally("a"), right)
        };
        log.execute(request(), act_of("someone"), propose).await.expect("proposed");
    }
    let running = following(&log, &pool);
    running.reaches("totals", 5).await;
    let position: (i64,) = sqlx::query_as("SELECT position FROM checkpoints WHERE follower = 'totals'")
        .fetch_one(&pool)
        .await
        .expect("a checkpoint");
    assert_eq!(position, (5,));
    assert_eq!(totals(&pool, "totals").await.values().copied().collect::<Vec<_>>(), [(2, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_log_that_nats_does_not_know_waits_for_it() {
    let mut stage = Stage::new().await;
    let pool = read_models().await;
    stage.append("a", 7).await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(running.status("totals").position, 0);
    let relaying = stage.relay();
    running.reaches("totals", 7).await;
    // And where the broker goes away and comes back.
    stage.server.kill().await.expect("killed");
    stage.append("a", 7).await;
    stage.server.resume().await.expect("it starts");
    stage.caught_up(&relaying).await;
    running.reaches("totals", 14).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
    until("it says that it has caught up", async || running.status("totals").position == stage.log.head()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_far_behind_gets_each_event_once_though_the_broker_is_killed_on_its_way() {
    let mut stage = Stage::new().await;
    let relaying = stage.relay();
    let pool = read_models().await;
    for part in 0..2 {
        stage.append(&format!("part-{part}"), 1_900).await;
    }
    stage.caught_up(&relaying).await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    for on_its_way in [1_100, 2_500] {
        running.reaches("totals", on_its_way).await;
        stage.server.kill().await.expect("killed");
        stage.server.resume().await.expect("it starts");
    }
    running.reaches("totals", stage.log.head()).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}
