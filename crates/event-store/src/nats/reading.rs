//! Reading a stream by sequence, and hearing that it has become longer.
//!
//! A page is asked for by its first sequence ("direct get"), so that the broker keeps no place for anybody, and nobody
//! needs the right to make a consumer: one may be told to deliver into a subject that another stream takes in. For
//! whoever is far behind, the next page is on its way while one is worked on.

use std::sync::PoisonError;

use async_nats::{HeaderMap, StatusCode, client::Request};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{LogStream, NatsError, REQUEST_TIMEOUT, failed, message::PublishedRecord};
use crate::nats::PublishedMessage;

/// Most bytes that are asked for at once; one message comes whatever its size.
const RANGE_BYTES: usize = 4 * 1024 * 1024;
/// How many messages of the stream come after those of an answer.
const PENDING: &str = "Nats-Num-Pending";

/// Where a page ended that was not the last, and the page that begins with its last message.
pub(super) struct Run {
    last: PublishedMessage,
    ahead: AbortOnDropHandle<Result<Part, NatsError>>,
}

/// Messages in order, and whether the stream holds more after them.
struct Part {
    messages: Vec<PublishedMessage>,
    goes_on: bool,
}

impl LogStream {
    /// The records from a position on, as many as there are up to a number, in order. Where one is missing the next
    /// one comes in its place: the caller compares positions.
    pub async fn range(&self, from: u64, count: usize) -> Result<Vec<PublishedRecord>, NatsError> {
        self.connected()?;
        let follows = |run: &mut Run| run.last.sequence == from || run.last.sequence + 1 == from;
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).take_if(follows);
        let ahead = match run {
            Some(run) => run.part(from).await,
            None => None,
        };
        let part = match ahead {
            Some(part) => part,
            None => self.part(from, count).await?,
        };
        if let Some(last) = part.messages.last().filter(|_| part.goes_on).cloned() {
            let (stream, from) = (self.clone(), last.sequence);
            let ahead = AbortOnDropHandle::new(tokio::spawn(async move { stream.part(from, count).await }));
            *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(Run { last, ahead });
        }
        part.messages.into_iter().map(PublishedMessage::record).collect()
    }

    /// The messages from a sequence on, as [`LogStream::range`], whether they are records or not.
    pub async fn messages(&self, from: u64, count: usize) -> Result<Vec<PublishedMessage>, NatsError> {
        Ok(self.part(from, count).await?.messages)
    }

    async fn part(&self, from: u64, count: usize) -> Result<Part, NatsError> {
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
                Some(status) if status.as_u16() == 204 || status == StatusCode::NOT_FOUND => {
                    return Ok(Part { messages, goes_on: reply.headers.as_ref().is_some_and(is_before_more) });
                }
                Some(status) => return Err(failed("read the stream")(format!("{status} {:?}", reply.description))),
            }
        }
    }

    /// The message at one sequence.
    pub async fn message(&self, sequence: u64) -> Result<Option<PublishedMessage>, NatsError> {
        let message = self.messages(sequence, 1).await?.pop();
        Ok(message.filter(|message| message.sequence == sequence))
    }

    /// Rings when messages have been stored, with the sequence of the last one. It only wakes: nothing rests on it.
    pub async fn doorbell(&self) -> Result<impl futures::Stream<Item = u64> + Unpin, NatsError> {
        self.connected()?;
        let rings = self.nats.client.subscribe(self.bell()).await.map_err(failed("ring"))?;
        let sequence = |ring: async_nats::Message| str::from_utf8(&ring.payload).ok()?.parse().ok();
        Ok(rings.filter_map(move |ring| std::future::ready(sequence(ring))))
    }

    /// Lets the doorbells of those who read the stream ring. Whoever does not hear it finds out a little later.
    pub async fn ring(&self, last: u64) -> Result<(), NatsError> {
        let rung = self.nats.client.publish(self.bell(), Bytes::from(last.to_string())).await;
        rung.map_err(failed("ring"))
    }

    fn bell(&self) -> String {
        format!("toguna.stored.{}", self.log)
    }
}

impl Run {
    /// What comes next from a sequence on, provided that the stream holds the last message of the page before, byte for
    /// byte, still: a stream that was made again is not taken for the one that was read.
    async fn part(self, from: u64) -> Option<Part> {
        let mut part = self.ahead.await.ok()?.ok()?;
        if part.messages.first() != Some(&self.last) {
            return None;
        }
        if from > self.last.sequence {
            part.messages.remove(0);
        }
        Some(part)
    }
}

/// Whether more comes after the answer with these headers.
fn is_before_more(headers: &HeaderMap) -> bool {
    headers.get(PENDING).is_some_and(|pending| pending.as_str() != "0")
}
