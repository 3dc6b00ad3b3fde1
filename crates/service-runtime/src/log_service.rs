//! A log, given event by event as stored to whoever may read it.
//!
//! A replay reads one page at a time, each in a transaction that ends before the page is sent, and the next one while
//! HTTP/2 flow control lets the caller have the present one: a slow reader holds two pages of memory here and nothing
//! in the database. Each place it comes to has a resume token, so that a replay may end at any time, in any way, and go
//! on in another call: after the caller's deadline, on another day, against another replica.

mod pages;
mod replay;
mod request;
mod resume;

use std::{pin::Pin, sync::Arc, time::Duration};

use contracts::toguna::log::v1::{self as pb, log_service_server::LogService};
use event_store::Log;
use futures::{Stream, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub(crate) use self::pages::{LogPages, PageWanted, WithPages};
use self::{
    replay::{Ending, Replay},
    request::Wanted,
};
use crate::{Caller, Calls, context::CallContext, status};

/// How many replays ask Postgres at a time. The others wait for their turn, of a few milliseconds, so that commands
/// always find a connection.
const READS: usize = 4;

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
    heartbeat: Duration,
    reads: Arc<Semaphore>,
}

impl Replays {
    /// `heartbeat`: after how long a silence a replay says that it is alive.
    pub fn new(log: Log, calls: Calls, readers: LogReaders, stopping: CancellationToken, heartbeat: Duration) -> Self {
        Self { log, calls, readers, stopping, heartbeat, reads: Arc::new(Semaphore::new(READS)) }
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
        let caller = self.reader(&request).await?;
        let turn = self.calls.replay_turn(&caller)?;
        let call = CallContext::current();
        let wanted = Wanted::read(request.into_inner())?;
        let ending = Ending {
            follow: wanted.follow,
            max_events: wanted.max_events,
            slice_until: wanted.max_duration.and_then(|duration| call.started.checked_add(duration)),
            call_until: call.farewell(),
            stopping: self.stopping.clone(),
            connection_leaving: call.leaving.clone(),
            heartbeat: self.heartbeat,
            _turn: turn,
        };
        // Before anything is read: whatever is read is of this epoch, or told to be of another.
        let epoch = self.log.epoch();
        let start = wanted.start(&self.log, epoch).await?;
        let pages = self.log.pages(start.from, wanted.filter, self.reads.clone());
        let pages = pages.await.map_err(|error| status::store(&error))?;
        let replay = Replay::new(self.log.clone(), epoch, pages, start, ending);
        let messages = stream::try_unfold(replay, async |mut replay| {
            Ok(replay.next().await?.map(|message| (pb::ReplayLogResponse { message: Some(message) }, replay)))
        });
        Ok(Response::new(Box::pin(messages)))
    }
}
