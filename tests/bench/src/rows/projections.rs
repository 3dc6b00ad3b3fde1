//! A projection of one row an event, exactly once (P10): built anew from a long log, and behind a log that grows.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use contracts::toguna::log::v1::EventRecord;
use event_store::{BoxFuture, Followers, Following, Log, Projection, ProjectionError, open_read_models};
use sqlx::{PgConnection, migrate::Migrator};
use tokio_util::sync::CancellationToken;

use super::{Compared, Row, commands::CALLERS, id, replay::counted};
use crate::{
    load,
    measure::{Outcome, closed_loop},
    process::Watched,
    run::{Measured, Meter, Run},
    servers::append_notes,
    stage::Site,
};

static MIGRATOR: Migrator = sqlx::migrate!();

/// Name of the read models, and the first part of their schemas' names.
const READ_MODELS: &str = "bench";
/// Events of one append while the log grows: it must not be what is waited for.
const TEN: usize = 10;
/// How long a projection may be behind.
const LONGEST: Duration = Duration::from_mins(10);

/// Writes one row an event.
struct EventRows {
    log: String,
}

impl Projection for EventRows {
    fn name(&self) -> &'static str {
        "event_rows"
    }

    fn source(&self) -> &str {
        &self.log
    }

    fn apply<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        batch: &'a [EventRecord],
    ) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            let mut rows = tx.copy_in_raw("COPY event_rows FROM STDIN (FORMAT binary)").await?;
            rows.send(as_copied(batch)).await?;
            rows.finish().await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM event_rows").execute(tx).await?;
            Ok(())
        })
    }
}

