//! The connection to NATS, and the JetStream stream that copies one log.
//!
//! The stream of a log is named `toguna-<log>`. In it, sequence = position, and the payload is the stored record. It
//! is read by sequence, page by page ("direct get"), so that a reader keeps no state in the broker that could be lost
//! or could go ahead of it. `deploy/nats.conf` names every subject that this needs, and allows no other.

mod message;
mod publisher;
mod reading;

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{
    Client, Event,
    connection::State,
    jetstream::{
        self, ErrorCode,
        context::{DeleteStreamErrorKind, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

pub(crate) use self::{
    message::PublishedMessage,
    publisher::{BATCH_LENGTH, Batch, Publisher},
};
use crate::Epoch;

/// A request that is not answered by then has failed; whether it had its effect is asked for again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Key of the stream's metadata that names the epoch, so that an empty stream has one too.
const EPOCH_KEY: &str = "toguna-epoch";

/// A connection to NATS that is made again whenever it is lost. Cheap to clone.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    jetstream: jetstream::Context,
    losses: Arc<watch::Sender<u64>>,
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
        let losses = Arc::new(watch::Sender::new(0));
        let lost = losses.clone();
        let client = options
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    lost.send_modify(|losses| *losses += 1);
                }
                std::future::ready(())
            })
            .name(client_name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tries| Duration::from_millis(100 * u64::try_from(tries).unwrap_or(20).min(20)))
            .connect(url)
            .await?;
        let jetstream = jetstream::context::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self { client, jetstream, losses })
    }

    /// Whether the connection is there at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// How often the connection was made: whoever sees it rise should look whether all is still there.
    pub(crate) fn connections(&self) -> u64 {
        self.client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Tells each time that a connection is lost from now on.
    fn losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }

    /// The stream that copies a log.
    pub(crate) fn stream_of(&self, log: &str) -> LogStream {
        LogStream { nats: self.clone(), log: log.to_owned(), name: format!("toguna-{log}"), run: Arc::default() }
    }
}

/// The stream that copies one log.
#[derive(Clone)]
pub(crate) struct LogStream {
    nats: Nats,
    log: String,
    name: String,
    run: Arc<Mutex<Option<reading::Run>>>,
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

    /// Whether the broker stores a message in another stream, made for that: what has kept ours from taking any has
    /// passed then, or is its own. Leaves nothing behind.
    pub async fn others_are_stored(&self, replicas: usize) -> Result<bool, NatsError> {
        self.connected()?;
        let name = format!("{}-trial", self.name);
        let subject = format!("toguna.trial.{}", self.log);
        let config = Config {
            name: name.clone(),
            description: Some("Made to see whether messages are stored; may be deleted.".to_owned()),
            subjects: vec![subject.clone()],
            storage: StorageType::File,
            num_replicas: replicas,
            max_age: Duration::from_mins(1),
            ..Config::default()
        };
        let stored = async {
            self.nats.jetstream.create_stream(config).await.map_err(failed("make a stream"))?;
            // As long as the longest record: the disk may have room for less.
            let message = vec![0; crate::MAX_RECORD_BYTES].into();
            let sent = self.nats.jetstream.publish(subject, message).await.map_err(failed("take a message"))?;
            sent.await.map_err(failed("take a message"))
        };
        let stored = timeout(2 * REQUEST_TIMEOUT, stored).await;
        // What cannot be deleted now is empty in a minute.
        let _ = timeout(REQUEST_TIMEOUT, self.nats.jetstream.delete_stream(&name)).await;
        Ok(matches!(stored, Ok(Ok(_))))
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

    /// Without a connection requests would wait in the client and reach the server much later.
    fn connected(&self) -> Result<(), NatsError> {
        if self.nats.is_connected() { Ok(()) } else { Err(NatsError::Disconnected) }
    }
}
