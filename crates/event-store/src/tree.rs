//! The Merkle tree of a log in its head row: root and compact range of exactly the records below the position, moved by
//! the one statement that appends (L8). Leaf `position - 1` is the stored bytes of the record there.

use sqlx::PgConnection;
use tokio::time::{Duration, Instant};
use tracing::info;
use transparency::{CompactRange, Hash, RangeError};

use crate::{DecodeError, Epoch, Log, StoreError, Timestamp, appender::in_time};

/// How many records are read at once.
const PAGE: i64 = 1_000;
/// How often the log says how far the computation of a tree is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The head of a log with the tree of its records, as one row of the database holds it. The range folds to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// The history that the log is in.
    pub epoch: Epoch,
    /// How many records the tree has: the position of the last.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// What it grows on from.
    pub range: CompactRange,
}

/// Why a head row cannot be that of the records below it. Nothing is written after such a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// There is no root, or it is none.
    #[error("the root in the head row is no hash")]
    Root,
    /// The hashes are not as many as the position needs.
    #[error("the compact range in the head row does not fit its position: {0}")]
    Range(#[from] RangeError),
    /// The hashes are those of another tree than the root.
    #[error("the head row at position {position} has the root {root}, and a compact range of the root {folded}")]
    Apart {
        /// Position of the head.
        position: u64,
        /// The root in the row.
        root: Hash,
        /// That of the range in the row.
        folded: Hash,
    },
    /// The tree is another than this process committed or read at that position of that epoch.
    #[error("the head row at position {position} has the root {root}, and had {known}")]
    Changed {
        /// Position of the head.
        position: u64,
        /// The root in the row.
        root: Hash,
        /// What this process knows it by.
        known: Hash,
    },
}

impl Log {
    /// The head with its tree, from the database; `None`: the tree is not computed yet, which is done when the log is
    /// opened. A row that cannot be right is [`StoreError::Head`].
    pub async fn tree_head(&self) -> Result<Option<TreeHead>, StoreError> {
        let mut reader = self.reader().acquire().await?;
        Ok(HeadRow::read(&mut reader).await?.tree()?)
    }

    /// Why nothing is appended, where the head row is not what it must be; `None`: it is. It is looked at when the
    /// appender begins, and whenever it finds another row than it wrote.
    pub fn watch_head_fault(&self) -> tokio::sync::watch::Receiver<Option<HeadFault>> {
        self.shared.place.fault.subscribe()
    }
}

/// The head row.
pub(crate) struct HeadRow {
    epoch: Epoch,
    position: u64,
    recorded_at_us: i64,
    root: Option<Vec<u8>>,
    compact_range: Option<Vec<u8>>,
}

impl HeadRow {
    pub async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let row = sqlx::query!("SELECT epoch, position, recorded_at_us, root, compact_range FROM head")
            .fetch_one(connection)
            .await?;
        Ok(Self {
            epoch: row.epoch.into(),
            position: row.position.cast_unsigned(),
            recorded_at_us: row.recorded_at_us,
            root: row.root,
            compact_range: row.compact_range,
        })
    }

    /// Whether it is still this one.
    pub fn is(&self, epoch: Epoch, position: u64, root: &Hash) -> bool {
        (self.epoch, self.position) == (epoch, position) && self.root.as_deref() == Some(root.as_bytes())
    }

    /// The tree that the row holds; `None`: none yet.
    fn tree(&self) -> Result<Option<TreeHead>, HeadFault> {
        if self.root.is_none() && self.compact_range.is_none() {
            return Ok(None);
        }
        let root = self.root.as_deref().and_then(|root| Hash::try_from(root).ok()).ok_or(HeadFault::Root)?;
        let range = CompactRange::from_bytes(self.position, self.compact_range.as_deref().unwrap_or_default())?;
        let folded = range.root();
        if folded != root {
            return Err(HeadFault::Apart { position: self.position, root, folded });
        }
        Ok(Some(TreeHead { epoch: self.epoch, size: self.position, root, range }))
    }
}

/// The head from which to append, with its tree, which is computed where the row has none, and the time of the last
/// record.
pub(crate) async fn head(connection: &mut PgConnection, log: &str) -> Result<(TreeHead, Timestamp), StoreError> {
    loop {
        let row = in_time(HeadRow::read(&mut *connection)).await?;
        if let Some(head) = row.tree()? {
            return Ok((head, Timestamp::from_microsecond(row.recorded_at_us).unwrap_or(Timestamp::UNIX_EPOCH)));
        }
        compute(&mut *connection, log).await?;
    }
}

/// Computes the tree of a log that has none, from the records by position. Whoever appends meanwhile is waited for: the
/// row takes the tree of the position that it is at.
pub(crate) async fn compute(connection: &mut PgConnection, log: &str) -> Result<(), StoreError> {
    let (mut tree, mut told) = (Tree::default(), None);
    loop {
        let head = in_time(HeadRow::read(&mut *connection)).await?;
        if head.root.is_some() || head.compact_range.is_some() {
            return Ok(());
        }
        // Of a log that was restored meanwhile nothing is known.
        if tree.epoch != Some(head.epoch) || tree.range.end() > head.position {
            tree = Tree { epoch: Some(head.epoch), range: CompactRange::new() };
        }
        while tree.range.end() < head.position {
            let told = told.get_or_insert_with(|| {
                info!(log, records = head.position, "computing the tree of the log");
                Instant::now()
            });
            read_page(&mut *connection, &mut tree.range, head.position).await?;
            if told.elapsed() >= TELL_EVERY {
                *told = Instant::now();
                info!(log, done = tree.range.end(), records = head.position, "computing the tree of the log");
            }
        }
        let root = tree.range.root();
        let kept = sqlx::query!(
            "UPDATE head SET root = $1, compact_range = $2
             WHERE epoch = $3 AND position = $4 AND root IS NULL AND compact_range IS NULL",
            root.as_bytes(),
            tree.range.to_bytes(),
            head.epoch.uuid(),
            head.position.cast_signed(),
        );
        if in_time(kept.execute(&mut *connection)).await?.rows_affected() == 1 {
            info!(log, records = head.position, %root, "computed the tree of the log");
            return Ok(());
        }
    }
}

/// A tree that is being computed.
#[derive(Default)]
struct Tree {
    epoch: Option<Epoch>,
    range: CompactRange,
}

/// Adds the next records, not beyond the last.
async fn read_page(connection: &mut PgConnection, range: &mut CompactRange, last: u64) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        "SELECT position, record FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3",
        range.end().cast_signed(),
        last.cast_signed(),
        PAGE,
    )
    .fetch_all(connection);
    let rows = in_time(rows).await?;
    let missing = |position| StoreError::Record { position, source: DecodeError::Missing("the event") };
    if rows.is_empty() {
        return Err(missing(range.end() + 1));
    }
    for row in rows {
        if row.position.cast_unsigned() != range.end() + 1 {
            return Err(missing(range.end() + 1));
        }
        range.push_entry(&row.record);
    }
    Ok(())
}
