//! The connection to NATS, and the JetStream stream that copies one log.
//!
//! The stream of a log is named `toguna-<log>`. In it, sequence = position, and the payload is the stored record. It
//! is read by sequence, page by page ("direct get"), so that a reader keeps no state in the broker that could be lost
//! or could go ahead of it.

mod message;

use std::{collections::HashMap, error::Error, time::Duration};

use async_nats::{
    Client, StatusCode,
    client::Request,
    connection::State,
    jetstream::{
        self, ErrorCode,
        consumer::{AckPolicy, DeliverPolicy, pull},
        context::{DeleteStreamErrorKind, GetStreamErrorKind},
        message::StreamMessage,
        publish::PublishAck,
        response::Response,
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use contracts::toguna::log::v1::EventRecord;
use futures::StreamExt as _;
use tokio::time::timeout;
use uuid::Uuid;

pub(crate) use self::message::PublishedRecord;
use crate::{Epoch, StoredEvent};

/// A request that is not answered by then has failed; whether it had its effect is asked for again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Most messages of an atomic batch, by the server's own limit.
pub(crate) const BATCH_LENGTH: usize = 1_000;
/// Key of the stream's metadata that names the epoch, so that an empty stream has one too.
const EPOCH_KEY: &str = "toguna-epoch";

/// A connection to NATS that is made again whenever it is lost. Cheap to clone.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    jetstream: jetstream::Context,
}

/// NATS did not do what was asked of it; asking again may help.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The address cannot be used, or the credentials are refused.
    #[error("cannot connect to NATS")]
    Connect(#[from] async_nats::ConnectError),
    /// There is no connection now.
    #[error("NATS is not connected")]
    Disconnected,
    /// An operation failed.
    #[error("JetStream failed to {operation}")]
    Failed {
        /// What was asked of it.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer did not come in time.
    #[error("JetStream did not {operation} in time")]
    TimedOut {
        /// What was asked of it.
        operation: &'static str,
    },
    /// The stream did not take a batch: it is not where it was expected to be, or is full, or is gone.
    #[error("JetStream took no batch: {0}")]
    NotPublished(String),
    /// A message of the stream is not the record of an event.
    #[error("message {sequence} of the stream is not a record: {problem}")]
    NotARecord {
        /// Its sequence.
        sequence: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
}

fn failed<E: Into<Box<dyn Error + Send + Sync>>>(operation: &'static str) -> impl FnOnce(E) -> NatsError {
    move |source| NatsError::Failed { operation, source: source.into() }
}

impl Nats {
    /// Connects to a URL (`nats://user:password@host:port`), under a name that the server shows. Returns at once where
    /// the server is not there yet, and goes on trying, for ever.
    pub async fn connect(url: &str, client_name: &str) -> Result<Self, NatsError> {
        // The client leaves the login of a URL aside.
        let address: Option<async_nats::ServerAddr> = url.parse().ok();
        let login = address.as_ref().and_then(|address| Some((address.username()?, address.password()?)));
        let options = match login {
            Some((user, password)) => {
                async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
            }
            None => async_nats::ConnectOptions::new(),
        };
        let client = options
            .name(client_name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tries| Duration::from_millis(100 * u64::try_from(tries).unwrap_or(20).min(20)))
            .connect(url)
            .await?;
        let jetstream = jetstream::context::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self { client, jetstream })
    }

    /// Whether the connection is there at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// How often the connection was made: whoever sees it rise should look whether all is still there.
    pub(crate) fn connections(&self) -> u64 {
        self.client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// The stream that copies a log.
    pub(crate) fn stream_of(&self, log: &str) -> LogStream {
        LogStream { nats: self.clone(), log: log.to_owned(), name: format!("toguna-{log}") }
    }
}

/// The stream that copies one log.
#[derive(Clone)]
pub(crate) struct LogStream {
    nats: Nats,
    log: String,
    name: String,
}

/// What JetStream says of a stream, without looking at its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamState {
    /// The epoch that it was made for.
    pub epoch: Option<Epoch>,
    /// Sequence of the last message, the position up to which it copies the log; 0: it is empty.
    pub last: u64,
    /// Messages 1 to `last` are all there.
    pub whole: bool,
    /// Its configuration is the one that it is made with here.
    pub configured: bool,
}

impl LogStream {
    /// Name of the log that it copies.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The connection that it is reached by.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Asks how it is; `None`: there is no such stream.
    pub async fn state(&self) -> Result<Option<StreamState>, NatsError> {
        self.connected()?;
        let stream = match self.nats.jetstream.get_stream(&self.name).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    return Ok(None);
                }
                _ => return Err(failed("describe the stream")(error)),
            },
        };
        let (config, state) = (&stream.cached_info().config, &stream.cached_info().state);
        let wanted = self.config(Uuid::nil().into(), config.num_replicas);
        Ok(Some(StreamState {
            epoch: config.metadata.get(EPOCH_KEY).and_then(|epoch| epoch.parse().ok()),
            last: state.last_sequence,
            whole: state.messages == state.last_sequence
                && state.deleted_count.unwrap_or(0) == 0
                && (state.messages == 0 || state.first_sequence == 1),
            configured: config.subjects == wanted.subjects
                && config.retention == wanted.retention
                && config.allow_atomic_publish
                && config.allow_direct
                && !config.sealed
                && [config.max_messages, config.max_messages_per_subject, config.max_bytes].iter().all(|max| *max <= 0)
                && config.max_age.is_zero(),
        }))
    }

    /// Makes it, empty, for an epoch of the log.
    pub async fn create(&self, epoch: Epoch, replicas: usize) -> Result<(), NatsError> {
        self.connected()?;
        let created = self.nats.jetstream.create_stream(self.config(epoch, replicas)).await;
        let created = created.map_err(failed("make the stream"))?;
        // An older server passes over what it does not know.
        if !created.cached_info().config.allow_atomic_publish {
            return Err(failed("make the stream")("nats-server 2.12 or newer is needed"));
        }
        Ok(())
    }

    /// Deletes it with all its messages, which are nothing but copies.
    pub async fn delete(&self) -> Result<(), NatsError> {
        self.connected()?;
        match self.nats.jetstream.delete_stream(&self.name).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                DeleteStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    Ok(())
                }
                _ => Err(failed("delete the stream")(error)),
            },
        }
    }

    fn config(&self, epoch: Epoch, replicas: usize) -> Config {
        Config {
            name: self.name.clone(),
            description: Some(format!("A copy of the log of {}: sequence = position.", self.log)),
            subjects: vec![format!("{}.>", message::subject_prefix(&self.log))],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: replicas,
            allow_direct: true,
            allow_atomic_publish: true,
            metadata: HashMap::from([(EPOCH_KEY.to_owned(), epoch.to_string())]),
            ..Config::default()
        }
    }

    /// Publishes events in order, all of them or none (at most [`BATCH_LENGTH`]), provided that the stream ends right
    /// before the first of them. An error leaves open which of both: ask for the state.
    pub async fn publish(&self, epoch: Epoch, events: &[(StoredEvent, EventRecord)]) -> Result<(), NatsError> {
        self.connected()?;
        let whole = timeout(2 * REQUEST_TIMEOUT, self.publish_batch(epoch, events));
        whole.await.unwrap_or(Err(NatsError::TimedOut { operation: "take a batch" }))
    }

    async fn publish_batch(&self, epoch: Epoch, events: &[(StoredEvent, EventRecord)]) -> Result<(), NatsError> {
        let Some(((last, _), (first, _))) = events.last().zip(events.first()) else { return Ok(()) };
        let batch = Uuid::new_v4().simple().to_string();
        let mut answer = None;
        for (index, (event, record)) in events.iter().enumerate() {
            let mut headers = message::headers(&self.log, epoch, record);
            headers.insert("Nats-Batch-Id", batch.as_str());
            headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
            if index == 0 {
                headers.insert(async_nats::header::NATS_EXPECTED_LAST_SEQUENCE, (first.position - 1).to_string());
            }
            let (subject, payload) = (message::subject(&self.log, record), event.record.clone());
            if event.position == last.position {
                headers.insert("Nats-Batch-Commit", "1");
                let request = Request::new().headers(headers).payload(payload).timeout(Some(REQUEST_TIMEOUT));
                let sent = self.nats.client.send_request(subject, request).await;
                answer = Some(sent.map_err(failed("take a batch"))?);
            } else {
                let sent = self.nats.client.publish_with_headers(subject, headers, payload).await;
                sent.map_err(failed("take a message"))?;
            }
        }
        let answer = answer.map(|answer| answer.payload).unwrap_or_default();
        match serde_json::from_slice(&answer).map_err(failed("acknowledge a batch"))? {
            Response::<PublishAck>::Ok(ack) if ack.sequence == last.position => Ok(()),
            Response::Ok(ack) => Err(NatsError::NotPublished(format!("it ends at sequence {}", ack.sequence))),
            Response::Err { error } => Err(NatsError::NotPublished(error.to_string())),
        }
    }

    /// The records from a position on, as many as there are up to a number, in order. Where one is missing the next
    /// one comes in its place: the caller compares positions.
    pub async fn range(&self, from: u64, count: usize) -> Result<Vec<PublishedRecord>, NatsError> {
        self.connected()?;
        let inbox = self.nats.client.new_inbox();
        let mut replies = self.nats.client.subscribe(inbox.clone()).await.map_err(failed("read the stream"))?;
        let query = serde_json::json!({ "seq": from, "batch": count, "max_bytes": 4 * 1024 * 1024 }).to_string();
        let request = Request::new().payload(query.into()).inbox(inbox);
        let sent = self.nats.jetstream.send_request(format!("DIRECT.GET.{}", self.name), request).await;
        sent.map_err(failed("read the stream"))?;
        let mut records = Vec::new();
        loop {
            let reply = timeout(REQUEST_TIMEOUT, replies.next()).await;
            let reply = reply.map_err(|_| NatsError::TimedOut { operation: "read the stream" })?;
            let reply = reply.ok_or(NatsError::Disconnected)?;
            match reply.status {
                None | Some(StatusCode::OK) => {
                    let message = StreamMessage::try_from(reply).map_err(failed("read the stream"))?;
                    records.push(PublishedRecord::read(message)?);
                }
                // The end of the batch, or nothing from there on.
                Some(status) if status.as_u16() == 204 || status == StatusCode::NOT_FOUND => return Ok(records),
                Some(status) => return Err(failed("read the stream")(format!("{status} {:?}", reply.description))),
            }
        }
    }

    /// The record at one position.
    pub async fn record(&self, position: u64) -> Result<Option<PublishedRecord>, NatsError> {
        let record = self.range(position, 1).await?.pop();
        Ok(record.filter(|record| record.position == position))
    }

    /// Rings for each message that is stored from now on, with its sequence. It only wakes: nothing rests on it.
    pub async fn doorbell(&self) -> Result<impl futures::Stream<Item = Result<u64, NatsError>> + Unpin, NatsError> {
        self.connected()?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::New,
            ack_policy: AckPolicy::None,
            headers_only: true,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: Duration::from_mins(1),
            ..pull::Config::default()
        };
        let consumer = self.nats.jetstream.create_consumer_on_stream(config, &self.name).await;
        let consumer = consumer.map_err(failed("make a consumer"))?;
        let pulled = consumer.stream().max_messages_per_batch(1_000).heartbeat(Duration::from_secs(5));
        let messages = pulled.expires(Duration::from_secs(30)).messages().await.map_err(failed("deliver"))?;
        Ok(messages.map(|message| {
            let message = message.map_err(failed("deliver"))?;
            message.info().map(|info| info.stream_sequence).map_err(failed("deliver"))
        }))
    }

    /// Without a connection requests would wait in the client and reach the server much later.
    fn connected(&self) -> Result<(), NatsError> {
        if self.nats.is_connected() { Ok(()) } else { Err(NatsError::Disconnected) }
    }
}

impl PublishedRecord {
    /// Whether it is this event, byte for byte.
    pub fn is_copy_of(&self, event: &StoredEvent) -> bool {
        self.position == event.position && self.bytes == event.record
    }
}
