//! The raw JetStream stream that copies a log, read as a partner reads it: by sequence.

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::{
    StatusCode,
    jetstream::{self, stream::Stream},
};
use futures::StreamExt as _;

use crate::history::Place;

/// Names the epoch in the metadata of the stream.
const STREAM_EPOCH: &str = "toguna-epoch";
/// Names the epoch in the headers of a message.
const MESSAGE_EPOCH: &str = "Toguna-Epoch";
/// How many messages are asked for at once.
const PAGE: usize = 1_000;
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

/// Connects to the JetStream of a URL. Answers come to an inbox whose prefix names the user: a reader may hear no other.
pub async fn connect(url: &str) -> Result<jetstream::Context> {
    let address: async_nats::ServerAddr = url.parse().context("the address of NATS")?;
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => {
            async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
                .custom_inbox_prefix(format!("_INBOX_{user}"))
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

/// The messages of a log's copy from a sequence on, in order, as many as come at once; none: it ends before.
pub async fn page(jetstream: &jetstream::Context, log: &str, from: u64) -> Result<Vec<Message>> {
    let client = jetstream.client();
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    let query = serde_json::json!({ "seq": from, "batch": PAGE }).to_string();
    client.publish_with_reply(format!("$JS.API.DIRECT.GET.toguna-{log}"), inbox, query.into()).await?;
    let mut messages = Vec::new();
    loop {
        let answer = tokio::time::timeout(PATIENCE, answers.next()).await.context("the stream is silent")?;
        let answer = answer.context("the connection ended")?;
        match answer.status {
            None | Some(StatusCode::OK) => messages.push(Message::read(&answer)),
            Some(status) if status.as_u16() == 204 || status == StatusCode::NOT_FOUND => return Ok(messages),
            Some(status) => anyhow::bail!("the stream cannot be read: {status}"),
        }
    }
}

impl Message {
    fn read(answer: &async_nats::Message) -> Self {
        let header = |name: &str| {
            let value = answer.headers.as_ref().and_then(|headers| headers.get_last(name));
            value.map(|value| value.as_str().to_owned()).unwrap_or_default()
        };
        let sequence = header("Nats-Sequence").parse().unwrap_or_default();
        Self { sequence, epoch: header(MESSAGE_EPOCH), payload: answer.payload.to_vec() }
    }
}

impl Copy {
    /// Reads all of it.
    pub async fn read(jetstream: &jetstream::Context, log: &str) -> Result<Self> {
        let Some(stream) = stream(jetstream, log).await? else { return Ok(Self::default()) };
        let end = end(&stream);
        let mut copy = Self { messages: stream.cached_info().state.messages, ..Self::default() };
        while copy.held.last().map_or(0, |last| last.sequence) < end.position {
            let next = copy.held.last().map_or(1, |last| last.sequence + 1);
            let page = page(jetstream, log, next).await?;
            if page.is_empty() {
                // What is missing at the end is found by comparing.
                break;
            }
            copy.held.extend(page);
        }
        copy.end = Some(end);
        Ok(copy)
    }
}
