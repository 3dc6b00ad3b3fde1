//! A log with its relay and a nats-server of its own, and an independent reader of the stream.

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull};
use event_store::{
    CommandMeta, Draft, Executed, Log, Nats, PageLimit, Published, StoredEvent,
    relay::{self, RebuildReason, RelayConfig, RelayStatus},
};
use futures::TryStreamExt as _;
use harness::{NatsServer, Private, Servers};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::tally::{Counted, Tally, act_of, request, tally};

/// How long anything may take to come right.
pub const LIMIT: Duration = Duration::from_mins(1);

/// A log, and the NATS that it is copied to.
pub struct Stage {
    pub url: String,
    pub log: Log,
    pub server: Private<NatsServer>,
    pub nats: Nats,
}

/// A relay that ends when this is dropped.
pub struct Relaying {
    pub status: watch::Receiver<RelayStatus>,
    guard: DropGuard,
}

impl Relaying {
    /// Ends it, and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.guard);
        let ended = tokio::time::timeout(LIMIT, self.status.wait_for(|_| false)).await;
        assert!(ended.expect("it ends").is_err(), "nobody reports any more");
    }

    /// Waits until the stream was made again for this reason.
    pub async fn rebuilds_for(&self, reason: RebuildReason) {
        let mut status = self.status.clone();
        let rebuilt = |status: &RelayStatus| status.last_rebuild == Some(reason);
        let waited = tokio::time::timeout(LIMIT, status.wait_for(rebuilt)).await.map(|found| found.map(|_| ()));
        waited.unwrap_or_else(|_| panic!("not made again: {:?}", self.status.borrow())).expect("the relay runs");
    }
}

impl Stage {
    /// An empty log named `tallies`, and no relay yet.
    pub async fn new() -> Self {
        let servers = Servers::shared().await;
        let (url, server) = (servers.database("log").await, servers.private_nats().await);
        let log = Log::open("tallies", &url, CancellationToken::new()).await.expect("the log opens");
        let nats = Nats::connect(&server.url(), "test").await.expect("a connection");
        let stage = Self { url, log, server, nats };
        stage.connected().await;
        stage
    }

    pub fn relay(&self) -> Relaying {
        relay_of(&self.log, &self.nats)
    }

    /// Appends events to a stream, several at once, each counting 1.
    pub async fn append(&self, id: &str, events: usize) -> Executed {
        append(&self.log, request(), id, events).await
    }

    pub async fn connected(&self) {
        until("NATS is connected", async || self.nats.is_connected()).await;
    }

    /// Waits until the relay says that all is published and compared.
    pub async fn caught_up(&self, relaying: &Relaying) {
        let mut status = relaying.status.clone();
        let good = |status: &RelayStatus| {
            let head = self.log.head();
            status.is_caught_up()
                && status.published == head
                && status.last_audit.is_some_and(|audit| audit.published == head && audit.compared_to == head)
        };
        let waited = tokio::time::timeout(LIMIT, status.wait_for(good)).await.map(|found| found.map(|_| ()));
        waited.unwrap_or_else(|_| panic!("not caught up: {:?}", relaying.status.borrow())).expect("the relay runs");
    }

    /// The stream, seen by a client of its own.
    pub async fn stream(&self) -> jetstream::stream::Stream {
        self.jetstream().await.get_stream("toguna-tallies").await.expect("the stream")
    }

    /// The stream of the log, as the login for partners sees it.
    pub async fn stream_of_reader(&self) -> jetstream::stream::Stream {
        let reader = client(&self.server.reader_url(), "_INBOX_reader").await;
        jetstream::new(reader).get_stream(format!("toguna-{}", self.log.name())).await.expect("the stream")
    }

    /// JetStream, seen by a client of its own.
    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(client(&self.server.url(), "_INBOX").await)
    }

    /// Everything in the stream is what the log holds: sequence = position, same bytes, same epoch.
    pub async fn assert_stream_is_a_copy(&self) {
        let stored = self.stored().await;
        let stream = self.stream().await;
        let state = stream.cached_info().state.clone();
        assert_eq!((state.messages, state.last_sequence), (self.log.head(), self.log.head()));
        let consumer = stream.create_consumer(pull::OrderedConfig::default()).await.expect("a consumer");
        let messages = consumer.messages().await.expect("messages");
        let messages: Vec<_> = futures::StreamExt::take(messages, stored.len()).try_collect().await.expect("messages");
        for (message, event) in messages.iter().zip(&stored) {
            assert_eq!(message.info().expect("a place").stream_sequence, event.position);
            assert_eq!(message.payload, event.record, "at {}", event.position);
            let headers = message.headers.as_ref().expect("headers");
            let epoch = self.log.epoch();
            let value = |name: &str| headers.get(name).map(ToString::to_string).unwrap_or_default();
            assert_eq!(value("Toguna-Epoch"), epoch.to_string());
            assert_eq!(value("Nats-Msg-Id"), format!("tallies-{epoch}-{}", event.position));
            assert_eq!(message.subject.as_str(), "toguna.v1.tallies.tallies.Money");
        }
        assert_eq!(messages.len(), stored.len());
    }

    pub async fn stored(&self) -> Vec<StoredEvent> {
        let limit = PageLimit { events: 100_000, bytes: usize::MAX };
        self.log.page(1, limit).await.expect("the log")
    }

    /// Makes the log believe that it was restored, so that it begins another epoch.
    pub async fn begin_epoch(&self) {
        let published =
            Published { epoch: self.log.epoch(), position: self.log.head() + 1, record: bytes::Bytes::from("lost") };
        assert!(self.log.compare_with_published(&published).await.expect("the log"), "an epoch begins");
    }
}

async fn client(url: &str, inbox: &str) -> async_nats::Client {
    let address: async_nats::ServerAddr = url.parse().expect("an address");
    let login = |part: Option<&str>| part.expect("a login").to_owned();
    let options =
        async_nats::ConnectOptions::with_user_and_password(login(address.username()), login(address.password()));
    options.custom_inbox_prefix(inbox).connect(address).await.expect("a connection")
}

pub fn relay_of(log: &Log, nats: &Nats) -> Relaying {
    start(log, nats, quick())
}

pub fn relay_with(stage: &Stage, config: RelayConfig) -> Relaying {
    start(&stage.log, &stage.nats, config)
}

/// Audits in a hurry.
pub fn quick() -> RelayConfig {
    RelayConfig { audit_every: Duration::from_millis(200), audit_records: 100_000, ..RelayConfig::default() }
}

fn start(log: &Log, nats: &Nats, config: RelayConfig) -> Relaying {
    let shutdown = CancellationToken::new();
    let status = relay::start(log.clone(), nats, config, shutdown.clone());
    Relaying { status, guard: shutdown.drop_guard() }
}

pub async fn append(log: &Log, meta: CommandMeta, id: &str, events: usize) -> Executed {
    let name = tally(id);
    let executed = log.execute(meta, act_of("someone"), move |unit| {
        unit.record::<Tally>(&name, (0..events).map(|_| Draft { event: Counted(1), effective_on: None }).collect())
    });
    executed.await.expect("appended")
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
