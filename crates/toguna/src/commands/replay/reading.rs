//! Reads a log over whatever line there is: what a cut left half told comes again, and nothing comes twice.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use contracts::toguna::log::v1::{
    GoodbyeReason, Place, ReplayLogRequest, ReplayedEvent, log_service_client::LogServiceClient,
    replay_log_request::Start, replay_log_response::Message,
};
use tonic::{Status, codec::CompressionEncoding};

use crate::{
    services::{pauses::Pauses, refusal::Refusal},
    session::Session,
};

/// Before a service that stops, or another of its replicas, is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// So many events are asked for at a time, once a message of the usual size did not come through whole.
const NARROW: u64 = 64;
/// Beyond so many events at a time, as many as there are.
const WIDE: u64 = 1024;

/// What came together: events, and the place up to which they are all that match. Only then are they given on: without
/// its place nobody could say where to go on after them.
pub(in crate::commands) struct Stretch {
    pub(in crate::commands) events: Vec<ReplayedEvent>,
    pub(in crate::commands) place: Place,
}

/// A replay under way.
pub(in crate::commands) struct Reading<'a> {
    session: &'a Session,
    service: &'a str,
    /// As it was asked for; its start moves with the replay.
    request: ReplayLogRequest,
    /// How many events to ask for at a time; `None`: as many as there are.
    at_a_time: Option<u64>,
    pauses: Pauses,
}

/// How one call ended that was not cut.
enum Ended {
    /// All there was has come.
    Whole,
    /// There was more to come.
    Early(GoodbyeReason),
}

impl<'a> Reading<'a> {
    /// Reads what is asked for, over as many calls as the line takes: one that follows the log never gives up, one that
    /// does not when nothing came for as long as the session is patient.
    pub(in crate::commands) fn of(session: &'a Session, service: &'a str, request: ReplayLogRequest) -> Self {
        let patience = Some(session.patience).filter(|_| !request.follow);
        let pauses = Pauses::new(patience, session.language);
        Self { session, service, request, at_a_time: None, pauses }
    }

    /// Gives all of it to `take`, in order, each event once.
    pub(in crate::commands) async fn run(mut self, mut take: impl FnMut(Stretch) -> Result<()>) -> Result<()> {
        loop {
            match self.call(&mut take).await {
                Ok(Ended::Whole) => return Ok(()),
                Ok(Ended::Early(GoodbyeReason::SliceFull)) => {
                    self.at_a_time = self.at_a_time.map(|events| events * 2).filter(|events| *events <= WIDE);
                }
                Ok(Ended::Early(GoodbyeReason::ConnectionOld | GoodbyeReason::DeadlineNear)) => {}
                Ok(Ended::Early(GoodbyeReason::EpochChanged)) => bail!(self.session.language.say(
                    "the log was restored to an earlier state meanwhile: replay it from its beginning and compare",
                    "le journal a été ramené entre-temps à un état antérieur\u{202f}: relisez-le depuis le début et comparez",
                )),
                Ok(Ended::Early(_)) => tokio::time::sleep(PAUSE).await,
                Err(error) => self.pauses.after(error.downcast::<Refusal>()?).await?,
            }
        }
    }

    /// One call, until it ends or is cut.
    async fn call(&mut self, take: &mut impl FnMut(Stretch) -> Result<()>) -> Result<Ended> {
        let channel = self.session.services.channel(self.service)?;
        let mut client = LogServiceClient::new(channel).accept_compressed(CompressionEncoding::Zstd);
        let asked = ReplayLogRequest { max_events: self.at_a_time.unwrap_or_default(), ..self.request.clone() };
        let request = self.session.services.stream_request(&self.session.auditor()?, asked)?;
        let mut replay = client.replay_log(request).await.map_err(Refusal::from)?.into_inner();
        let (mut events, mut fruitless) = (Vec::new(), true);
        loop {
            let response = match replay.message().await {
                Ok(Some(response)) => response,
                ended => {
                    // Where nothing of it was whole before the line broke, less shall break off the next time.
                    if fruitless {
                        self.at_a_time = Some(self.at_a_time.map_or(NARROW, |events| (events / 4).max(1)));
                    }
                    // One that does not say how it ends was cut, however whole a machine on the way made it look.
                    let cut = Status::unavailable("the answer broke off");
                    return Err(Refusal::from(ended.err().unwrap_or(cut)).into());
                }
            };
            let (place, ended) = match response.message.context("a replay's message says something")? {
                Message::Events(batch) => {
                    events.extend(batch.events);
                    continue;
                }
                Message::Checkpoint(checkpoint) => (checkpoint.place, None),
                Message::Heartbeat(heartbeat) => (heartbeat.place, None),
                Message::CaughtUp(end) => (end.place, (!self.request.follow).then_some(Ended::Whole)),
                Message::Goodbye(goodbye) => {
                    let reason = goodbye.reason();
                    (goodbye.place, Some(Ended::Early(reason)))
                }
            };
            let place = place.context("such a message says where the replay is")?;
            let token = place.resume_token.clone();
            take(Stretch { events: std::mem::take(&mut events), place })?;
            self.request.start = Some(Start::ResumeToken(token));
            self.pauses.came();
            fruitless = false;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }
}
