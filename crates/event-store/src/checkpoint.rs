//! How far a follower has come, in the schema of the read models.

use sqlx::{PgConnection, PgExecutor, Row as _};
use uuid::Uuid;

use crate::Epoch;

/// The last event that had its effect, and by what to know it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Epoch of the log when it was read; nil: nothing was read yet.
    pub epoch: Epoch,
    /// Its position; 0: none.
    pub position: u64,
    /// SHA-256 of its record; `None` at position 0.
    pub sha256: Option<[u8; 32]>,
}

impl Checkpoint {
    /// Before the first event of an epoch.
    pub fn start(epoch: Epoch) -> Self {
        Self { epoch, position: 0, sha256: None }
    }

    /// Reads a follower's checkpoint. A new follower begins at 0.
    pub async fn load(connection: &mut PgConnection, follower: &str, log: &str) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "INSERT INTO checkpoints (follower, log, epoch, position, sha256) VALUES ($1, $2, $3, 0, '')
             ON CONFLICT (follower) DO NOTHING",
        )
        .bind(follower)
        .bind(log)
        .bind(Uuid::nil())
        .execute(&mut *connection)
        .await?;
        let row = sqlx::query("SELECT epoch, position, sha256 FROM checkpoints WHERE follower = $1")
            .bind(follower)
            .fetch_one(connection)
            .await?;
        Ok(Self {
            epoch: Epoch::from(row.try_get::<Uuid, _>("epoch")?),
            position: row.try_get::<i64, _>("position")?.cast_unsigned(),
            sha256: row.try_get::<Vec<u8>, _>("sha256")?.try_into().ok(),
        })
    }

    /// Moves a follower's checkpoint from where it is known to be; `false`: it is elsewhere, because somebody else runs
    /// the same follower. Within a transaction, whoever comes second waits here until the first has committed.
    pub async fn advance(self, to: Self, follower: &str, executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query(
            "UPDATE checkpoints SET epoch = $1, position = $2, sha256 = $3
             WHERE follower = $4 AND epoch = $5 AND position = $6",
        )
        .bind(to.epoch.uuid())
        .bind(to.position.cast_signed())
        .bind(to.sha256.map(Vec::from).unwrap_or_default())
        .bind(follower)
        .bind(self.epoch.uuid())
        .bind(self.position.cast_signed())
        .execute(executor)
        .await?;
        Ok(moved.rows_affected() == 1)
    }
}
