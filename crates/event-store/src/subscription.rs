//! Reads another service's log from its stream in NATS.
//!
//! A subscription keeps nothing but how far the stream is. Records are read from it by position, and a reader's own
//! checkpoint says from where, so that nothing that the broker forgets can make a reader skip or repeat an event.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    Nats, NatsError,
    feed::{FeedError, Page, Place},
    nats::LogStream,
};

/// How often the stream is asked how far it is, should its doorbell be silent.
const POLL: Duration = Duration::from_secs(2);
/// Most records of a page: their bytes are limited by the request.
const PAGE_EVENTS: usize = 1_000;

/// The log of another service, as NATS has it.
pub(crate) struct Subscription {
    stream: LogStream,
    place: watch::Receiver<Place>,
}

impl Subscription {
    /// Begins to watch the stream, until `shutdown`; a stream that is not there yet, or no more, is waited for.
    pub fn start(nats: &Nats, log: &str, shutdown: CancellationToken) -> Self {
        let (sender, place) = watch::channel(Place::default());
        let stream = nats.stream_of(log);
        let watched = stream.clone();
        tokio::spawn(async move {
            shutdown.run_until_cancelled(watch_stream(&watched, &sender)).await;
        });
        Self { stream, place }
    }

    /// How far the stream is, as last heard.
    pub fn watch_place(&self) -> watch::Receiver<Place> {
        self.place.clone()
    }

    /// The records from a position on; none where the stream ends before it.
    pub async fn page(&self, from: u64) -> Result<Page, FeedError> {
        let records = match self.stream.range(from, PAGE_EVENTS).await {
            Ok(records) => records,
            // The other service has not published anything yet.
            Err(_) if self.stream.state().await?.is_none() => return Page::checked(None, from, std::iter::empty()),
            Err(error) => return Err(error.into()),
        };
        let published = records.first().map(|record| record.epoch);
        let epoch = match published {
            Some(epoch) => Some(epoch),
            None => self.stream.state().await?.and_then(|state| state.epoch),
        };
        if records.iter().any(|record| Some(record.epoch) != published) {
            // It is being made again while we read it.
            return Err(FeedError::MixedEpochs);
        }
        let page = records.into_iter().map(|record| (record.position, record.bytes, record.record));
        Page::checked(epoch, from, page)
    }
}

async fn watch_stream(stream: &LogStream, place: &watch::Sender<Place>) {
    let mut troubled = false;
    loop {
        let Err(error) = listen(stream, place, &mut troubled).await;
        if !std::mem::replace(&mut troubled, true) {
            warn!(
                log = stream.log(),
                error = &error as &dyn std::error::Error,
                "the stream cannot be followed for now"
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits for the doorbell, and asks now and then without it.
async fn listen(
    stream: &LogStream,
    place: &watch::Sender<Place>,
    troubled: &mut bool,
) -> Result<std::convert::Infallible, NatsError> {
    // The state is asked for after the doorbell hangs, so that nothing stored in between goes unheard.
    let mut doorbell = stream.doorbell().await?;
    loop {
        let state = stream.state().await?;
        let now = state.map_or(Place::default(), |state| Place { epoch: state.epoch, position: state.last });
        publish(place, now);
        if std::mem::take(troubled) {
            debug!(log = stream.log(), position = now.position, "following the stream again");
        }
        let Ok(rung) = timeout(POLL, doorbell.next()).await else { continue };
        let mut last = rung.ok_or(NatsError::Disconnected)?;
        while let Some(Some(more)) = futures::FutureExt::now_or_never(doorbell.next()) {
            last = more;
        }
        // Of two relays of a log, the one that is behind may ring last.
        publish(place, Place { position: last.max(now.position), ..now });
    }
}

fn publish(place: &watch::Sender<Place>, now: Place) {
    place.send_if_modified(|before| std::mem::replace(before, now) != now);
}
