//! A replay of the log to one caller over gRPC (P7).

use std::{process::Stdio, time::Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::toguna::log::v1::{
    ReplayLogRequest, log_service_client::LogServiceClient, replay_log_request::Start, replay_log_response::Message,
};

use super::{Compared, Row, id};
use crate::{
    measure::Sample,
    process::Watched,
    run::{Measured, Meter, Run},
    servers::Kind,
    stage::{Site, Stage},
};

/// Largest message of a replay that the caller takes.
const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
const EVENTS: &str = "events/s";

/// A whole log, beside COPY of the same rows.
pub async fn p7(run: &Run) -> Result<Vec<Row>> {
    let events = run.events(1_000_000, 200_000);
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let site = Site::filled(&run.ground, events, payload).await?;
        let database_url = site.database_url.clone();
        let stage = Stage::on(run, Kind::Partnerships, Some(site), payload).await?;
        stage.serves().await?;
        stage.rest().await?;
        let before = stage.server.watch().rss();
        let rounds = run
            .in_turn(async || replay(&stage, events).await, async || copy_out(run, &database_url, events).await)
            .await?;
        let peak = rounds.iter().filter_map(|(ours, _)| ours.sample.as_ref()).map(|sample| sample.peak_rss).max();
        let mebibytes = |bytes: u64| bytes / 1024 / 1024;
        rows.push(Row {
            id: id("P7", payload),
            what: format!("ReplayLog of {events} events to one caller, complete"),
            beside_what: "psql COPY TO STDOUT".to_owned(),
            payload,
            compared: Compared::Rate { unit: EVENTS, reach: 0.35, aim: 0.6 },
            rounds,
            notes: vec![format!(
                "memory of the server: {} MiB before the first replay, {} MiB at most during one",
                mebibytes(before),
                mebibytes(peak.unwrap_or(0))
            )],
        });
        stage.strike().await?;
    }
    Ok(rows)
}

/// One caller reads the whole log.
async fn replay(stage: &Stage<'_>, events: u64) -> Result<Measured> {
    stage.rest().await?;
    let (meter, began) = (Meter::begin(stage.parts()), Instant::now());
    let mut client = LogServiceClient::new(stage.callers.channel(0)).max_decoding_message_size(MESSAGE_BYTES);
    let request = ReplayLogRequest { start: Some(Start::FromPosition(1)), ..ReplayLogRequest::default() };
    let mut messages = client.replay_log(stage.callers.verified_without_end(request)).await?.into_inner();
    let mut seen = 0;
    while let Some(message) = messages.message().await? {
        if let Some(Message::Events(batch)) = message.message {
            seen += batch.events.len() as u64;
        }
    }
    ensure!(seen == events, "{seen} of {events} events came");
    Ok(counted(meter, began, events))
}

/// PostgreSQL gives the same rows to psql, which throws them away.
async fn copy_out(run: &Run, database_url: &str, events: u64) -> Result<Measured> {
    run.ground.settle().await?;
    let meter = Meter::begin(vec![("PostgreSQL", Watched::new(run.ground.postgres_pid()))]);
    let began = Instant::now();
    let status = tokio::process::Command::new(run.ground.programs().join("psql"))
        .args(["--no-psqlrc", "--quiet", "--command", "COPY log.events (position, record) TO STDOUT (FORMAT binary)"])
        .arg(database_url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .await
        .context("cannot run psql")?;
    ensure!(status.success(), "psql: {status}");
    Ok(counted(meter, began, events))
}

/// So many events since then.
pub fn counted(meter: Meter, began: Instant, events: u64) -> Measured {
    let elapsed = began.elapsed();
    let mut sample = Sample { operations: events, elapsed, ..Sample::empty() };
    let costs = meter.end(&mut sample, elapsed);
    Measured::rate(sample, costs)
}
