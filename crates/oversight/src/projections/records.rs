//! The records that count, and when each position was recorded.

use std::collections::BTreeMap;

use contracts::toguna::log::v1::EventRecord;
use event_store::{BoxFuture, DecodeError, LivePool, Projection, ProjectionError, Timestamp};
use figures::{Facts, Log, Unreadable};
use futures::TryStreamExt as _;
use prost::Message as _;
use sqlx::PgConnection;

/// Keeps the records of one log that count.
pub struct Records {
    log: Log,
}

impl Records {
    /// Those of a log.
    pub fn of(log: Log) -> Self {
        Self { log }
    }

    async fn keep(&self, tx: &mut PgConnection, batch: &[EventRecord]) -> Result<(), ProjectionError> {
        let mut positions = Vec::new();
        let mut records = Vec::new();
        let mut times = BTreeMap::new();
        for record in batch {
            let counts = figures::counts(self.log, record);
            if counts.map_err(|error| ProjectionError::Impossible(error.to_string()))? {
                positions.push(record.position.cast_signed());
                records.push(record.encode_to_vec());
            }
            times.insert(recorded_at_us(record)?, record.position.cast_signed());
        }
        sqlx::query!(
            "INSERT INTO records (log, position, record)
             SELECT $1, position, record FROM unnest($2::bigint[], $3::bytea[]) AS kept (position, record)",
            self.log.name(),
            &positions,
            &records,
        )
        .execute(&mut *tx)
        .await?;
        let (times, last_positions): (Vec<i64>, Vec<i64>) = times.into_iter().unzip();
        sqlx::query!(
            "INSERT INTO times (log, recorded_at_us, last_position)
             SELECT $1, time, last FROM unnest($2::bigint[], $3::bigint[]) AS recorded (time, last)
             ON CONFLICT (log, recorded_at_us) DO UPDATE SET last_position = EXCLUDED.last_position",
            self.log.name(),
            &times,
            &last_positions,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn forget(&self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        sqlx::query!("DELETE FROM records WHERE log = $1", self.log.name()).execute(&mut *tx).await?;
        sqlx::query!("DELETE FROM times WHERE log = $1", self.log.name()).execute(tx).await?;
        Ok(())
    }
}

fn recorded_at_us(record: &EventRecord) -> Result<i64, ProjectionError> {
    let time = record.recorded_at.as_ref().ok_or(DecodeError::Missing("recorded_at"))?;
    let time = Timestamp::new(time.seconds, time.nanos).map_err(|_| DecodeError::Invalid("recorded_at"))?;
    Ok(time.as_microsecond())
}

impl Projection for Records {
    fn name(&self) -> &'static str {
        match self.log {
            Log::Commitments => "records_of_commitments",
            Log::Disbursements => "records_of_disbursements",
            Log::Partnerships => "records_of_partnerships",
        }
    }

    fn source(&self) -> &str {
        self.log.name()
    }

    fn apply<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        batch: &'a [EventRecord],
    ) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(self.keep(tx, batch))
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(self.forget(tx))
    }
}

/// Reads what was kept.
#[derive(Clone)]
pub struct Tables {
    live: LivePool,
}

/// Why what was kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// What is kept is no record.
    #[error("what is kept is no record")]
    NoRecord(#[from] prost::DecodeError),
    /// A record that was kept as understood is not.
    #[error("a record that was kept cannot be folded")]
    Unreadable(#[from] Unreadable),
}

impl Tables {
    /// Those of whichever generation is live.
    pub fn new(live: LivePool) -> Self {
        Self { live }
    }

    /// The generation that is live.
    pub fn generation(&self) -> u32 {
        self.live.version()
    }

    /// Adds to the facts what they lack, all logs at one moment. Where a log is in another epoch, or shorter than was
    /// read, its facts are forgotten and read anew. An interrupted call leaves facts that another one continues.
    pub async fn bring_up(&self, facts: &mut Facts) -> Result<(), TablesError> {
        let mut snapshot = self.live.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let checkpoints = sqlx::query!("SELECT log, epoch, position FROM checkpoints ORDER BY log");
        for checkpoint in checkpoints.fetch_all(&mut *snapshot).await? {
            let Ok(log) = checkpoint.log.parse::<Log>() else { continue };
            let (epoch, position) = (checkpoint.epoch, checkpoint.position.cast_unsigned());
            if facts.epoch(log) != epoch.as_bytes() || facts.position(log) > position {
                facts.forget(log);
            }
            if !epoch.is_nil() {
                bring_up_log(&mut snapshot, facts, log, epoch.as_bytes()).await?;
            }
        }
        snapshot.commit().await?;
        Ok(())
    }
}

async fn bring_up_log(
    snapshot: &mut PgConnection,
    facts: &mut Facts,
    log: Log,
    epoch: &[u8],
) -> Result<(), TablesError> {
    let after = facts.position(log).cast_signed();
    let times = sqlx::query!(
        "SELECT recorded_at_us, last_position FROM times WHERE log = $1 AND last_position > $2 ORDER BY last_position",
        log.name(),
        after,
    );
    let mut times = times.fetch_all(&mut *snapshot).await?.into_iter().map(|row| {
        let time = Timestamp::from_microsecond(row.recorded_at_us).unwrap_or(Timestamp::MAX);
        (row.last_position.cast_unsigned(), time)
    });
    let mut time = times.next();
    let mut records = sqlx::query_scalar!(
        "SELECT record FROM records WHERE log = $1 AND position > $2 ORDER BY position",
        log.name(),
        after,
    )
    .fetch(snapshot);
    while let Some(record) = records.try_next().await? {
        let record = EventRecord::decode(record.as_slice())?;
        while let Some((position, recorded_at)) = time.filter(|(last, _)| *last < record.position) {
            facts.reached(log, epoch, position, recorded_at)?;
            time = times.next();
        }
        facts.push(log, &record)?;
    }
    for (position, recorded_at) in time.into_iter().chain(times) {
        facts.reached(log, epoch, position, recorded_at)?;
    }
    let position = facts.position(log);
    Ok(facts.reached(log, epoch, position, Timestamp::UNIX_EPOCH)?)
}
