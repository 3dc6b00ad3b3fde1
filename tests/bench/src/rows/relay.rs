//! The copy of a log in JetStream (P9).

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_nats::{
    HeaderMap, Request,
    jetstream::{self, consumer::pull::OrderedConfig, response::Response, stream::Config},
};
use bytes::Bytes;
use event_store::{
    Log, Nats,
    relay::{self, RelayConfig, RelayState},
};
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{Compared, Row, id, replay::counted};
use crate::{
    process::Watched,
    run::{Measured, Meter, Run},
    stage::Site,
};

/// Messages of one atomic batch: the most that the server takes.
const BATCH: usize = 1_000;
/// How long a copy may take.
const LONGEST: Duration = Duration::from_mins(10);
/// Stream and first part of the subjects of the other.
const OTHER: (&str, &str) = ("beside", "beside");

/// A message as the relay published it.
struct Published {
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

/// The relay fills an empty stream from the log, beside a client that publishes the same messages from its memory.
pub async fn p9(run: &Run) -> Result<Vec<Row>> {
    let events = run.events(500_000, 50_000);
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let site = Site::filled(&run.ground, events, payload).await?;
        // The first copy warms up, and says what the messages are.
        copy(run, &site, events).await?;
        let messages = published(&site).await?;
        let rounds =
            run.in_turn(async || copy(run, &site, events).await, async || publish(run, &site, &messages).await).await?;
        site.clear(&run.ground).await?;
        rows.push(Row {
            id: id("P9", payload),
            what: format!("the relay copies {events} events from the log to an empty JetStream stream"),
            beside_what: "async-nats, same messages".to_owned(),
            payload,
            compared: Compared::Rate { unit: "events/s", reach: 0.8, aim: 1.0 },
            rounds,
            notes: vec![format!(
                "both in atomic batches; the other holds its messages, headers and all, in memory, sends {BATCH} a batch and checks nothing but the acknowledgement"
            )],
        });
    }
    Ok(rows)
}

/// Ours: from the log to the stream, in this process.
async fn copy(run: &Run, site: &Site, events: u64) -> Result<Measured> {
    remove_streams(site).await?;
    run.ground.settle().await?;
    let stopping = CancellationToken::new();
    let _stops = stopping.clone().drop_guard();
    let log = Log::open(partnerships::SERVICE, &site.database_url, stopping.clone()).await?;
    ensure!(log.head() == events, "the log is not as it was filled");
    let nats = Nats::connect(&site.nats.url(), "bench").await?;
    while !nats.is_connected() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (meter, began) = (meter(run, site), Instant::now());
    let mut status = relay::start(log, &nats, RelayConfig::default(), stopping);
    let copied = status.wait_for(|status| status.published == events && matches!(status.state, RelayState::Following));
    tokio::time::timeout(LONGEST, copied).await.context("the relay did not copy the log")??;
    Ok(counted(meter, began, events))
}

/// All messages of the stream that the relay filled.
async fn published(site: &Site) -> Result<Vec<Published>> {
    let jetstream = jetstream::new(connect(site).await?);
    let names: Vec<String> = jetstream.stream_names().try_collect().await?;
    let [name] = names.as_slice() else { anyhow::bail!("not one stream but {}", names.len()) };
    let mut stream = jetstream.get_stream(name).await?;
    let count = stream.info().await?.state.messages;
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let mut incoming = consumer.messages().await?;
    let mut messages = Vec::new();
    while (messages.len() as u64) < count {
        let message = incoming.try_next().await?.context("the stream ended")?;
        let event = message.subject.split_once('.').map_or("", |(_, rest)| rest);
        messages.push(Published {
            subject: format!("{}.{event}", OTHER.1),
            headers: message.headers.clone().unwrap_or_default(),
            payload: message.payload.clone(),
        });
    }
    Ok(messages)
}

/// The other: the same messages from memory to a stream of the same kind.
async fn publish(run: &Run, site: &Site, messages: &[Published]) -> Result<Measured> {
    remove_streams(site).await?;
    run.ground.settle().await?;
    let client = connect(site).await?;
    let (meter, began) = (meter(run, site), Instant::now());
    let config = Config {
        name: OTHER.0.to_owned(),
        subjects: vec![format!("{}.>", OTHER.1)],
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    };
    jetstream::new(client.clone()).create_stream(config).await?;
    for (batch, messages) in messages.chunks(BATCH).enumerate() {
        for (index, message) in messages.iter().enumerate() {
            let mut headers = message.headers.clone();
            headers.insert("Nats-Batch-Id", batch.to_string());
            headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
            let (subject, payload) = (message.subject.clone(), message.payload.clone());
            if index + 1 < messages.len() {
                client.publish_with_headers(subject, headers, payload).await?;
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let request = Request::new().headers(headers).payload(payload);
            let answer = client.send_request(subject, request).await?;
            match serde_json::from_slice(&answer.payload)? {
                Response::Ok::<jetstream::publish::PublishAck>(ack) => {
                    ensure!(ack.sequence == (batch * BATCH + index + 1) as u64, "a batch went elsewhere");
                }
                Response::Err { error } => anyhow::bail!("a batch was refused: {error}"),
            }
        }
    }
    Ok(counted(meter, began, messages.len() as u64))
}

fn meter(run: &Run, site: &Site) -> Meter {
    let (nats, postgres) = (Watched::new(site.nats.pid()), Watched::new(run.ground.postgres_pid()));
    Meter::begin(vec![("NATS", nats), ("PostgreSQL", postgres)])
}

/// Removes what earlier rounds copied.
async fn remove_streams(site: &Site) -> Result<()> {
    let jetstream = jetstream::new(connect(site).await?);
    let names: Vec<String> = jetstream.stream_names().try_collect().await?;
    for name in names {
        jetstream.delete_stream(&name).await?;
    }
    Ok(())
}

/// A connection with the login that the address carries, which the client does not read from it by itself.
async fn connect(site: &Site) -> Result<async_nats::Client> {
    let url = site.nats.url();
    let login = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')?.0.split_once(':'));
    let (user, password) = login.context("the address of a nats-server of ours has a login")?;
    let options = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    Ok(options.connect(&url).await?)
}
