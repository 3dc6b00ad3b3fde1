//! Long logs, made fast: real records, as the service itself would have written them, brought in by COPY.

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::{Actor, Basis, Certainty, EventRecord};
use event_store::Log;
use prost::{Message as _, Name as _};
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{ground::Ground, load};

/// Bytes that are sent to Postgres at once.
const CHUNK: usize = 1024 * 1024;
/// Callers among whom the streams are divided, as among those of the rows.
const CALLERS: u64 = 64;
/// What a file of binary COPY begins with: its signature, no flags, no more header.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
const END: [u8; 2] = (-1_i16).to_be_bytes();

/// Makes the log of a service with `events` registrations of partners, of `payload` bytes each, in an empty database.
pub async fn fill(ground: &Ground, log: &str, database_url: &str, events: u64, payload: usize) -> Result<()> {
    let epoch = make_tables(log, database_url).await?;
    let first_time = jiff::Timestamp::now().as_microsecond() - i64::try_from(events)?;
    let record = Records::new(&epoch, payload);
    let rows = copy(
        database_url,
        "COPY log.events (position, stream, version, recorded_at_us, record) FROM STDIN (FORMAT binary)",
        events,
        |position, out| {
            let time = first_time + position.cast_signed();
            let stream = stream(position);
            out.row(5).number(position.cast_signed()).bytes(stream.as_bytes()).number(1).number(time);
            out.bytes(&record.at(position, stream, time));
        },
    );
    let requests = copy(
        database_url,
        "COPY log.requests (organisation, request_id, content_hash, first_position, events) FROM STDIN (FORMAT binary)",
        events,
        |position, out| {
            out.row(5).bytes(load::KEEPER.0.as_bytes()).bytes(&request_id(position)).bytes(&CONTENT_HASH);
            out.number(position.cast_signed()).small_number(1);
        },
    );
    tokio::try_join!(rows, requests)?;
    let last_time = first_time + events.cast_signed();
    // The tree is computed by the service when it opens the log.
    let head = format!(
        "UPDATE log.head SET position = {events}, recorded_at_us = {last_time}, root = NULL, compact_range = NULL"
    );
    ground.sql(database_url, &head).await.context("the head cannot be moved")?;
    ground.sql(database_url, "VACUUM ANALYZE log.events").await?;
    ground.sql(database_url, "VACUUM ANALYZE log.requests").await?;
    ground.settle().await
}

/// The log's own migrations make its tables; answers its epoch.
async fn make_tables(log: &str, database_url: &str) -> Result<Vec<u8>> {
    let stopping = CancellationToken::new();
    let log = Log::open(log, database_url, stopping.clone()).await?;
    let epoch = log.epoch().as_bytes().to_vec();
    stopping.cancel();
    log.reader().close().await;
    Ok(epoch)
}

/// Brings rows 1 to `rows` into a table.
async fn copy(database_url: &str, statement: &str, rows: u64, write: impl Fn(u64, &mut Rows)) -> Result<()> {
    let mut connection = PgConnection::connect(database_url).await?;
    let mut copy = connection.copy_in_raw(statement).await?;
    let mut out = Rows(SIGNATURE.to_vec());
    for row in 1..=rows {
        write(row, &mut out);
        if out.0.len() >= CHUNK {
            copy.send(std::mem::take(&mut out.0)).await?;
        }
    }
    out.0.extend_from_slice(&END);
    copy.send(out.0).await?;
    let copied = copy.finish().await?;
    anyhow::ensure!(copied == rows, "{copied} of {rows} rows were taken");
    Ok(connection.close().await?)
}

/// Rows of binary COPY.
struct Rows(Vec<u8>);

impl Rows {
    fn row(&mut self, fields: i16) -> &mut Self {
        self.0.extend_from_slice(&fields.to_be_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let length = i32::try_from(bytes.len()).expect("a field of this size cannot be");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    fn small_number(&mut self, number: i32) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }
}

const CONTENT_HASH: [u8; 32] = [3; 32];

/// The stream of a position: callers register partners in turn.
pub fn stream(position: u64) -> String {
    format!("partners/f{:02}-{:08}", position % CALLERS, position / CALLERS)
}

/// Ids of requests rise with time, as those of our clients do: UUIDs of version 7 whose time is the position.
fn request_id(position: u64) -> [u8; 16] {
    *Uuid::from_u128((u128::from(position) << 80) | 0x7000_8000_0000_0000_0000).as_bytes()
}

/// Records that differ in their places alone.
struct Records(EventRecord);

impl Records {
    fn new(epoch: &[u8], payload: usize) -> Self {
        let event = load::event_of(&load::partner(payload));
        let id = Uuid::now_v7().as_bytes().to_vec();
        Self(EventRecord {
            epoch: epoch.to_vec(),
            version: 1,
            event_id: id.clone(),
            r#type: contracts::toguna::partnerships::events::v1::PartnerRegistered::full_name(),
            payload: event.encode_to_vec(),
            actor: Some(Actor {
                issuer: toguna::local::identity::ISSUER.to_owned(),
                subject: "5".repeat(64),
                organisation: load::KEEPER.0.to_owned(),
                roles: vec![load::KEEPER.1.to_owned()],
            }),
            on_behalf_of: load::KEEPER.0.to_owned(),
            basis: Basis::Act.into(),
            certainty: Certainty::Exact.into(),
            content_hash: CONTENT_HASH.to_vec(),
            correlation_id: id,
            traceparent: format!("00-{}-{}-00", "4".repeat(32), "2".repeat(16)),
            ..EventRecord::default()
        })
    }

    fn at(&self, position: u64, stream: String, time_us: i64) -> Vec<u8> {
        let request_id = request_id(position).to_vec();
        let time = prost_types::Timestamp {
            seconds: time_us.div_euclid(1_000_000),
            nanos: i32::try_from(time_us.rem_euclid(1_000_000) * 1_000).expect("less than a second"),
        };
        EventRecord { position, stream, request_id, recorded_at: Some(time), ..self.0.clone() }.encode_to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_has_a_request_id_of_its_own() {
        let ids: Vec<Uuid> = (1..10_000).map(|position| Uuid::from_bytes(request_id(position))).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "they rise");
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
