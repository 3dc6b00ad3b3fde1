//! Read models and reactions see every event once, whatever happens to them, to NATS and to the logs.

use std::{sync::Arc, time::Duration};

use event_store::{Log, open_read_models};
use harness::Servers;
use tokio_util::sync::CancellationToken;

use crate::{
    house::{MIGRATOR, Mirror, Running, Stall, Totals, elsewhere, expected, mirroring, read_models, totals},
    relay::forge,
    stage::{LIMIT, Stage, append, until},
    tally::{Tally, act_of, count, request, tally},
};

#[tokio::test(flavor = "multi_thread")]
async fn own_read_models_live_without_nats() {
    let url = Servers::shared().await.database("own").await;
    let log = Log::open("tallies", &url, CancellationToken::new()).await.expect("the log opens");
    let pool = open_read_models(&url, "tallies", 1, &MIGRATOR).await.expect("the read models open");
    let running =
        Running::start(event_store::Followers::new(pool.clone()).own_log(&log).projection(Totals::of("tallies")));
    append(&log, request(), "a", 1_500).await;
    append(&log, request(), "b", 3).await;
    running.reaches("totals", 1_503).await;
    assert_eq!(totals(&pool, "totals").await, expected(&log).await);
    running.following.caught_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_starts_again_goes_on_where_it_was() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let pool = read_models().await;
    for events in [40, 13, 1_077] {
        stage.append("a", events).await;
        stage.append("b", 1).await;
        let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
        running.reaches("totals", stage.log.head()).await;
        assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_killed_at_any_moment_applies_each_event_once() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    let pool = read_models().await;
    for round in 0..12 {
        stage.append("a", 10).await;
        stage.append("b", 3).await;
        stage.caught_up(&relaying).await;
        let stall = Stall { after: 1 + round % 13, reached: Arc::default() };
        let stalling = Totals { stall: Some(stall.clone()), ..Totals::of("tallies") };
        let running = Running::start(elsewhere(&pool, &stage.nats).projection(stalling));
        tokio::time::timeout(LIMIT, stall.reached.notified()).await.expect("it is at work");
        drop(running);
        if round % 3 == 0 {
            let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
            running.reaches("totals", stage.log.head()).await;
            assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
        }
    }
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    running.reaches("totals", stage.log.head()).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_of_one_projection_apply_each_event_once() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let pool = read_models().await;
    let slow = || Totals { pace: Duration::from_millis(5), ..Totals::of("tallies") };
    let runners = [(); 2].map(|()| Running::start(elsewhere(&pool, &stage.nats).projection(slow())));
    let noticed = async {
        tokio::select! {
            trouble = runners[0].is_troubled("totals") => trouble,
            trouble = runners[1].is_troubled("totals") => trouble,
        }
    };
    let load = async {
        for _ in 0..60 {
            stage.append("a", 2).await;
        }
    };
    let ((), noticed) = tokio::join!(load, noticed);
    assert_eq!(noticed, "somebody else runs this follower");
    for running in &runners {
        running.reaches("totals", stage.log.head()).await;
    }
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_the_same_whatever_the_batches() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let (live, rebuilt) = (read_models().await, read_models().await);
    let running = Running::start(elsewhere(&live, &stage.nats).projection(Totals::of("tallies")));
    for events in [1, 2, 300, 1, 50, 1_200, 7] {
        stage.append(if events % 2 == 0 { "even" } else { "odd" }, events).await;
        running.reaches("totals", stage.log.head()).await;
    }
    let again = Running::start(elsewhere(&rebuilt, &stage.nats).projection(Totals::of("tallies")));
    again.reaches("totals", stage.log.head()).await;
    assert_eq!(totals(&live, "totals").await, totals(&rebuilt, "totals").await);
    assert_eq!(totals(&live, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_event_stops_one_projection_and_no_other() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let pool = read_models().await;
    stage.append("a", 20).await;
    run(&stage.log, 13).await;
    stage.append("a", 20).await;
    let delicate = Totals { name: "delicate", poison: Some(13), ..Totals::of("tallies") };
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")).projection(delicate));
    let (position, error) = running.stops("delicate").await;
    assert_eq!((position, error.as_str()), (21, "13 is too much"));
    assert_eq!(running.status("delicate").position, 20, "everything before it is applied");
    assert_eq!(totals(&pool, "delicate").await["tallies/a"], (20, 20));
    stage.append("a", 5).await;
    running.reaches("totals", 46).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
    drop(running);

    // A version that can bear it goes on from there.
    let upgraded = Totals { name: "delicate", ..Totals::of("tallies") };
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(upgraded));
    running.reaches("delicate", 46).await;
    assert_eq!(totals(&pool, "delicate").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_holds_a_subscriber_until_the_stream_is_whole() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 30).await;
    stage.caught_up(&relaying).await;
    relaying.stop().await;
    assert!(stage.stream().await.delete_message(12).await.expect("deleted"));
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    let trouble = running.is_troubled("totals").await;
    assert_eq!(trouble, "the event after position 11 is missing: 13 comes next");
    assert!(running.status("totals").position <= 11);
    let _relaying = stage.relay();
    running.reaches("totals", 30).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_record_at_the_checkpoint_holds_a_subscriber_until_the_stream_is_right() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 30).await;
    stage.caught_up(&relaying).await;
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    running.reaches("totals", 30).await;
    drop(running);
    relaying.stop().await;
    // A record that could be one, at the right place, with another reason in it.
    forge(&stage, 30, |bytes| [bytes, b"\x7a\x05other".as_slice()].concat().into()).await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    let trouble = running.is_troubled("totals").await;
    assert_eq!(trouble, "the record at position 30 is not the one that had its effect here");
    let _relaying = stage.relay();
    stage.append("a", 1).await;
    running.reaches("totals", 31).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_outlives_a_broker_that_forgets_everything() {
    let mut stage = Stage::new().await;
    let relaying = stage.relay();
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    stage.append("a", 30).await;
    running.reaches("totals", 30).await;
    stage.server.kill().await.expect("killed");
    std::fs::remove_dir_all(stage.server.store()).expect("wiped");
    stage.append("a", 30).await;
    stage.server.resume().await.expect("it starts");
    running.reaches("totals", 60).await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
    stage.caught_up(&relaying).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_makes_a_projection_begin_again() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    stage.append("a", 30).await;
    running.reaches("totals", 30).await;
    let before = running.status("totals").epoch;
    // A row that no event explains is gone after a rebuild.
    sqlx::query("INSERT INTO totals VALUES ('totals stray', 1, 1)").execute(&pool).await.expect("inserted");
    stage.begin_epoch().await;
    stage.append("a", 1).await;
    until("it is in the new epoch", async || running.status("totals").epoch != before).await;
    running.reaches("totals", 31).await;
    assert_eq!(running.status("totals").epoch, Some(stage.log.epoch()));
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_that_gets_an_event_twice_records_it_once() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let (own, pool) = mirroring(&stage.nats).await;
    stage.append("a", 25).await;
    let start = || Running::start(elsewhere(&pool, &stage.nats).own_log(&own).reaction(Mirror));
    let running = start();
    running.reaches("mirror", 25).await;
    assert_eq!(own.head(), 25);
    drop(running);
    sqlx::query("UPDATE checkpoints SET position = 0, sha256 = ''").execute(&pool).await.expect("moved");
    stage.append("a", 2).await;
    let running = start();
    running.reaches("mirror", 27).await;
    assert_eq!(own.head(), 27, "25 had their effect before");
    assert_eq!(expected(&own).await["tallies/mirror"], (27, 27));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_records_whose_act_it_was_and_what_caused_it() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let (own, pool) = mirroring(&stage.nats).await;
    let running = Running::start(elsewhere(&pool, &stage.nats).own_log(&own).reaction(Mirror));
    stage.append("a", 1).await;
    running.reaches("mirror", 1).await;
    let cause = stage.stored().await[0].decode().expect("a record");
    let page = own.page(1, event_store::PageLimit::default()).await.expect("the log");
    let effect = page[0].decode().expect("a record");
    let actor = effect.actor.clone().expect("an actor");
    assert_eq!((actor.issuer.as_str(), actor.subject.as_str()), ("toguna", "house/mirror"));
    assert_eq!((actor.organisation, actor.roles.len()), (cause.on_behalf_of.clone(), 0));
    assert_eq!(effect.on_behalf_of, cause.on_behalf_of);
    assert_eq!(effect.basis(), contracts::toguna::log::v1::Basis::RecordedFromSource);
    assert_eq!((effect.certainty, effect.effective_on), (cause.certainty, cause.effective_on));
    assert_eq!(effect.causation_id, cause.event_id);
    assert_eq!(effect.correlation_id, cause.correlation_id);
}

async fn run(log: &Log, amount: i64) {
    let name = tally("a");
    let command = count(amount);
    let executed = log.execute(request(), act_of("someone"), move |unit| unit.handle::<Tally>(&name, &command)).await;
    executed.expect("counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_comes_later_is_followed_from_its_start() {
    let stage = Stage::new().await;
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    stage.append("a", 7).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(running.status("totals").epoch, None, "nothing is known of it yet");
    let _relaying = stage.relay();
    running.reaches("totals", 7).await;
    running.following.caught_up().await;
    assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
}
