//! A log, given event by event as stored to whoever may read it.
//!
//! A replay reads one page at a time, each in a transaction that ends before the page is sent, and reads the next only
//! when HTTP/2 flow control lets the caller have it: a slow reader holds one page of memory here and nothing in the
//! database.

use std::{pin::Pin, time::Duration};

use contracts::toguna::{
    errors::v1::ErrorReason,
    log::v1::{self as pb, log_service_server::LogService, replay_log_request::Start, replay_log_response::Message},
};
use event_store::{Epoch, Log, PageLimit, StoredEvent, StreamName, Timestamp};
use futures::{Stream, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{Caller, Calls, fields::Fields, status};

/// Bytes of records that one message carries at most, what protobuf adds to each included.
const BATCH_BYTES: usize = 256 * 1024;
/// Tag and length of one record in a batch.
const RECORD_OVERHEAD: usize = 4;
/// Positions beyond are no numbers of Postgres.
const LAST_POSITION: u64 = i64::MAX.cast_unsigned();
/// A follower hears at least this often that there is nothing new: silence would look like a broken line.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Who may read a log.
#[derive(Debug, Clone, Copy)]
pub enum LogReaders {
    /// Every verified caller.
    Partners,
    /// Callers with one of these roles.
    Roles(&'static [&'static str]),
}

/// Serves one log.
pub(crate) struct Replays {
    log: Log,
    calls: Calls,
    readers: LogReaders,
    stopping: CancellationToken,
}

impl Replays {
    pub fn new(log: Log, calls: Calls, readers: LogReaders, stopping: CancellationToken) -> Self {
        Self { log, calls, readers, stopping }
    }

    async fn reader<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let caller = self.calls.query(request, &[]).await?;
        match self.readers {
            LogReaders::Partners => {}
            LogReaders::Roles(roles) => caller.require_role(roles)?,
        }
        Ok(caller)
    }
}

#[tonic::async_trait]
impl LogService for Replays {
    async fn get_log(&self, request: Request<pb::GetLogRequest>) -> Result<Response<pb::GetLogResponse>, Status> {
        self.reader(&request).await?;
        let head = self.log.head();
        let recorded_at = self.log.recorded_at(head).await.map_err(|error| status::store(&error))?;
        Ok(Response::new(pb::GetLogResponse {
            log: self.log.name().to_owned(),
            epoch: self.log.epoch().as_bytes().to_vec(),
            head,
            recorded_at: recorded_at
                .map(|time| prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }),
        }))
    }

    type ReplayLogStream = Pin<Box<dyn Stream<Item = Result<pb::ReplayLogResponse, Status>> + Send>>;

    async fn replay_log(
        &self,
        request: Request<pb::ReplayLogRequest>,
    ) -> Result<Response<Self::ReplayLogStream>, Status> {
        self.reader(&request).await?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let since = match &request.start {
            Some(Start::Since(time)) => timestamp(&mut fields, time),
            Some(Start::FromPosition(_)) | None => None,
        };
        let stream = stream_name(&mut fields, &request.stream);
        fields.finish()?;
        let from = match (&request.start, since) {
            (_, Some(time)) => self.log.position_since(time).await.map_err(|error| status::store(&error))?,
            (Some(Start::FromPosition(position)), None) => (*position).clamp(1, LAST_POSITION),
            (Some(Start::Since(_)) | None, None) => 1,
        };
        let replay = Replay {
            epoch: self.log.epoch(),
            log: self.log.clone(),
            stopping: self.stopping.clone(),
            next: from,
            stream,
            follow: request.follow,
            state: State::Reading,
        };
        let messages = stream::try_unfold(replay, async |mut replay| {
            Ok(replay.next().await?.map(|message| (pb::ReplayLogResponse { message: Some(message) }, replay)))
        });
        Ok(Response::new(Box::pin(messages)))
    }
}

/// One caller's replay.
struct Replay {
    log: Log,
    /// The history that is being replayed.
    epoch: Epoch,
    stopping: CancellationToken,
    /// First position not looked at.
    next: u64,
    stream: Option<StreamName>,
    follow: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There may be more.
    Reading,
    /// The caller knows that there was nothing more.
    CaughtUp,
}

impl Replay {
    async fn next(&mut self) -> Result<Option<Message>, Status> {
        loop {
            if self.stopping.is_cancelled() {
                return Err(status::refused(ErrorReason::LogUnavailable).into());
            }
            if self.log.epoch() != self.epoch {
                return Err(status::refused(ErrorReason::TokenOtherEpoch)
                    .with("log", self.log.name().to_owned())
                    .into());
            }
            if self.state == State::CaughtUp {
                if !self.follow {
                    return Ok(None);
                }
                self.wait_for_more().await;
                self.state = State::Reading;
                continue;
            }
            let limit = PageLimit { bytes: BATCH_BYTES, ..PageLimit::default() };
            let page = self.log.page(self.next, limit).await.map_err(|error| status::store(&error))?;
            let Some(records) = self.batch(page)? else {
                self.state = State::CaughtUp;
                return Ok(Some(self.caught_up()));
            };
            if !records.is_empty() {
                return Ok(Some(Message::Events(pb::EventBatch { records })));
            }
        }
    }

    /// As many events of a page as one message takes; `None`: the page is empty, so the log is at its end.
    fn batch(&mut self, page: Vec<StoredEvent>) -> Result<Option<Vec<Vec<u8>>>, Status> {
        if page.is_empty() {
            return Ok(None);
        }
        let mut bytes = 0;
        let mut records = Vec::new();
        for event in page {
            if self.wants(&event)? {
                bytes += event.record.len() + RECORD_OVERHEAD;
                if bytes > BATCH_BYTES && !records.is_empty() {
                    break;
                }
                records.push(event.record.to_vec());
            }
            self.next = event.position + 1;
        }
        Ok(Some(records))
    }

    fn wants(&self, event: &StoredEvent) -> Result<bool, Status> {
        let Some(stream) = &self.stream else { return Ok(true) };
        let record = event.decode().map_err(|error| status::store(&error))?;
        Ok(record.stream == stream.as_str())
    }

    fn caught_up(&self) -> Message {
        let position = (self.next - 1).min(self.log.head());
        Message::CaughtUp(pb::CaughtUp { position, epoch: self.epoch.as_bytes().to_vec() })
    }

    async fn wait_for_more(&self) {
        let mut head = self.log.watch_head();
        let more = head.wait_for(|head| *head >= self.next);
        let _ = tokio::time::timeout(HEARTBEAT, self.stopping.run_until_cancelled(more)).await;
    }
}

fn timestamp(fields: &mut Fields, time: &prost_types::Timestamp) -> Option<Timestamp> {
    let read = Timestamp::new(time.seconds, time.nanos).ok();
    if read.is_none() {
        fields.violation("since", ("is not a point in time", "n’est pas un instant"));
    }
    read
}

fn stream_name(fields: &mut Fields, text: &str) -> Option<StreamName> {
    if text.is_empty() {
        return None;
    }
    let read = text.parse().ok();
    if read.is_none() {
        fields.violation("stream", ("is not the name of a resource", "n’est pas le nom d’une ressource"));
    }
    read
}

#[cfg(test)]
mod tests;
