//! Finds the event that made a row differ, by folding the log once more into a scratch schema.
//!
//! The fold goes page by page and looks at the differing rows after each. Where one has changed, the page is taken back
//! and halved until the event is known that changed it. So it costs one rebuild, and about two pages more for each event
//! that touches one of the rows.

use std::sync::Arc;

use contracts::toguna::log::v1::EventRecord;
use sqlx::{Acquire as _, PgConnection, PgPool};
use tokio::sync::mpsc;

use super::{
    Comparing, FirstEvent, GenerationError,
    compare::{Found, say},
    registry::Registry,
    rows::Table,
};
use crate::{Projection, ProjectionError, StoreError, feed::FeedError, follower::Feeds, read_models};

/// Why the log could not be folded again.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    #[error(transparent)]
    Feed(#[from] Arc<FeedError>),
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    #[error(transparent)]
    Generation(#[from] GenerationError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log ends before position {0}")]
    LogTooShort(u64),
}

impl From<sqlx::Error> for FoldError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Finds the first event of each row that was found.
pub(super) async fn find(
    registry: &Registry,
    projections: &[Arc<dyn Projection>],
    feeds: &Feeds,
    tables: &[Table],
    found: &mut [Found],
    said: &mpsc::Sender<Comparing>,
) -> Result<(), FoldError> {
    let schema = format!("{}_scratch", registry.service);
    // What an interrupted one left.
    read_models::remove(&registry.roles, &schema).await?;
    let pool = read_models::open(&registry.roles, &schema, registry.migrator).await?;
    let mut fold = Fold { schema: &schema, tables, seen: vec![None; found.len()], found };
    let mut done = Ok(());
    for projection in projections {
        done = fold.follow(&pool, &**projection, feeds, said).await;
        if done.is_err() {
            break;
        }
    }
    pool.close().await;
    read_models::remove(&registry.roles, &schema).await?;
    done
}

/// Rows that are watched while the log is folded.
struct Fold<'a> {
    schema: &'a str,
    tables: &'a [Table],
    /// As the fold has left each row.
    seen: Vec<Option<String>>,
    found: &'a mut [Found],
}

impl Fold<'_> {
    /// Folds a projection's log up to where the rows were found.
    async fn follow(
        &mut self,
        pool: &PgPool,
        projection: &dyn Projection,
        feeds: &Feeds,
        said: &mpsc::Sender<Comparing>,
    ) -> Result<(), FoldError> {
        let log = projection.source();
        let of = self.found.iter().filter_map(|found| found.positions.get(log)).max().copied().unwrap_or(0);
        let reader = feeds[log].reader();
        let mut position = 0;
        while position < of {
            let page = reader.from(position).await?;
            let new = |record: &&EventRecord| record.position > position && record.position <= of;
            let records: Vec<EventRecord> = page.records.iter().filter(new).cloned().collect();
            position = records.last().ok_or(FoldError::LogTooShort(of))?.position;
            self.page(pool, projection, &records).await?;
            say(said, Comparing::Events { log: log.to_owned(), position, of }).await?;
        }
        Ok(())
    }

    async fn page(
        &mut self,
        pool: &PgPool,
        projection: &dyn Projection,
        records: &[EventRecord],
    ) -> Result<(), FoldError> {
        let mut transaction = pool.begin().await?;
        let mut waiting = vec![records];
        while let Some(events) = waiting.pop() {
            let mut step = transaction.begin().await?;
            projection.apply(&mut step, events).await?;
            let rows = self.rows(&mut step).await?;
            match events {
                [event] => self.touched(projection.source(), event, rows),
                [..] if rows != self.seen => {
                    step.rollback().await?;
                    let (first, second) = events.split_at(events.len() / 2);
                    waiting.extend([second, first]);
                    continue;
                }
                [..] => {}
            }
            step.commit().await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The watched rows as they are now.
    async fn rows(&self, connection: &mut PgConnection) -> Result<Vec<Option<String>>, sqlx::Error> {
        let mut rows = vec![None; self.found.len()];
        for (index, table) in self.tables.iter().enumerate() {
            let watched: Vec<usize> = (0..rows.len()).filter(|place| self.found[*place].table == index).collect();
            if watched.is_empty() {
                continue;
            }
            let keys: Vec<&str> = watched.iter().map(|place| self.found[*place].row.key.as_str()).collect();
            for (place, row) in watched.iter().zip(table.rows(connection, self.schema, &keys).await?) {
                rows[*place] = row;
            }
        }
        Ok(rows)
    }

    /// An event has left the rows so. Where one becomes what the live generation holds, whatever came before it did not
    /// make it differ.
    fn touched(&mut self, log: &str, event: &EventRecord, rows: Vec<Option<String>>) {
        for (found, (before, now)) in self.found.iter_mut().zip(self.seen.iter().zip(&rows)) {
            let in_time = found.positions.get(log).is_some_and(|position| event.position <= *position);
            if before == now || !in_time {
                continue;
            }
            if *now == found.row.live {
                found.first_event = None;
            } else if found.first_event.is_none() {
                found.first_event = Some(FirstEvent {
                    log: log.to_owned(),
                    position: event.position,
                    stream: event.stream.clone(),
                    type_name: event.r#type.clone(),
                });
            }
        }
        self.seen = rows;
    }
}
