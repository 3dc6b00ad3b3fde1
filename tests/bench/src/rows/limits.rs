//! Beside what PostgreSQL itself does with the same rows.

use std::{fs, process::Stdio, time::Instant};

use anyhow::{Context as _, Result};

use super::{
    Compared, Row,
    commands::{CALLERS, register},
    id,
};
use crate::{
    process::Watched,
    run::{Measured, Run},
    servers::Kind,
    stage::Stage,
};

/// The log's table of events, with the columns and indexes that every event costs; a sequence gives the position.
const TABLE: &str = "CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text COLLATE \"C\" NOT NULL,
    version bigint NOT NULL,
    recorded_at_us bigint NOT NULL,
    record bytea NOT NULL,
    UNIQUE (stream, version)
);
CREATE SEQUENCE turns;";

/// The service beside pgbench, which inserts one such row a transaction.
pub async fn p2(run: &Run) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let mut complete = Stage::set(run, Kind::ServePartnerships, payload).await?;
        let bytes = record_bytes(run, &mut complete).await?;
        let pgbench = Pgbench::prepare(run, bytes).await?;
        let rounds =
            run.in_turn(async || register(&mut complete, CALLERS).await, async || pgbench.measure(run).await).await?;
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
                "pgbench: prepared, over TCP, one INSERT a transaction of a row with the same columns and indexes and a record of {bytes} bytes"
            )],
        });
    }
    Ok(rows)
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

/// pgbench, and a table of its own.
struct Pgbench {
    database_url: String,
    script: std::path::PathBuf,
}

impl Pgbench {
    async fn prepare(run: &Run, record_bytes: usize) -> Result<Self> {
        let database_url = run.ground.database("pgbench").await?;
        run.ground.sql(&database_url, TABLE).await?;
        let script = run.ground.folder("pgbench")?.join("insert.sql");
        let record: String = (0..record_bytes).map(|byte| format!("{:02x}", byte % 251)).collect();
        fs::write(
            &script,
            format!(
                "INSERT INTO events (stream, version, recorded_at_us, record) VALUES ('partners/c' || :client_id || '-' || \
                 nextval('turns'), 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, '\\x{record}'::bytea);\n"
            ),
        )?;
        Ok(Self { database_url, script })
    }

    async fn measure(&self, run: &Run) -> Result<Measured> {
        run.ground.settle().await?;
        let postgres = Watched::new(run.ground.postgres_pid());
        let (cpu, began) = (postgres.cpu(), Instant::now());
        let (clients, seconds) = (CALLERS.to_string(), run.time().as_secs().to_string());
        let output = tokio::process::Command::new(run.ground.programs().join("pgbench"))
            .args([
                "--no-vacuum",
                "--protocol=prepared",
                "--jobs=2",
                "--client",
                &clients,
                "--time",
                &seconds,
                "--file",
            ])
            .arg(&self.script)
            .arg(&self.database_url)
            .stdin(Stdio::null())
            .output()
            .await
            .context("cannot run pgbench")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        let tps = tps.with_context(|| format!("pgbench: {}", String::from_utf8_lossy(&output.stderr).trim()))?;
        let used = (postgres.cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
        Ok(Measured { costs: vec![("PostgreSQL", used * 1e6 / tps)], ..Measured::value(tps) })
    }
}
