//! Schema `read_models`: which generations there are, and which of them serves.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, migrate::Migrator};

use super::{Comparison, GenerationError, GenerationRecord, GenerationsRecord};
use crate::{
    StoreError, Timestamp,
    read_models::{self, quoted, schema_of, schema_prefix},
    roles::{self, Roles},
};

/// The schema.
const SCHEMA: &str = "read_models";

/// Who makes the first generation, and that of a new shape.
const PROGRAM: &str = "toguna";

/// What is written of the generations of a service, and how more are made. Times are microseconds since 1970.
pub(crate) struct Registry {
    /// Finds the tables of the schema; also where the reactions' checkpoints are.
    pub pool: PgPool,
    pub roles: Roles,
    pub service: &'static str,
    pub shape: u32,
    pub migrator: &'static Migrator,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The roles hold passwords.
        f.debug_struct("Registry").field("service", &self.service).field("shape", &self.shape).finish_non_exhaustive()
    }
}

type Row = (i32, i32, i64, String, Option<i64>, Option<i64>, Option<i64>);
type LiveRow = (i32, Option<i32>, i64, String);

impl Registry {
    pub async fn open(
        owner_url: &str,
        service: &'static str,
        shape: u32,
        migrator: &'static Migrator,
    ) -> Result<Self, StoreError> {
        let roles = roles::prepare(owner_url).await?;
        let pool = read_models::open(&roles, SCHEMA, &sqlx::migrate!("migrations/generations")).await?;
        Ok(Self { pool, roles, service, shape, migrator })
    }