/// The rows of these events as COPY takes them in binary: a number of columns before each row, a length before each
/// column, all of them big-endian.
fn as_copied(batch: &[EventRecord]) -> Vec<u8> {
    fn column(rows: &mut Vec<u8>, value: &[u8]) {
        rows.extend(i32::try_from(value.len()).unwrap_or(i32::MAX).to_be_bytes());
        rows.extend(value);
    }
    let mut rows = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for record in batch {
        rows.extend(6_i16.to_be_bytes());
        column(&mut rows, &record.position.to_be_bytes());
        column(&mut rows, record.stream.as_bytes());
        column(&mut rows, &record.version.to_be_bytes());
        column(&mut rows, record.r#type.as_bytes());
        column(&mut rows, record.on_behalf_of.as_bytes());
        column(&mut rows, &i32::try_from(record.payload.len()).unwrap_or(i32::MAX).to_be_bytes());
    }
    rows.extend((-1_i16).to_be_bytes());
    rows
}

/// A log in this process, and the projection that follows it into a schema of its own.
struct Followed {
    log: Log,
    following: Following,
    stopping: CancellationToken,
}

impl Followed {
    async fn start(site: &Site, log: &str, version: u32) -> Result<Self> {
        let stopping = CancellationToken::new();
        let log = Log::open(log, &site.database_url, stopping.clone()).await?;
        let pool = open_read_models(&site.database_url, READ_MODELS, version, &MIGRATOR).await?;
        let rows = EventRows { log: log.name().to_owned() };
        let following = Followers::new(pool).own_log(&log).projection(rows).start(&stopping);
        Ok(Self { log, following, stopping })
    }

    /// Waits until every event of the log has its row.
    async fn follows(&self) -> Result<()> {
        let (began, head) = (Instant::now(), self.log.head());
        let freshness = self.following.freshness();
        while freshness.reached(self.log.name()).is_none_or(|reached| reached.position < head) {
            ensure!(began.elapsed() < LONGEST, "the projection did not come to position {head}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    fn stop(self) {
        self.stopping.cancel();
    }
}

/// Built anew, and live.
pub async fn p10(run: &Run) -> Result<Vec<Row>> {
    let events = run.events(1_000_000, 200_000);
    let payload = 256;
    let site = Site::filled(&run.ground, events, payload).await?;
    // The first one warms up, and says what the rows are.
    let versions = std::sync::atomic::AtomicU32::new(1);
    let next = || versions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    rebuild(run, &site, next(), events).await?;
    let file = rows_as_file(run, &site).await?;
    let row = |name: &str, what: String, reach, aim, rounds, note: &str| Row {
        id: id(name, payload),
        what,
        beside_what: "psql COPY FROM, same rows".to_owned(),
        payload,
        compared: Compared::Rate { unit: "events/s", reach, aim },
        rounds,
        notes: vec![note.to_owned()],
    };
    let rebuilt = run
        .in_turn(async || rebuild(run, &site, next(), events).await, async || copy_in(run, &site, &file, events).await)
        .await?;
    let growing = Site::new(&run.ground).await?;
    let live =
        run.in_turn(async || live(run, &growing).await, async || copy_in(run, &site, &file, events).await).await?;
    growing.clear(&run.ground).await?;
    site.clear(&run.ground).await?;
    let what = format!("a projection of one row an event, built anew from {events} events");
    Ok(vec![
        row(
            "P10 rebuild",
            what,
            0.5,
            0.8,
            rebuilt,
            "from the start of the process's log to the last row, in this process",
        ),
        row(
            "P10 live",
            "the same behind a log to which 64 callers append ten events each at once, in this process".to_owned(),
            0.2,
            0.35,
            live,
            "events over the time from the first append until the last has its row: the writing is in it",
        ),
    ])
}

/// A new schema is filled from the whole log.
async fn rebuild(run: &Run, site: &Site, version: u32, events: u64) -> Result<Measured> {
    run.ground.settle().await?;
    let (meter, began) = (meter(run), Instant::now());
    let followed = Followed::start(site, partnerships::SERVICE, version).await?;
    followed.follows().await?;
    let measured = counted(meter, began, events);
    followed.stop();
    let count = format!("SELECT count(*) FROM {READ_MODELS}_v{version}.event_rows");
    let rows = run.ground.sql(&site.database_url, &count).await?;
    ensure!(rows == events.to_string(), "{rows} rows of {events} events");
    if version > 1 {
        run.ground.sql(&site.database_url, &format!("DROP SCHEMA {READ_MODELS}_v{version} CASCADE")).await?;
    }
    Ok(measured)
}

/// The log grows, and the projection follows.
async fn live(run: &Run, site: &Site) -> Result<Measured> {
    run.ground.settle().await?;
    let followed = Followed::start(site, "notes", 1).await?;
    followed.follows().await?;
    let (before, began, meter) = (followed.log.head(), Instant::now(), meter(run));
    let (log, round, note) = (&followed.log, uuid::Uuid::new_v4().simple().to_string(), load::note(256));
    let append = async |caller: usize, turn: u64| {
        let stream = format!("dialogues/{}-{caller}-{turn}", &round[..12]);
        let appended = append_notes(log, uuid::Uuid::now_v7(), &stream, vec![note.clone(); TEN]).await;
        if appended.is_ok() { Outcome::Done } else { Outcome::Failed }
    };
    let appended = closed_loop(CALLERS, run.time(), append).await;
    followed.follows().await?;
    let mut measured = counted(meter, began, followed.log.head() - before);
    if let Some(sample) = &mut measured.sample {
        sample.failed = appended.failed;
    }
    followed.stop();
    Ok(measured)
}

/// The rows of the first schema, as psql takes them.
async fn rows_as_file(run: &Run, site: &Site) -> Result<PathBuf> {
    let file = run.ground.folder("rows")?.join("rows");
    let statement = format!("COPY {READ_MODELS}_v1.event_rows TO STDOUT (FORMAT binary)");
    psql(run, site, &statement, Stdio::null(), File::create(&file)?.into()).await?;
    run.ground.sql(&site.database_url, "CREATE SCHEMA beside").await?;
    let like = format!("CREATE TABLE beside.event_rows (LIKE {READ_MODELS}_v1.event_rows INCLUDING ALL)");
    run.ground.sql(&site.database_url, &like).await?;
    Ok(file)
}

/// psql brings the same rows into a table of the same kind.
async fn copy_in(run: &Run, site: &Site, file: &Path, events: u64) -> Result<Measured> {
    run.ground.sql(&site.database_url, "TRUNCATE beside.event_rows").await?;
    run.ground.settle().await?;
    let (meter, began) = (meter(run), Instant::now());
    let statement = "COPY beside.event_rows FROM STDIN (FORMAT binary)";
    psql(run, site, statement, File::open(file)?.into(), Stdio::null()).await?;
    Ok(counted(meter, began, events))
}

async fn psql(run: &Run, site: &Site, statement: &str, stdin: Stdio, stdout: Stdio) -> Result<()> {
    let status = tokio::process::Command::new(run.ground.programs().join("psql"))
        .args(["--no-psqlrc", "--quiet", "--command", statement])
        .arg(&site.database_url)
        .stdin(stdin)
        .stdout(stdout)
        .status()
        .await
        .context("cannot run psql")?;
    ensure!(status.success(), "psql: {status}");
    Ok(())
}

fn meter(run: &Run) -> Meter {
    Meter::begin(vec![("PostgreSQL", Watched::new(run.ground.postgres_pid()))])
}
