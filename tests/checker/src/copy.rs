//! The raw JetStream stream that copies a log.

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, pull},
    stream::Stream,
};
use futures::StreamExt as _;

use crate::history::Place;

/// Names the epoch in the metadata of the stream.
const STREAM_EPOCH: &str = "toguna-epoch";
/// Names the epoch in the headers of a message.
const MESSAGE_EPOCH: &str = "Toguna-Epoch";
/// How long the broker may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// A copy as it is in JetStream.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// Its epoch and its last sequence.
    pub end: Option<Place>,
    /// How many messages it says that it has.
    pub messages: u64,
    /// Its messages, in order of sequence.
    pub held: Vec<Message>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its sequence.
    pub sequence: u64,
    /// The epoch that its headers name.
    pub epoch: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// Connects to the JetStream of a URL.
pub async fn connect(url: &str) -> Result<jetstream::Context> {
    let address: async_nats::ServerAddr = url.parse().context("the address of NATS")?;
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => {
            async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        }
        _ => async_nats::ConnectOptions::new(),
    };
    let client = options.connect(address.clone()).await.context("NATS does not answer")?;
    let mut jetstream = jetstream::new(client);
    jetstream.set_timeout(PATIENCE);
    Ok(jetstream)
}

/// The stream of a log; `None`: there is none.
pub async fn stream(jetstream: &jetstream::Context, log: &str) -> Result<Option<Stream>> {
    use jetstream::context::GetStreamErrorKind::JetStream;
    match jetstream.get_stream(format!("toguna-{log}")).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            JetStream(refusal) if refusal.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(error).context("the stream cannot be described"),
        },
    }
}

/// The epoch and the last sequence of a stream, as it was when it was asked for.
pub fn end(stream: &Stream) -> Place {
    let epoch = stream.cached_info().config.metadata.get(STREAM_EPOCH).cloned().unwrap_or_default();
    Place { epoch, position: stream.cached_info().state.last_sequence }
}

/// The epoch that a message's headers name.
pub fn epoch_of(message: &async_nats::Message) -> String {
    let header = message.headers.as_ref().and_then(|headers| headers.get(MESSAGE_EPOCH));
    header.map(|epoch| epoch.as_str().to_owned()).unwrap_or_default()
}

impl Copy {
    /// Reads all of it.
    pub async fn read(jetstream: &jetstream::Context, log: &str) -> Result<Self> {
        let Some(stream) = stream(jetstream, log).await? else { return Ok(Self::default()) };
        let end = end(&stream);
        let mut copy = Self { messages: stream.cached_info().state.messages, ..Self::default() };
        if copy.messages > 0 {
            let config = pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..pull::OrderedConfig::default() };
            let consumer = stream.create_consumer(config).await.context("the stream cannot be read")?;
            let mut messages = consumer.messages().await.context("the stream cannot be read")?;
            while copy.held.last().is_none_or(|last| last.sequence < end.position) {
                // What is missing at the end is found by comparing.
                let Ok(message) = tokio::time::timeout(PATIENCE, messages.next()).await else { break };
                let message = message.context("the stream ends")?.context("the stream cannot be read on")?;
                let sequence = message.info().map_err(anyhow::Error::from_boxed)?.stream_sequence;
                let epoch = epoch_of(&message.message);
                copy.held.push(Message { sequence, epoch, payload: message.message.payload.to_vec() });
            }
        }
        copy.end = Some(end);
        Ok(copy)
    }
}