    /// The generation that this program serves: the live one if it can read it, else the newest that it can, which it
    /// makes where there is none. The first of all is live.
    pub async fn first_to_serve(&self) -> Result<u32, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('toguna generations'))").execute(&mut *transaction).await?;
        let known: Option<i32> = sqlx::query_scalar(
            "SELECT version FROM generations LEFT JOIN live USING (version) WHERE shape = $1 AND dropped_at_us IS NULL
             ORDER BY (since_us IS NOT NULL) DESC, version DESC LIMIT 1",
        )
        .bind(self.shape.cast_signed())
        .fetch_optional(&mut *transaction)
        .await?;
        let version = if let Some(version) = known {
            version.cast_unsigned()
        } else {
            // The first has the number of its shape, so that a schema made before there were generations is one.
            let last: i32 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM generations")
                .fetch_one(&mut *transaction)
                .await?;
            let version = self.shape.max(last.cast_unsigned() + 1);
            insert(&mut transaction, version, self.shape, PROGRAM).await?;
            version
        };
        sqlx::query(
            "INSERT INTO live (version, since_us, switched_by) VALUES ($1, $2, $3) ON CONFLICT (singleton) DO NOTHING",
        )
        .bind(version.cast_signed())
        .bind(now())
        .bind(PROGRAM)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(version)
    }

    /// Opens a generation, making what of it is missing.
    pub async fn open_generation(&self, version: u32) -> Result<PgPool, StoreError> {
        read_models::open(&self.roles, &self.schema(version), self.migrator).await
    }

    /// Name of a generation's schema.
    pub fn schema(&self, version: u32) -> String {
        schema_of(self.service, version)
    }

    /// All that is written.
    pub async fn read(&self) -> Result<GenerationsRecord, StoreError> {
        let mut snapshot = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT version, shape, made_at_us, made_by, compared_at_us, compared_rows, differing_rows
             FROM generations WHERE dropped_at_us IS NULL ORDER BY version",
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let (live, previous, since, switched_by): LiveRow =
            sqlx::query_as("SELECT version, previous, since_us, switched_by FROM live")
                .fetch_one(&mut *snapshot)
                .await?;
        let last: i32 = sqlx::query_scalar("SELECT max(version) FROM generations").fetch_one(&mut *snapshot).await?;
        snapshot.commit().await?;
        let generations: Vec<_> = rows.into_iter().map(|row| self.record(row)).collect();
        let is_there = |version: &i32| generations.iter().any(|known| known.version == version.cast_unsigned());
        Ok(GenerationsRecord {
            live: live.cast_unsigned(),
            previous: previous.filter(is_there).map(i32::cast_unsigned),
            since: time(since),
            switched_by,
            next: last.cast_unsigned() + 1,
            generations,
        })
    }

    fn record(&self, row: Row) -> GenerationRecord {
        let (version, shape, made_at, made_by, compared_at, rows, differing) = row;
        let comparison = compared_at.map(|at| Comparison {
            at: time(at),
            rows: rows.unwrap_or_default().cast_unsigned(),
            differing: differing.unwrap_or_default().cast_unsigned(),
        });
        GenerationRecord {
            version: version.cast_unsigned(),
            shape: shape.cast_unsigned(),
            is_readable: shape.cast_unsigned() == self.shape,
            made_at: time(made_at),
            made_by,
            comparison,
        }
    }

    /// Writes down a new generation of this program's shape.
    pub async fn add(&self, version: u32, by: &str) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(insert(&mut connection, version, self.shape, by).await?)
    }

    /// Writes down that a generation is no more. Its schema is removed after that, and before the number of the next
    /// one is given.
    pub async fn mark_dropped(&self, version: u32) -> Result<(), StoreError> {
        sqlx::query("UPDATE generations SET dropped_at_us = $2 WHERE version = $1 AND dropped_at_us IS NULL")
            .bind(version.cast_signed())
            .bind(now())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Removes the schemas of those that were dropped.
    pub async fn remove_dropped(&self) -> Result<(), StoreError> {
        let dropped: Vec<i32> = sqlx::query_scalar(
            "SELECT version FROM generations WHERE dropped_at_us IS NOT NULL
             AND EXISTS (SELECT FROM pg_namespace WHERE nspname = $1 || version::text)",
        )
        .bind(schema_prefix(self.service))
        .fetch_all(&self.pool)
        .await?;
        for version in dropped {
            read_models::remove(&self.roles, &self.schema(version.cast_unsigned())).await?;
        }
        Ok(())
    }

    /// Writes down what a comparison found.
    pub async fn compared(&self, version: u32, comparison: &Comparison) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE generations SET compared_at_us = $2, compared_rows = $3, differing_rows = $4 WHERE version = $1",
        )
        .bind(version.cast_signed())
        .bind(comparison.at.as_microsecond())
        .bind(comparison.rows.cast_signed())
        .bind(comparison.differing.cast_signed())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

async fn insert(connection: &mut PgConnection, version: u32, shape: u32, by: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO generations (version, shape, made_at_us, made_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(version.cast_signed())
    .bind(shape.cast_signed())
    .bind(now())
    .bind(by)
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the live row, if it is still where the caller knows it, and waits for the disk when that is committed.
pub(crate) async fn go_live(
    transaction: &mut PgConnection,
    from: u32,
    to: u32,
    by: &str,
) -> Result<(), GenerationError> {
    sqlx::query("SET LOCAL synchronous_commit = on").execute(&mut *transaction).await?;
    let moved = sqlx::query(
        "UPDATE read_models.live SET version = $2, previous = $1, since_us = $3, switched_by = $4 WHERE version = $1",
    )
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .bind(now())
    .bind(by)
    .execute(transaction)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(GenerationError::Busy) }
}

/// How far a generation's projections are: name, log, epoch, position. Until the transaction ends they stay there:
/// whoever applies events moves these rows first.
pub(crate) async fn held_checkpoints(
    transaction: &mut PgConnection,
    schema: &str,
    projections: &[String],
) -> Result<Vec<(String, String, uuid::Uuid, i64)>, sqlx::Error> {
    // The schema's name cannot be a parameter.
    let sql = format!(
        "SELECT follower, log, epoch, position FROM {}.checkpoints WHERE follower = ANY ($1) ORDER BY follower FOR SHARE",
        quoted(schema)
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(projections).fetch_all(transaction).await
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

fn time(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
