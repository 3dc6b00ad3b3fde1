//! `toguna replay`: a log's events in order, checked one by one.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::{
    ReplayLogRequest, log_service_client::LogServiceClient, replay_log_request::Start, replay_log_response::Message,
};
use jiff::Timestamp;

use crate::{
    cli::Replay,
    language::Language,
    records::{self, Event, Order},
    services::refusal::Refusal,
    session::Session,
};

/// How long to wait before a replay that follows asks again, when the service is away.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(options: &Replay, language: Language, as_json: bool) -> Result<()> {
    let session = Session::open(language)?;
    let from = options.from.unwrap_or(1).max(1);
    let mut order = Order::from(options.since.is_none().then_some(from));
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut print = |event: &Event, order: &mut Order| {
        order.check(event)?;
        if as_json {
            serde_json::to_writer(&mut out, event)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", line(event))?;
        }
        if options.follow {
            out.flush()?;
        }
        Ok(())
    };
    loop {
        let start = match (order.next(), options.since) {
            (Some(next), _) => Start::FromPosition(next),
            (None, Some(time)) => since(time),
            (None, None) => Start::FromPosition(from),
        };
        let request = ReplayLogRequest { start: Some(start), stream: String::new(), follow: options.follow };
        let ended = read(&session, &options.service, request, |event| print(&event, &mut order)).await;
        match ended {
            Err(error) if options.follow && super::is_passing(&error) => {
                tokio::time::sleep(PAUSE).await;
            }
            Ok(()) if options.follow => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
            Ok(()) => return Ok(out.flush()?),
        }
    }
}

/// Gives every event of a replay to `each`, as it comes.
pub(super) async fn read(
    session: &Session,
    service: &str,
    request: ReplayLogRequest,
    mut each: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let mut client = LogServiceClient::new(session.services.channel(service)?);
    let request = session.services.stream_request(&session.auditor()?, request)?;
    let mut replay = client.replay_log(request).await.map_err(Refusal::from)?.into_inner();
    while let Some(response) = replay.message().await.map_err(Refusal::from)? {
        match response.message.context("a replay's message says something")? {
            Message::Events(batch) => {
                batch.records.iter().try_for_each(|record| each(Event::read(record)?))?;
            }
            Message::CaughtUp(_) => {}
        }
    }
    Ok(())
}

fn since(time: Timestamp) -> Start {
    Start::Since(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

/// One event for a person: position, when recorded, when it happened, what, to what, whose act, how sure.
pub(super) fn line(event: &Event) -> String {
    let recorded_at = event.recorded_at.get(..19).unwrap_or_default();
    let effective_on = event.effective_on.as_deref().unwrap_or("—");
    let organisation = event.on_behalf_of.strip_prefix("partners/").unwrap_or(&event.on_behalf_of);
    let mut marks = Vec::new();
    if event.certainty != "exact" {
        marks.push(event.certainty.as_str());
    }
    if records::is_from_source(event) {
        marks.push("from source");
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    format!(
        "{:>6}  {recorded_at}  {effective_on:<10}  {} v{}  {}  {organisation}{marks}",
        event.position,
        event.stream,
        event.version,
        event.name(),
    )
}
