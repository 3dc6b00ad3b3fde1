//! Who follows the logs, over gRPC and in JetStream, and writes down what it is given. Each asks for the last event it
//! has again when it comes back, so that it sees whether history is still the same; where it is not, it begins anew.

use std::time::{Duration, Instant};

use checker::{
    copy,
    history::{Delivered, Line, Writer},
    record::Record,
    text::digest,
};
use contracts::toguna::log::v1::{
    ReplayLogRequest, log_service_client::LogServiceClient, replay_log_request::Start, replay_log_response::Message,
};
use tokio::{task::JoinSet, time::timeout};
use tonic::transport::Channel;

use crate::{load::authorised, stack::Stack};

/// How long nothing may come before a consumer looks whether its connection still works.
const SILENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);

/// Consumers at work, until dropped.
pub struct Consumers {
    _following: JoinSet<()>,
}

impl Consumers {
    pub fn start(stack: &Stack, history: &Writer) -> Self {
        let mut following = JoinSet::new();
        for (log, site) in &stack.sites {
            let address = format!("http://127.0.0.1:{}", site.clients.port);
            following.spawn(replays(Journal::new("replay", log, history), address));
            following.spawn(reads(Journal::new("JetStream", log, history), stack.nats.auditor_url()));
        }
        Self { _following: following }
    }
}

/// What a consumer has, and what it wrote down.
struct Journal {
    consumer: String,
    log: String,
    epoch: String,
    connection: u64,
    /// Position and digest of the last event it has.
    last: Option<(u64, String)>,
    history: Writer,
}

/// The event that a consumer has is not the one that is there.
struct OtherHistory;

impl Journal {
    fn new(how: &str, log: &str, history: &Writer) -> Self {
        Self {
            consumer: format!("{how} of {log}"),
            log: log.to_owned(),
            epoch: String::new(),
            connection: 0,
            last: None,
            history: history.clone(),
        }
    }

    /// Takes events as they come. The first after a connection is the last one it had.
    fn take(&mut self, events: &[(u64, &[u8])], again: &mut bool) -> Result<(), OtherHistory> {
        let mut events = events;
        if std::mem::take(again)
            && let (Some((position, known)), Some((first, rest))) = (&self.last, events.split_first())
        {
            if first.0 == *position && digest(first.1) != *known {
                self.last = None;
                return Err(OtherHistory);
            }
            // Anything else in its place is written down, and judged.
            if first.0 == *position {
                events = rest;
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        let expected = self.last.as_ref().map_or(1, |(position, _)| position + 1);
        let delivered = Delivered {
            at: self.history.now(),
            consumer: self.consumer.clone(),
            log: self.log.clone(),
            epoch: self.epoch.clone(),
            connection: self.connection,
            expected,
            positions: events.iter().map(|(position, _)| *position).collect(),
            digests: events.iter().map(|(_, bytes)| digest(bytes)).collect(),
        };
        self.last = delivered.positions.last().copied().zip(delivered.digests.last().cloned());
        self.history.write(&Line::Delivered(delivered));
        Ok(())
    }

    fn from(&self) -> u64 {
        self.last.as_ref().map_or(1, |(position, _)| *position)
    }
}

async fn replays(mut journal: Journal, address: String) {
    loop {
        // A connection of its own each time: the last one may be one that never answers again.
        let channel = Channel::from_shared(address.clone()).expect("an address").connect_lazy();
        replay(&mut journal, channel).await;
        journal.connection += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn replay(journal: &mut Journal, channel: Channel) {
    let start = Some(Start::FromPosition(journal.from()));
    let request = ReplayLogRequest { start, follow: true, ..ReplayLogRequest::default() };
    let mut request = authorised(request, "auditor", "secretariat");
    // It follows for as long as it is given something.
    request.metadata_mut().remove("grpc-timeout");
    let mut client = LogServiceClient::new(channel);
    let Ok(Ok(answer)) = timeout(SILENCE, client.replay_log(request)).await else { return };
    let mut stream = answer.into_inner();
    let mut again = true;
    while let Ok(Ok(Some(response))) = timeout(SILENCE, stream.message()).await {
        let Some(Message::Events(batch)) = response.message else { continue };
        let position = |bytes: &[u8]| Record::read(bytes).map_or(0, |record| record.position);
        let records = batch.events.iter().map(|event| event.record.as_ref());
        let events: Vec<(u64, &[u8])> = records.map(|bytes| (position(bytes), bytes)).collect();
        if journal.take(&events, &mut again).is_err() {
            return;
        }
    }
}

async fn reads(mut journal: Journal, nats: String) {
    loop {
        // What fails is tried again; what is missing in the end is found by comparing.
        drop(timeout(Duration::from_mins(10), read(&mut journal, &nats)).await);
        journal.connection += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(journal: &mut Journal, nats: &str) -> anyhow::Result<()> {
    let jetstream = copy::connect(nats).await?;
    let Some(stream) = copy::stream(&jetstream, &journal.log).await? else { return Ok(()) };
    let epoch = copy::end(&stream).epoch;
    if epoch != std::mem::replace(&mut journal.epoch, epoch.clone()) {
        journal.last = None;
    }
    let (mut next, mut again, mut heard) = (journal.from(), true, Instant::now());
    while heard.elapsed() < SILENCE {
        let page = timeout(SILENCE, copy::page(&jetstream, &journal.log, next)).await??;
        let Some(last) = page.last() else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        (next, heard) = (last.sequence + 1, Instant::now());
        let ours = page.iter().take_while(|message| message.epoch == epoch);
        let events: Vec<(u64, &[u8])> = ours.map(|message| (message.sequence, message.payload.as_slice())).collect();
        if journal.take(&events, &mut again).is_err() || events.len() < page.len() {
            return Ok(());
        }
    }
    Ok(())
}
