//! Beside what PostgreSQL itself does with the same rows.

use anyhow::{Context as _, Result, ensure};

use super::{
    Compared, Row,
    commands::{CALLERS, register},
    id,
};
use crate::{
    peers::pgbench::Pgbench,
    run::{Measured, Run},
    servers::Kind,
    stage::Stage,
};

/// The service beside pgbench, which inserts one such row a transaction.
pub async fn p2(run: &Run) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
        let bytes = record_bytes(run, &mut complete).await?;
        let pgbench = Pgbench::prepare(&run.ground, bytes).await?;
        let rounds =
            run.in_turn(async || register(&mut complete, CALLERS).await, async || insert(run, &pgbench).await).await?;
        complete.strike().await?;
        run.ground.drop_database(&pgbench.database_url).await?;
        rows.push(Row {
            id: id("P2", payload),
            what: "RegisterPartner, complete, 64 callers".to_owned(),
            beside_what: "pgbench, 64 clients".to_owned(),
            payload,
            compared: Compared::Rate { unit: "commands/s", reach: 1.25, aim: 1.5 },
            rounds,
            notes: vec![format!(
                "pgbench: prepared, over a Unix socket, one INSERT a transaction of a row with the same columns and indexes and a record of {bytes} bytes; its positions have gaps and are not in order of commit"
            )],
        });
    }
    Ok(rows)
}

async fn insert(run: &Run, pgbench: &Pgbench) -> Result<Measured> {
    run.ground.settle().await?;
    let sample = pgbench.measure(CALLERS, run.time()).await?;
    ensure!(sample.operations > 0, "pgbench inserted nothing in the time that counts");
    let cost = sample.cpu.as_secs_f64() * 1e6 / (sample.operations as f64).max(1.0);
    Ok(Measured::rate(sample, vec![("PostgreSQL", cost)]))
}

/// What a record of the service has on average.
async fn record_bytes(run: &Run, complete: &mut Stage<'_>) -> Result<usize> {
    for turn in 0..100 {
        let id = complete.callers.id(99, turn);
        complete.callers.register_as(0, &id).await.context("a partner cannot be registered")?;
    }
    let url = complete.site.as_ref().map_or("", |site| &site.database_url);
    let bytes = run.ground.sql(url, "SELECT avg(octet_length(record))::int FROM log.events").await?;
    bytes.parse().context("a number of bytes")
}
