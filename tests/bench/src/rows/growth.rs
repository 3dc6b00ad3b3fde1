//! A log that has grown long: commands (P13) and the start of the service (P14) as before.

use anyhow::Result;
use tokio::sync::Mutex;

use super::{
    Compared, Row,
    commands::{CALLERS, register},
    id,
};
use crate::{
    run::{Measured, Run},
    servers::Kind,
    stage::{Site, Stage},
};

const PAYLOAD: usize = 256;
/// Events of the long log.
const LONG: u64 = 10_000_000;
/// The same, for a first look.
const LONG_QUICK: u64 = 1_000_000;
/// Events of the short log.
const SHORT: u64 = 100_000;

/// Commands on a long log, beside commands on a short one.
pub async fn p13(run: &Run) -> Result<Vec<Row>> {
    let events = run.events(LONG, LONG_QUICK);
    let [long, short] = grown(run).await?;
    let mut long = Stage::on(run, Kind::Partnerships, Some(long), PAYLOAD).await?;
    let mut short = Stage::on(run, Kind::Partnerships, Some(short), PAYLOAD).await?;
    let rounds =
        run.in_turn(async || register(&mut long, CALLERS).await, async || register(&mut short, CALLERS).await).await?;
    let mebibytes = |stage: &Stage<'_>| stage.server.watch().rss() / 1024 / 1024;
    let notes = vec![format!(
        "memory of the server afterwards: {} MiB with the long log, {} MiB with the short one",
        mebibytes(&long),
        mebibytes(&short)
    )];
    keep(run, [long, short]).await?;
    Ok(vec![Row {
        id: id("P13", PAYLOAD),
        what: format!("P1 complete with {events} events in the log"),
        beside_what: format!("with {SHORT}"),
        payload: PAYLOAD,
        compared: Compared::Rate { unit: "commands/s", reach: 0.9, aim: 0.97 },
        rounds,
        notes,
    }])
}

/// From the start of the process until it answers, on a long log, beside the same on a short one.
pub async fn p14(run: &Run) -> Result<Vec<Row>> {
    let events = run.events(LONG, LONG_QUICK);
    let [long, short] = grown(run).await?.map(|site| Mutex::new(Some(site)));
    let rounds = run.in_turn(async || start(run, &long).await, async || start(run, &short).await).await?;
    *run.grown.lock().await = long.into_inner().zip(short.into_inner()).map(|(long, short)| [long, short]);
    Ok(vec![Row {
        id: id("P14", PAYLOAD),
        what: format!("start of the service until it serves, with {events} events in the log"),
        beside_what: format!("with {SHORT}"),
        payload: PAYLOAD,
        compared: Compared::Latency { unit: "ms", reach: 1.5, aim: 1.1 },
        rounds,
        notes: vec!["read models and relay had caught up before it was stopped".to_owned()],
    }])
}

/// A long and a short log whose read models and copies have caught up; made by the first row that wants them.
async fn grown(run: &Run) -> Result<[Site; 2]> {
    if let Some(sites) = run.grown.lock().await.take() {
        return Ok(sites);
    }
    let mut sites = Vec::new();
    for events in [run.events(LONG, LONG_QUICK), SHORT] {
        let site = Site::filled(&run.ground, events, PAYLOAD).await?;
        let stage = Stage::on(run, Kind::Partnerships, Some(site), PAYLOAD).await?;
        stage.serves().await?;
        stage.rest().await?;
        sites.extend(stage.stop().await?);
    }
    <[Site; 2]>::try_from(sites).map_err(|_| anyhow::anyhow!("there are two logs"))
}

/// Leaves both logs to the next row.
async fn keep(run: &Run, stages: [Stage<'_>; 2]) -> Result<()> {
    let [long, short] = stages;
    long.rest().await?;
    short.rest().await?;
    let (long, short) = (long.stop().await?, short.stop().await?);
    *run.grown.lock().await = long.zip(short).map(|(long, short)| [long, short]);
    Ok(())
}

async fn start(run: &Run, site: &Mutex<Option<Site>>) -> Result<Measured> {
    run.ground.settle().await?;
    let mut site = site.lock().await;
    let stage = Stage::on(run, Kind::Partnerships, site.take(), PAYLOAD).await?;
    let serves = stage.serves().await?;
    let started = stage.server.started_in + serves;
    *site = stage.stop().await?;
    Ok(Measured::value(started.as_secs_f64() * 1_000.0))
}
