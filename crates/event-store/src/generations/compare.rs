//! Compares two generations row by row.
//!
//! The keys of each table are taken range by range. For as long as one range takes, the projections of both generations
//! are held at one position of each log, which is checked under locks, so that live traffic makes no difference; then
//! they go on. So nothing waits long, no snapshot is kept, and memory holds one range's differences. What comes into a
//! range that was compared is not looked at again, like what comes after the end.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tracing::warn;

use super::{
    GenerationError, first_event,
    registry::Registry,
    rows::{self, Key, Table},
};
use crate::{
    Projection, Timestamp,
    follower::{Feeds, keeper::Keeper},
};

/// Rows of a range.
const RANGE: u32 = 10_000;
/// Differing rows that are shown, and whose first events are looked for; all are counted.
const SHOWN: usize = 50;
/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 200;
/// How often two generations are brought to one position before that is given up.
const TRIES: usize = 20;

const OTHER_COLUMNS: (&str, &str) = (
    "its columns are not the same in both generations",
    "ses colonnes ne sont pas les mêmes dans les deux générations",
);

/// What a comparison says while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparing {
    /// So many rows were compared, of about so many.
    Rows {
        /// The table.
        table: String,
        /// Compared, in all tables.
        compared: u64,
        /// Rows of all tables when it began.
        of: u64,
    },
    /// Differences were found, and the log is folded again to see which events made them.
    Events {
        /// Name of the log.
        log: String,
        /// Folded up to this position.
        position: u64,
        /// To be folded up to this position.
        of: u64,
    },
    /// A row differs.
    Difference(Difference),
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// When it ended.
    pub at: Timestamp,
    /// Rows of the live generation that were compared.
    pub rows: u64,
    /// Rows that differ, or are in one generation only.
    pub differing: u64,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its table.
    pub table: String,
    /// The columns of its primary key, with their values.
    pub key: Vec<(String, String)>,
    /// Whether the live generation has the row.
    pub in_live: bool,
    /// Whether the other one has it.
    pub in_beside: bool,
    /// The columns that differ where both have the row: name, value in the live generation, value in the other one; long
    /// values are cut.
    pub columns: Vec<(String, String, String)>,
    /// The first event that made it differ: the one after which the fold of the log never was again what the live
    /// generation holds. `None`: no event touches such a row.
    pub first_event: Option<FirstEvent>,
}

/// Which event it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstEvent {
    /// Name of the log.
    pub log: String,
    /// Position in it.
    pub position: u64,
    /// The stream that it belongs to.
    pub stream: String,
    /// Full proto name of its type.
    pub type_name: String,
}

/// Two generations.
pub(crate) struct Pair<'a> {
    pub keeper: &'a Keeper,
    pub registry: &'a Registry,
    pub live: u32,
    pub beside: u32,
}

/// A differing row that will be shown.
pub(super) struct Found {
    pub table: usize,
    pub row: rows::Pair,
    /// Where each log was when it was found.
    pub positions: BTreeMap<String, u64>,
    pub first_event: Option<FirstEvent>,
}

/// A table's next range, and what it held.
struct Range {
    end: Option<Key>,
    rows: u64,
    differing: u64,
    shown: Vec<rows::Pair>,
    positions: BTreeMap<String, u64>,
}

