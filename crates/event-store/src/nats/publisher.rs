//! Publishing to a stream in atomic batches.

use std::collections::VecDeque;

use async_nats::{
    HeaderMap, StatusCode, Subject, Subscriber,
    header::{self, HeaderName},
    jetstream::{publish::PublishAck, response::Response},
};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use super::{LogStream, NatsError, REQUEST_TIMEOUT, failed, message::Stamp};
use crate::{Epoch, StoredEvent};

/// Most messages of an atomic batch, by the server's own limit.
pub(crate) const BATCH_LENGTH: usize = 1_000;
/// Most traces that a batch remembers: it may hold the events of a thousand commands.
const MAX_TRACES: usize = 32;

const BATCH_ID: HeaderName = HeaderName::from_static("Nats-Batch-Id");
const BATCH_SEQUENCE: HeaderName = HeaderName::from_static("Nats-Batch-Sequence");
const BATCH_COMMIT: HeaderName = HeaderName::from_static("Nats-Batch-Commit");

/// Publishes the events of one epoch in order. Several batches may be under way: each says where the stream must end
/// for it to be stored, so that none is stored where the one before it was not.
pub(crate) struct Publisher {
    stream: LogStream,
    stamp: Stamp,
    inbox: String,
    answers: Subscriber,
    losses: watch::Receiver<u64>,
    /// The last position of each batch that is not acknowledged, in order.
    under_way: VecDeque<u64>,
}

/// Events as the messages of one atomic batch: all of them will be stored, or none.
pub(crate) struct Batch {
    messages: Vec<(Subject, HeaderMap, Bytes)>,
    /// Position of the last event.
    pub last: u64,
    /// The `traceparent`s of the commands whose events these are, the first few of them.
    pub traces: Vec<String>,
}

impl Batch {
    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.messages.len()
    }
}

impl LogStream {
    /// Begins to publish the events of an epoch.
    pub async fn publisher(&self, epoch: Epoch) -> Result<Publisher, NatsError> {
        self.connected()?;
        let inbox = self.nats.client.new_inbox();
        let answers = self.nats.client.subscribe(format!("{inbox}.*")).await.map_err(failed("answer a batch"))?;
        Ok(Publisher {
            stream: self.clone(),
            stamp: Stamp::new(&self.log, epoch),
            inbox,
            answers,
            losses: self.nats.losses(),
            under_way: VecDeque::new(),
        })
    }
}

impl Publisher {
    /// Makes a batch of at most [`BATCH_LENGTH`] events, whose positions rise by one; `None`: of none.
    pub fn batch(&self, events: Vec<StoredEvent>) -> Result<Option<Batch>, NatsError> {
        let Some((first, last)) = events.first().zip(events.last()) else { return Ok(None) };
        let (expected, last, id) = (first.position - 1, last.position, Uuid::new_v4().simple().to_string());
        let mut traces: Vec<String> = Vec::new();
        let mut messages = Vec::with_capacity(events.len());
        for (number, event) in (1_u64..).zip(events) {
            let (subject, mut headers, trace) = self.stamp.of(&event)?;
            headers.insert(BATCH_ID, id.as_str());
            headers.insert(BATCH_SEQUENCE, number.to_string());
            messages.push((subject, headers, event.record));
            // The events of one command follow each other.
            if traces.len() < MAX_TRACES && traces.last() != Some(&trace) {
                traces.push(trace);
            }
        }
        if let Some((_, headers, _)) = messages.first_mut() {
            headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, expected.to_string());
        }
        if let Some((_, headers, _)) = messages.last_mut() {
            headers.insert(BATCH_COMMIT, "1");
        }
        Ok(Some(Batch { messages, last, traces }))
    }

    /// Batches that were sent and are not acknowledged.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Sends a batch, which is stored if the stream ends right before it. An error leaves open whether it will be.
    pub async fn send(&mut self, batch: Batch) -> Result<(), NatsError> {
        self.stream.connected()?;
        let last = batch.last;
        let sent = timeout(REQUEST_TIMEOUT, self.send_messages(batch)).await;
        sent.unwrap_or(Err(NatsError::TimedOut { operation: "take a batch" }))?;
        self.under_way.push_back(last);
        Ok(())
    }

    async fn send_messages(&self, batch: Batch) -> Result<(), NatsError> {
        let client = &self.stream.nats.client;
        let mut messages = batch.messages.into_iter();
        let commit = messages.next_back();
        for (subject, headers, payload) in messages {
            client.publish_with_headers(subject, headers, payload).await.map_err(failed("take a message"))?;
        }
        if let Some((subject, headers, payload)) = commit {
            let reply = format!("{}.{}", self.inbox, batch.last);
            let sent = client.publish_with_reply_and_headers(subject, reply, headers, payload).await;
            sent.map_err(failed("take a batch"))?;
        }
        Ok(())
    }

    /// Waits until the oldest batch under way is stored, and says up to which position the stream is then. An error
    /// leaves open what was stored of what is under way: ask for the stream's state, and begin another publisher.
    pub async fn acknowledged(&mut self) -> Result<u64, NatsError> {
        let last = *self.under_way.front().ok_or_else(|| NatsError::NotPublished("nothing was sent".to_owned()))?;
        let answer = tokio::select! {
            answer = timeout(REQUEST_TIMEOUT, self.answers.next()) => answer,
            // No answer comes over a connection that was lost.
            _ = self.losses.changed() => return Err(NatsError::Disconnected),
        };
        let answer = answer.map_err(|_| NatsError::TimedOut { operation: "acknowledge a batch" })?;
        let answer = answer.ok_or(NatsError::Disconnected)?;
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(NatsError::NotPublished("there is no such stream".to_owned()));
        }
        match serde_json::from_slice(&answer.payload).map_err(failed("acknowledge a batch"))? {
            Response::<PublishAck>::Ok(ack) if ack.sequence == last => {
                self.under_way.pop_front();
                Ok(last)
            }
            Response::Ok(ack) => Err(NatsError::NotPublished(format!("it ends at sequence {}", ack.sequence))),
            Response::Err { error } => Err(NatsError::NotPublished(error.to_string())),
        }
    }
}
