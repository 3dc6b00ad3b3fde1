//! The histories that a log has had.

use sqlx::Row as _;
use uuid::Uuid;

use crate::{Epoch, Log, StoreError, Timestamp};

/// One history of a log: from the start, or from a restore to an earlier state, until the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEpoch {
    /// Its identity.
    pub epoch: Epoch,
    /// Position after which it began.
    pub began_after: u64,
    /// When it began.
    pub began_at: Timestamp,
}

impl Log {
    /// The histories of this log, in the order in which they began; the last one is the present.
    pub async fn epochs(&self) -> Result<Vec<LogEpoch>, StoreError> {
        let rows = sqlx::query(
            "SELECT epoch, began_after, (extract(epoch FROM began_at) * 1000000)::bigint AS began_at_us
             FROM epochs ORDER BY began_at, began_after",
        )
        .fetch_all(self.reader())
        .await?;
        let epoch = |row: &sqlx::postgres::PgRow| {
            Ok(LogEpoch {
                epoch: row.try_get::<Uuid, _>("epoch")?.into(),
                began_after: row.try_get::<i64, _>("began_after")?.cast_unsigned(),
                began_at: Timestamp::from_microsecond(row.try_get("began_at_us")?).unwrap_or(Timestamp::UNIX_EPOCH),
            })
        };
        Ok(rows.iter().map(epoch).collect::<Result<_, sqlx::Error>>()?)
    }
}
