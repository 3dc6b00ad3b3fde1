//! The raw tables of a log and of the read models beside it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{history::Place, record::Record};

/// A log as its tables hold it.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// What the head row says.
    pub head: Option<Place>,
    /// The tree in the head row; `None`: nobody looked at it.
    pub tree: Option<Tree>,
    /// Every epoch, with the position after which it began, in that order; the first began at 0.
    pub epochs: Vec<(String, u64)>,
    /// The events in order of position.
    pub events: Vec<Event>,
    /// The index of request ids; `None`: there is none.
    pub requests: Option<Vec<Request>>,
}

/// The Merkle tree as a head row has it; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Its root.
    pub root: Vec<u8>,
    /// The hashes from which it grows on.
    pub range: Vec<u8>,
}

/// A row of the events.
#[derive(Debug, Clone)]
pub struct Event {
    /// As the table says.
    pub position: u64,
    /// As the table says.
    pub stream: String,
    /// As the table says.
    pub version: u64,
    /// The stored bytes.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub record: Record,
}

/// A row of the index of request ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Who sent it.
    pub organisation: String,
    /// Its id, in hexadecimal.
    pub request_id: String,
    /// Position of its first event.
    pub first: u64,
    /// How many it has.
    pub events: u64,
}

/// How far a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its schema and name.
    pub follower: String,
    /// The log that it follows.
    pub log: String,
    /// Where it is there.
    pub place: Place,
}

impl Log {
    /// Reads all of it, as of one moment.
    pub async fn read(url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await.context("the database of the log")?;
        let mut moment = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let log = Self {
            head: Some(head(&mut moment).await?),
            tree: Some(tree(&mut moment).await?),
            epochs: sqlx::query("SELECT epoch, began_after FROM log.epochs ORDER BY began_after, began_at")
                .map(|row: PgRow| (simple(row.get(0)), row.get::<i64, _>(1).cast_unsigned()))
                .fetch_all(&mut *moment)
                .await?,
            events: events(&mut moment, 0).await?,
            requests: requests(&mut moment).await?,
        };
        moment.commit().await?;
        Ok(log)
    }
}

/// The head row, with its tree, and the events after a position, as of one moment.
pub async fn news(connection: &mut PgConnection, after: u64) -> Result<(Place, Tree, Vec<(u64, Vec<u8>)>)> {
    let mut moment = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let (head, tree) = (head(&mut moment).await?, tree(&mut moment).await?);
    let events = sqlx::query("SELECT position, record FROM log.events WHERE position > $1 ORDER BY position")
        .bind(after.cast_signed())
        .map(|row: PgRow| (row.get::<i64, _>(0).cast_unsigned(), row.get(1)))
        .fetch_all(&mut *moment)
        .await?;
    moment.commit().await?;
    Ok((head, tree, events))
}

async fn tree(connection: &mut PgConnection) -> Result<Tree> {
    let row = sqlx::query("SELECT root, compact_range FROM log.head").fetch_one(connection).await?;
    let bytes = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Vec<u8>>, _>(column)?.unwrap_or_default());
    Ok(Tree { root: bytes(0)?, range: bytes(1)? })
}

/// What the head row says.
pub async fn head(connection: &mut PgConnection) -> Result<Place> {
    let row = sqlx::query("SELECT epoch, position FROM log.head").fetch_one(connection).await?;
    Ok(Place { epoch: simple(row.try_get(0)?), position: row.try_get::<i64, _>(1)?.cast_unsigned() })
}

async fn events(connection: &mut PgConnection, after: u64) -> Result<Vec<Event>> {
    let rows =
        sqlx::query("SELECT position, stream, version, record FROM log.events WHERE position > $1 ORDER BY position")
            .bind(after.cast_signed())
            .fetch_all(connection)
            .await?;
    let event = |row: PgRow| {
        let position = row.try_get::<i64, _>(0)?.cast_unsigned();
        let bytes: Vec<u8> = row.try_get(3)?;
        let record = Record::read(&bytes).with_context(|| format!("the record at {position}"))?;
        Ok(Event {
            position,
            stream: row.try_get(1)?,
            version: row.try_get::<i64, _>(2)?.cast_unsigned(),
            bytes,
            record,
        })
    };
    rows.into_iter().map(event).collect()
}

/// A log may do without the index: it can be made again from the events.
async fn requests(connection: &mut PgConnection) -> Result<Option<Vec<Request>>> {
    let there = sqlx::query_scalar("SELECT to_regclass('log.requests') IS NOT NULL");
    if !there.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let rows = sqlx::query(
        "SELECT organisation, request_id, first_position, events::bigint FROM log.requests ORDER BY first_position",
    );
    let request = |row: PgRow| Request {
        organisation: row.get(0),
        request_id: simple(row.get(1)),
        first: row.get::<i64, _>(2).cast_unsigned(),
        events: row.get::<i64, _>(3).cast_unsigned(),
    };
    Ok(Some(rows.map(request).fetch_all(connection).await?))
}

/// The schemas of a service's read models, by version.
pub async fn schemas(connection: &mut PgConnection, service: &str) -> Result<Vec<String>> {
    let named = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ ('^' || $1 || '_v[0-9]+$')
         ORDER BY length(nspname), nspname",
    );
    Ok(named.bind(service).fetch_all(connection).await?)
}

/// The schema that queries are answered from; `None`: there is none.
async fn live(connection: &mut PgConnection, service: &str) -> Result<Option<String>> {
    let registered = sqlx::query_scalar("SELECT to_regclass('read_models.live') IS NOT NULL");
    if !registered.fetch_one(&mut *connection).await? {
        return Ok(schemas(connection, service).await?.pop());
    }
    let version: Option<i32> =
        sqlx::query_scalar("SELECT version FROM read_models.live").fetch_optional(&mut *connection).await?;
    Ok(version.map(|version| format!("{service}_v{version}")))
}

/// The checkpoints in a service's live schema.
pub async fn checkpoints(connection: &mut PgConnection, service: &str) -> Result<Vec<Checkpoint>> {
    let Some(schema) = live(connection, service).await? else { return Ok(Vec::new()) };
    let query = format!("SELECT follower, log, epoch, position FROM \"{schema}\".checkpoints ORDER BY follower");
    // The name is the catalogue's.
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(connection).await?;
    let checkpoint = |row: PgRow| Checkpoint {
        follower: format!("{schema}/{}", row.get::<String, _>(0)),
        log: row.get(1),
        place: Place { epoch: simple(row.get(2)), position: row.get::<i64, _>(3).cast_unsigned() },
    };
    Ok(rows.into_iter().map(checkpoint).collect())
}

/// Rows of the read models, as text, in order; by table.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Every row of every table in a service's live schema, but those that say how far something is.
pub async fn read_models(url: &str, service: &str) -> Result<Rows> {
    let mut connection = PgConnection::connect(url).await.context("the database of the read models")?;
    let mut rows = Rows::new();
    let Some(schema) = live(&mut connection, service).await? else { return Ok(rows) };
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = $1
         AND tablename NOT LIKE '\\_%' AND tablename <> 'checkpoints' ORDER BY tablename",
    )
    .bind(&schema)
    .fetch_all(&mut connection)
    .await?;
    for table in tables {
        let query = format!("SELECT t::text FROM \"{schema}\".\"{table}\" AS t ORDER BY t::text COLLATE \"C\"");
        // The names are the catalogue's.
        let found = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await?;
        rows.insert(format!("{service}.{table}"), found);
    }
    Ok(rows)
}

fn simple(id: Uuid) -> String {
    id.simple().to_string()
}
