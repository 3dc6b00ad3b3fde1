//! Reading a stream by sequence, and hearing that it has become longer.
//!
//! A page is asked for by its first sequence ("direct get"), so that the broker keeps no place for anybody. Whoever is
//! far behind asks for page after page: to them a consumer sends ahead what comes next, which is more than twice as
//! fast. It only carries; a page that it does not bring in time is asked for.

use std::{sync::PoisonError, time::Duration};

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
/// Messages that a consumer sends ahead.
const AHEAD: usize = 1_000;
/// What a consumer has not sent by then is asked for.
const AHEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a page ended that was not the last, and what comes after it.
pub(super) struct Run {
    /// The last message of the page: the next one is asked for from it or from the one after it.
    last: PublishedMessage,
    /// What is sent ahead; `None`: nothing yet.
    sent: Option<pull::Stream>,
}

/// A part of the stream, and the run that goes on after it, unless the stream ends there.
type Part = (Vec<PublishedMessage>, Option<Run>);

impl LogStream {
    /// The records from a position on, as many as there are up to a number, in order. Where one is missing the next
    /// one comes in its place: the caller compares positions.
    pub async fn range(&self, from: u64, count: usize) -> Result<Vec<PublishedRecord>, NatsError> {
        self.connected()?;
        let follows = |run: &mut Run| run.last.sequence == from || run.last.sequence + 1 == from;
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).take_if(follows);
        let part = match run {
            Some(run) => self.go_on(run, from, count).await,
            None => None,
        };
        let (messages, run) = if let Some(part) = part {
            part
        } else {
            let messages = self.messages(from, count).await?;
            let last = messages.last().filter(|_| messages.len() == count).cloned();
            (messages, last.map(|last| Run { last, sent: None }))
        };
        if let Some(run) = run {
            *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
        }
        messages.into_iter().map(PublishedMessage::record).collect()
    }

    /// What was sent ahead from a sequence on; `None`: nothing that goes on where the run is.
    async fn go_on(&self, run: Run, from: u64, count: usize) -> Option<Part> {
        let mut sent = match run.sent {
            Some(sent) => sent,
            None => self.send_after(&run.last).await?,
        };
        let mut messages = Vec::with_capacity(count);
        if from == run.last.sequence {
            messages.push(run.last);
        }
        let (mut bytes, mut ended, before) = (0, false, messages.len());
        while messages.len() < count && bytes < RANGE_BYTES && !ended {
            let Some((message, pending)) = next(&mut sent).await else {
                // What came is right; the rest is asked for.
                return (messages.len() > before).then_some((messages, None));
            };
            bytes += message.bytes.len();
            ended = pending == 0;
            messages.push(message);
        }
        let last = messages.last().filter(|_| !ended).cloned();
        Some((messages, last.map(|last| Run { last, sent: Some(sent) })))
    }

    /// Has what comes after a message sent, provided that the stream holds that message, byte for byte, still. A stream
    /// that is made again has no such consumer any more, so that what comes is of one stream.
    async fn send_after(&self, last: &PublishedMessage) -> Option<pull::Stream> {
        let mut sent = self.send_from(last.sequence).await.ok()?;
        let (again, _) = next(&mut sent).await?;
        (again == *last).then_some(sent)
    }

    /// A consumer that sends what there is from a sequence on. It is gone soon after nobody asks it any more.
    async fn send_from(&self, from: u64) -> Result<pull::Stream, NatsError> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: Duration::from_secs(30),
            ..pull::Config::default()
        };
        let consumer = self.nats.jetstream.create_consumer_on_stream(config, &self.name).await;
        let consumer = consumer.map_err(failed("make a consumer"))?;
        consumer.stream().max_messages_per_batch(AHEAD).messages().await.map_err(failed("deliver"))
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

/// The next message that is sent ahead, and how many there are after it.
async fn next(sent: &mut pull::Stream) -> Option<(PublishedMessage, u64)> {
    let message = timeout(AHEAD_TIMEOUT, sent.next()).await.ok()??.ok()?;
    let pending = message.info().ok()?.pending;
    Some((PublishedMessage::delivered(message).ok()?, pending))
}
