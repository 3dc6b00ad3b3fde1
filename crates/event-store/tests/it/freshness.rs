//! Whoever has a token reads what it has seen, or is told how far that is away.

use std::time::Duration;

use event_store::{ConsistencyToken, Epoch, NotFresh};
use tokio::time::Instant;

use crate::{
    house::{Mirror, Running, Totals, elsewhere, expected, mirroring, read_models, totals},
    stage::Stage,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn at_once() -> Instant {
    Instant::now() + Duration::from_millis(100)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_waits_for_its_own_write() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let pool = read_models().await;
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    let freshness = running.following.freshness();
    for _ in 0..20 {
        let token = stage.append("a", 3).await.token;
        freshness.wait(&[token], soon()).await.expect("fresh");
        assert_eq!(totals(&pool, "totals").await, expected(&stage.log).await);
    }
    assert_eq!(freshness.reached("tallies"), Some(stage.log.token(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_seen_in_time_is_told_with_its_distance() {
    let stage = Stage::new().await;
    let pool = read_models().await;
    // No relay: the other service's events never come.
    let running = Running::start(elsewhere(&pool, &stage.nats).projection(Totals::of("tallies")));
    let token = stage.append("a", 3).await.token;
    let behind = running.following.freshness().wait(&[token], at_once()).await;
    assert_eq!(behind, Err(NotFresh::Behind { log: "tallies".into(), position: 0, wanted: 3, seconds: 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_log_that_is_not_followed_or_of_another_epoch_is_told_apart() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    let (own, pool) = mirroring(&stage.nats).await;
    let running =
        Running::start(elsewhere(&pool, &stage.nats).own_log(&own).projection(Totals::of("tallies")).reaction(Mirror));
    stage.append("a", 1).await;
    running.reaches("totals", 1).await;
    running.reaches("mirror", 1).await;
    let freshness = running.following.freshness();
    let token = |log: &str, epoch: Epoch| ConsistencyToken { log: log.into(), epoch, position: 1 };
    let foreign = freshness.wait(&[token("elsewhere", own.epoch())], soon()).await;
    assert_eq!(foreign, Err(NotFresh::ForeignLog { log: "elsewhere".into() }));
    let other = freshness.wait_for_log(&[token("house", stage.log.epoch())], soon()).await;
    assert_eq!(other, Err(NotFresh::OtherEpoch { log: "house".into() }));
    let other = freshness.wait(&[token("tallies", own.epoch())], at_once()).await;
    assert_eq!(other, Err(NotFresh::OtherEpoch { log: "tallies".into() }));
    drop(relaying);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_sees_what_a_reaction_carried_into_our_log() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let (own, pool) = mirroring(&stage.nats).await;
    let running =
        Running::start(elsewhere(&pool, &stage.nats).own_log(&own).projection(Totals::of("house")).reaction(Mirror));
    for _ in 0..10 {
        let token = stage.append("a", 2).await.token;
        running.following.freshness().wait(&[token], soon()).await.expect("fresh");
        assert_eq!(own.head(), stage.log.head());
        assert_eq!(totals(&pool, "totals").await, expected(&own).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_does_not_wait_for_its_own_read_models() {
    let stage = Stage::new().await;
    let pool = read_models().await;
    let delicate = Totals { poison: Some(1), ..Totals::of("tallies") };
    let running = Running::start(elsewhere(&pool, &stage.nats).own_log(&stage.log).projection(delicate));
    let token = stage.append("a", 1).await.token;
    running.stops("totals").await;
    let freshness = running.following.freshness();
    freshness.wait_for_log(std::slice::from_ref(&token), at_once()).await.expect("fresh");
    let until = Instant::now() + Duration::from_millis(1_200);
    let behind = freshness.wait(&[token], until).await;
    assert!(matches!(behind, Err(NotFresh::Behind { position: 0, wanted: 1, seconds: 1.., .. })), "{behind:?}");
}
