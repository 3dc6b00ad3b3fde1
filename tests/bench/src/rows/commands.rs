//! Commands through gRPC: how many (P1), how fast (P5), and all on one stream (P6).

use anyhow::{Context as _, Result};
use tokio::sync::Mutex;

use super::{Compared, Row, id};
use crate::{
    run::{Measured, Run},
    servers::Kind,
    stage::Stage,
};

/// Callers of a row.
pub const CALLERS: usize = 64;
/// Id of the partner that everybody changes.
const EVERYBODYS: &str = "everybodys";
const COMMANDS: &str = "commands/s";

/// One command with one event, 64 callers; the limit is a server that echoes the same message.
pub async fn p1(run: &Run) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let mut bare = Stage::set(run, Kind::Bare, payload).await?;
        let mut echo = Stage::set(run, Kind::Echo, payload).await?;
        let rounds = run.in_turn(async || append(&mut bare, 1).await, async || echo_append(&mut echo).await).await?;
        bare.strike().await?;
        rows.push(Row {
            id: id("P1 bare", payload),
            what: "Append of one event to a new stream, without identity, policy, validation and tracing".to_owned(),
            beside_what: "echo of the same".to_owned(),
            payload,
            compared: Compared::Rate { unit: COMMANDS, reach: 0.55, aim: 0.65 },
            rounds,
            notes: Vec::new(),
        });
        let mut guarded = Stage::set(run, Kind::Guarded, payload).await?;
        let mut unguarded = Stage::set(run, Kind::Unguarded, payload).await?;
        let rounds = run.in_turn(async || propose(&mut guarded).await, async || propose(&mut unguarded).await).await?;
        guarded.strike().await?;
        unguarded.strike().await?;
        rows.push(Row {
            id: id("P1 guarded", payload),
            what: "ProposeCorrection, a new stream with one event, with identity, policy, validation and tracing"
                .to_owned(),
            beside_what: "the same without them".to_owned(),
            payload,
            compared: Compared::Rate { unit: COMMANDS, reach: 0.85, aim: 0.90 },
            rounds,
            notes: vec!["neither has read models or a copy of its log".to_owned()],
        });
        let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
        let rounds = run
            .in_turn(async || register(&mut complete, CALLERS).await, async || echo_register(&mut echo, CALLERS).await)
            .await?;
        let behind = complete.rest().await?;
        complete.strike().await?;
        echo.strike().await?;
        rows.push(Row {
            id: id("P1 complete", payload),
            what: "RegisterPartner, a new stream with one event, at the service as users get it".to_owned(),
            beside_what: "echo of the same".to_owned(),
            payload,
            compared: Compared::Rate { unit: COMMANDS, reach: 0.45, aim: 0.60 },
            rounds,
            notes: vec![format!(
                "read models and relay had caught up {:.1} s after the last round",
                behind.as_secs_f64()
            )],
        });
    }
    Ok(rows)
}

/// Latency at 64 callers and of one, beside that of the echo and one sync of the disk.
pub async fn p5(run: &Run) -> Result<Vec<Row>> {
    let payload = 256;
    let sync = run.ground.machine.fdatasync_ms;
    let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
    let mut echo = Stage::set(run, Kind::Echo, payload).await?;
    let mut rows = Vec::new();
    for (name, callers, part, reach, aim) in [("P5 p99", CALLERS, 0.99, 2.5, 1.5), ("P5 p50", 1, 0.5, 4.0, 2.0)] {
        let rounds = run
            .in_turn(
                async || Ok(register(&mut complete, callers).await?.by(|sample| sample.quantile(part))),
                async || Ok(echo_register(&mut echo, callers).await?.by(|sample| sample.quantile(part) + sync)),
            )
            .await?;
        rows.push(Row {
            id: id(name, payload),
            what: format!("RegisterPartner, complete, {callers} callers: p{:.0}", part * 100.0),
            beside_what: "echo + fdatasync".to_owned(),
            payload,
            compared: Compared::Latency { unit: "ms", reach, aim },
            rounds,
            notes: vec![format!("the disk's part of the other is one fdatasync of {sync:.2} ms")],
        });
    }
    complete.strike().await?;
    echo.strike().await?;
    Ok(rows)
}

/// 64 callers change one partner, beside 64 callers who register new ones with the same service.
pub async fn p6(run: &Run) -> Result<Vec<Row>> {
    let payload = 256;
    let complete = Stage::set(run, Kind::Partnerships, payload).await?;
    complete.callers.register_as(0, EVERYBODYS).await.context("the one partner cannot be registered")?;
    let stage = Mutex::new(complete);
    let ours = async || rename(&mut *stage.lock().await).await;
    let rounds = run.in_turn(ours, async || register(&mut *stage.lock().await, CALLERS).await).await?;
    stage.into_inner().strike().await?;
    Ok(vec![Row {
        id: id("P6", payload),
        what: "RenamePartner of one and the same partner, complete, 64 callers".to_owned(),
        beside_what: "P1 complete".to_owned(),
        payload,
        compared: Compared::Rate { unit: COMMANDS, reach: 0.4, aim: 0.7 },
        rounds,
        notes: Vec::new(),
    }])
}

/// The bare server's command.
pub async fn append(stage: &mut Stage<'_>, events: usize) -> Result<Measured> {
    stage.measure(CALLERS, async |callers, caller, turn| callers.append(caller, turn, events).await).await
}

/// The command of the guarded and the unguarded server.
async fn propose(stage: &mut Stage<'_>) -> Result<Measured> {
    stage.measure(CALLERS, async |callers, caller, turn| callers.propose(caller, turn).await).await
}

/// The complete server's command.
pub async fn register(stage: &mut Stage<'_>, callers: usize) -> Result<Measured> {
    stage.measure(callers, async |callers, caller, turn| callers.register(caller, turn).await).await
}

async fn rename(stage: &mut Stage<'_>) -> Result<Measured> {
    stage.measure(CALLERS, async |callers, caller, turn| callers.rename(caller, turn, EVERYBODYS).await).await
}

async fn echo_register(stage: &mut Stage<'_>, callers: usize) -> Result<Measured> {
    stage.measure(callers, async |callers, caller, turn| callers.echo_register(caller, turn).await).await
}

async fn echo_append(stage: &mut Stage<'_>) -> Result<Measured> {
    stage.measure(CALLERS, async |callers, caller, turn| callers.echo_append(caller, turn, 1).await).await
}
