//! Reading a stream by sequence, and hearing that it has become longer.

use std::time::Duration;

use async_nats::{
    StatusCode,
    client::Request,
    jetstream::consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::{LogStream, NatsError, REQUEST_TIMEOUT, failed, message::PublishedRecord};
use crate::nats::PublishedMessage;

/// Most bytes that are asked for at once; one message comes whatever its size.
const RANGE_BYTES: usize = 4 * 1024 * 1024;

impl LogStream {
    /// The records from a position on, as many as there are up to a number, in order. Where one is missing the next
    /// one comes in its place: the caller compares positions.
    pub async fn range(&self, from: u64, count: usize) -> Result<Vec<PublishedRecord>, NatsError> {
        self.messages(from, count).await?.into_iter().map(PublishedMessage::record).collect()
    }

    /// The messages from a sequence on, as [`LogStream::range`], whether they are records or not.
    pub async fn messages(&self, from: u64, count: usize) -> Result<Vec<PublishedMessage>, NatsError> {
        self.connected()?;
        let inbox = self.nats.client.new_inbox();
        let mut replies = self.nats.client.subscribe(inbox.clone()).await.map_err(failed("read the stream"))?;
        let query = serde_json::json!({ "seq": from, "batch": count, "max_bytes": RANGE_BYTES }).to_string();
        let request = Request::new().payload(query.into()).inbox(inbox);
        let sent = self.nats.jetstream.send_request(format!("DIRECT.GET.{}", self.name), request).await;
        sent.map_err(failed("read the stream"))?;
        let mut messages = Vec::new();
        loop {
            let reply = timeout(REQUEST_TIMEOUT, replies.next()).await;
            let reply = reply.map_err(|_| NatsError::TimedOut { operation: "read the stream" })?;
            let reply = reply.ok_or(NatsError::Disconnected)?;
            match reply.status {
                None | Some(StatusCode::OK) => messages.push(PublishedMessage::read(reply)?),
                // The end of the batch, or nothing from there on.
                Some(status) if status.as_u16() == 204 || status == StatusCode::NOT_FOUND => return Ok(messages),
                Some(status) => return Err(failed("read the stream")(format!("{status} {:?}", reply.description))),
            }
        }
    }

    /// The message at one sequence.
    pub async fn message(&self, sequence: u64) -> Result<Option<PublishedMessage>, NatsError> {
        let message = self.messages(sequence, 1).await?.pop();
        Ok(message.filter(|message| message.sequence == sequence))
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
}
