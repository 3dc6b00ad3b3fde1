//! The stream is a copy of the log, whatever happens to it.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_nats::HeaderMap;
use contracts::toguna::log::v1::EventRecord;
use event_store::{
    Log,
    relay::{RebuildReason, RelayState, published_head},
};
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, append, relay_of, until};
use crate::tally::request;

#[tokio::test(flavor = "multi_thread")]
async fn sequence_is_position_and_the_payload_is_what_is_stored() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    // More than one atomic batch at once, and single events.
    stage.append("many", 1_900).await;
    stage.append("more", 350).await;
    for _ in 0..5 {
        stage.append("single", 1).await;
    }
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(relaying.status.borrow().rebuilds, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_cloud_event_in_the_trace_of_its_command() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    append(&stage.log, event_store::CommandMeta { traceparent: traceparent.clone(), ..request() }, "a", 1).await;
    stage.caught_up(&relaying).await;
    let message = stage.stream().await.direct_get(1).await.expect("a message");
    let value = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
    assert_eq!((value("ce-specversion"), value("ce-source")), ("1.0".to_owned(), "/tallies".to_owned()));
    assert_eq!((value("ce-type"), value("ce-subject")), ("toguna.type.v1.Money".to_owned(), "tallies/a".to_owned()));
    assert_eq!(value("traceparent"), traceparent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_loses_everything_under_load_is_filled_again() {
    let mut stage = Stage::new().await;
    let relaying = stage.relay();
    let (stop, appended) = (CancellationToken::new(), std::sync::Arc::new(AtomicUsize::new(0)));
    let load = tokio::spawn({
        let (log, stop, appended) = (stage.log.clone(), stop.clone(), appended.clone());
        async move {
            while !stop.is_cancelled() {
                append(&log, request(), "load", 3).await;
                appended.fetch_add(3, Ordering::Relaxed);
            }
        }
    });
    for _ in 0..3 {
        let before = appended.load(Ordering::Relaxed);
        until("the load goes on", async || appended.load(Ordering::Relaxed) > before + 100).await;
        stage.server.kill().await.expect("killed");
        fs::remove_dir_all(stage.server.store()).expect("wiped");
        let down = appended.load(Ordering::Relaxed);
        until("the log goes on without NATS", async || appended.load(Ordering::Relaxed) > down + 30).await;
        stage.server.resume().await.expect("it starts");
    }
    stop.cancel();
    load.await.expect("no command failed");
    assert_eq!(stage.log.head(), appended.load(Ordering::Relaxed) as u64);
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_continued_where_it_ends() {
    let mut stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 50).await;
    stage.caught_up(&relaying).await;
    stage.server.stop().await.expect("stopped");
    let older = stage.server.store().with_extension("older");
    copy(&stage.server.store(), &older);
    stage.server.resume().await.expect("it starts");
    stage.append("a", 50).await;
    stage.caught_up(&relaying).await;
    stage.server.stop().await.expect("stopped");
    fs::remove_dir_all(stage.server.store()).expect("wiped");
    fs::rename(&older, stage.server.store()).expect("put back");
    stage.server.resume().await.expect("it starts");
    // Without a new event: the relay looks by itself.
    until("the tail is back", async || stage.stream().await.cached_info().state.last_sequence == 100).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(relaying.status.borrow().rebuilds, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_goes_on_after_the_log_is_made_again() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    let epoch = stage.log.epoch();
    intrude(&stage, "not ours".into()).await;
    relaying.rebuilds_for(RebuildReason::LongerThanLog).await;
    stage.caught_up(&relaying).await;
    // A record, but not one that this epoch of the log has written.
    let foreign = EventRecord { position: 11, epoch: vec![1; 16], ..EventRecord::default() };
    intrude(&stage, foreign.encode_to_vec().into()).await;
    until("it is made again", async || relaying.status.borrow().rebuilds == 2).await;
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(stage.log.epoch(), epoch, "what is no record proves no restore");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_stream_makes_it_anew() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    assert!(stage.stream().await.delete_message(5).await.expect("deleted"));
    relaying.rebuilds_for(RebuildReason::Hole).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_in_the_middle_are_found_and_the_stream_is_made_again() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    relaying.stop().await;
    let epoch = stage.log.epoch();
    forge(&stage, 5, |_| "damaged".into()).await;
    let relaying = stage.relay();
    relaying.rebuilds_for(RebuildReason::OtherBytes).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(stage.log.epoch(), epoch, "damage proves no restore");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_epoch_is_made_again() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    stage.begin_epoch().await;
    stage.append("a", 1).await;
    relaying.rebuilds_for(RebuildReason::OtherEpoch).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_restored_to_an_earlier_state_begins_an_epoch_before_it_publishes() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    relaying.stop().await;
    let lost_epoch = stage.log.epoch();
    forget_after(&stage.url, 7).await;

    // As a service starts: it opens its log and asks what was published of it.
    let log = Log::open("tallies", &stage.url, CancellationToken::new()).await.expect("the log opens");
    let published = published_head(&stage.nats, "tallies").await.expect("an answer").expect("a stream");
    assert_eq!((published.epoch, published.position), (lost_epoch, 10));
    assert!(log.compare_with_published(&published).await.expect("the log"));
    let stage = Stage { log, ..stage };
    let relaying = stage.relay();
    stage.append("b", 3).await;
    stage.caught_up(&relaying).await;
    assert_ne!(stage.log.epoch(), lost_epoch);
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_restored_while_its_relay_runs_begins_an_epoch_too() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    let lost_epoch = stage.log.epoch();
    forget_after(&stage.url, 7).await;
    until("an epoch begins", async || stage.log.epoch() != lost_epoch).await;
    stage.append("b", 5).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(stage.log.head(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_works_before_nats_is_there_and_is_published_when_it_comes() {
    let mut stage = Stage::new().await;
    stage.server.kill().await.expect("killed");
    let relaying = stage.relay();
    stage.append("a", 10).await;
    until("it says so", async || matches!(relaying.status.borrow().state, RelayState::Retrying { .. })).await;
    stage.server.resume().await.expect("it starts");
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_of_one_log_do_not_disturb_each_other() {
    let stage = Stage::new().await;
    let (one, other) = (stage.relay(), relay_of(&stage.log, &stage.nats));
    for _ in 0..40 {
        stage.append("a", 5).await;
    }
    stage.caught_up(&one).await;
    stage.caught_up(&other).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!((one.status.borrow().rebuilds, other.status.borrow().rebuilds), (0, 0));
}

/// Somebody else than the relay writes to the stream, after its ten messages.
async fn intrude(stage: &Stage, payload: bytes::Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert("Toguna-Epoch", stage.log.epoch().to_string());
    let intruder = stage.jetstream().await;
    let sent = intruder.publish_with_headers("toguna.v1.tallies.tallies.Money", headers, payload).await;
    assert_eq!(sent.expect("sent").await.expect("stored").sequence, 11);
}

/// Publishes the stream's messages again to a new stream like it, one of them changed.
pub async fn forge(stage: &Stage, at: u64, change: impl Fn(&[u8]) -> bytes::Bytes) {
    let stream = stage.stream().await;
    let info = stream.cached_info().clone();
    let mut messages: Vec<(String, HeaderMap, bytes::Bytes)> = Vec::new();
    for sequence in 1..=info.state.last_sequence {
        let message = stream.direct_get(sequence).await.expect("a message");
        let payload = if sequence == at { change(&message.payload) } else { message.payload.clone() };
        let mut headers = HeaderMap::new();
        headers.insert("Toguna-Epoch", stage.log.epoch().to_string());
        messages.push((message.subject.to_string(), headers, payload));
    }
    let context = stage.jetstream().await;
    context.delete_stream("toguna-tallies").await.expect("deleted");
    context.create_stream(info.config).await.expect("made");
    for (subject, headers, payload) in messages {
        context.publish_with_headers(subject, headers, payload).await.expect("sent").await.expect("stored");
    }
}

/// What a restored backup looks like: the last events are gone, in the same epoch.
async fn forget_after(url: &str, position: i64) {
    let mut owner = PgConnection::connect(url).await.expect("a connection");
    let forget = "DELETE FROM log.requests WHERE first_position > $1";
    sqlx::query(forget).bind(position).execute(&mut owner).await.expect("forgotten");
    sqlx::query("DELETE FROM log.events WHERE position > $1")
        .bind(position)
        .execute(&mut owner)
        .await
        .expect("forgotten");
    sqlx::query("UPDATE log.head SET position = $1, root = NULL, compact_range = NULL")
        .bind(position)
        .execute(&mut owner)
        .await
        .expect("moved");
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