/// Compares all tables, then finds the events behind the differences.
pub(crate) async fn run(
    pair: &Pair<'_>,
    projections: &[Arc<dyn Projection>],
    feeds: &Feeds,
    said: &mpsc::Sender<Comparing>,
) -> Result<Comparison, GenerationError> {
    let tables = pair.tables().await?;
    let mut connection = pair.registry.pool.acquire().await?;
    let mut of = 0;
    for table in &tables {
        of += table.count(&mut connection, &pair.registry.schema(pair.live)).await?;
    }
    drop(connection);
    let mut comparison = Comparison { at: Timestamp::now(), rows: 0, differing: 0 };
    let mut found: Vec<Found> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let mut after = None;
        loop {
            let range = pair.range(table, after.as_ref(), SHOWN - found.len()).await?;
            comparison.rows += range.rows;
            comparison.differing += range.differing;
            let positions = range.positions;
            found.extend(range.shown.into_iter().map(|row| Found {
                table: index,
                row,
                positions: positions.clone(),
                first_event: None,
            }));
            let compared = comparison.rows;
            say(said, Comparing::Rows { table: table.name.clone(), compared, of: of.max(compared) }).await?;
            after = range.end;
            if after.is_none() {
                break;
            }
        }
    }
    if !found.is_empty()
        && let Err(error) = first_event::find(pair.registry, projections, feeds, &tables, &mut found, said).await
    {
        warn!(error = &error as &dyn std::error::Error, "the first events behind differences cannot be found");
    }
    for row in found {
        say(said, Comparing::Difference(difference(&tables[row.table], row))).await?;
    }
    Ok(Comparison { at: Timestamp::now(), ..comparison })
}

/// Says something to whoever asked; where nobody listens any more, the comparison ends.
pub(super) async fn say(said: &mpsc::Sender<Comparing>, what: Comparing) -> Result<(), GenerationError> {
    said.send(what).await.map_err(|_| GenerationError::Busy)
}

impl Pair<'_> {
    /// The tables, which both must have alike.
    async fn tables(&self) -> Result<Vec<Table>, GenerationError> {
        let mut connection = self.registry.pool.acquire().await?;
        let live = rows::tables(&mut connection, &self.registry.schema(self.live)).await?;
        let beside = rows::tables(&mut connection, &self.registry.schema(self.beside)).await?;
        match live.iter().find(|table| !beside.contains(table)) {
            None => Ok(live),
            Some(table) => {
                Err(GenerationError::NotComparable { table: table.name.clone(), problem: OTHER_COLUMNS.into() })
            }
        }
    }

    /// Compares the next range of a table's keys, while both generations are at one position of each log.
    async fn range(&self, table: &Table, after: Option<&Key>, at_most: usize) -> Result<Range, GenerationError> {
        let both = [self.live, self.beside];
        let schemas = both.map(|version| self.registry.schema(version));
        let schemas = [schemas[0].as_str(), schemas[1].as_str()];
        for _ in 0..TRIES {
            let _held = self.keeper.hold(&both, &both).await?;
            let mut transaction = self.registry.pool.begin().await?;
            let live = self.keeper.held_checkpoints(&mut transaction, self.registry, self.live).await?;
            let beside = self.keeper.held_checkpoints(&mut transaction, self.registry, self.beside).await?;
            let positions: BTreeMap<String, u64> =
                live.iter().map(|(_, log, _, position)| (log.clone(), position.cast_unsigned())).collect();
            let together =
                live == beside && live.iter().all(|(_, log, _, position)| positions[log] == position.cast_unsigned());
            if !together {
                continue;
            }
            let end = table.end_of_range(&mut transaction, schemas, after, RANGE).await?;
            let (differing, rows, shown) =
                table.differing(&mut transaction, schemas, (after, end.as_ref()), at_most).await?;
            transaction.commit().await?;
            return Ok(Range { end, rows, differing, shown, positions });
        }
        Err(GenerationError::Busy)
    }
}

fn difference(table: &Table, found: Found) -> Difference {
    let object = |text: &Option<String>| -> Option<Map<String, Value>> {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok())
    };
    let (live, beside) = (object(&found.row.live), object(&found.row.beside));
    let columns = match (&live, &beside) {
        (Some(live), Some(beside)) => (live.iter())
            .filter(|(name, value)| beside.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), shown(value), beside.get(name).map(shown).unwrap_or_default()))
            .collect(),
        _ => Vec::new(),
    };
    let key = object(&Some(found.row.key)).unwrap_or_default();
    Difference {
        table: table.name.clone(),
        key: key.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
        in_live: live.is_some(),
        in_beside: beside.is_some(),
        columns,
        first_event: found.first_event,
    }
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    text.chars().take(SHOWN_CHARS).chain(['…']).collect()
}
