//! The tables are the same however a log is cut into batches, and give back what was read.

use contracts::toguna::{disbursements::events::v1 as money, log::v1 as pb, oversight::v1::Portfolio};
use event_store::{Generations, Projection as _, Timestamp, open_read_models};
use figures::{Clocks, Facts, Log, PortfolioScope};
use harness::Servers;
use oversight::projections::{MIGRATOR, Records, Tables};
use prost::{Message, Name};
use uuid::Uuid;

use crate::house::eur;

const EPOCH: Uuid = Uuid::from_u128(7);

/// The next record of a log, of which three share each microsecond.
fn next<M: Message + Name>(log: &mut Vec<pb::EventRecord>, stream: &str, event: &M) {
    let position = u64::try_from(log.len()).expect("few records") + 1;
    let version = log.iter().filter(|record| record.stream == stream).count();
    log.push(pb::EventRecord {
        position,
        epoch: EPOCH.as_bytes().to_vec(),
        stream: stream.into(),
        version: u64::try_from(version).expect("few records") + 1,
        r#type: M::full_name(),
        payload: event.encode_to_vec(),
        recorded_at: Some(time(position.div_ceil(3))),
        basis: pb::Basis::Act.into(),
        certainty: pb::Certainty::Exact.into(),
        ..pb::EventRecord::default()
    });
}

fn time(microseconds: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 0, nanos: i32::try_from(microseconds * 1_000).expect("a second at most") }
}

/// Decisions, each followed by a record that never counts.
fn log() -> Vec<pb::EventRecord> {
    let mut log = Vec::new();
    for decision in ["decisions/a", "decisions/b", "decisions/c"] {
        let country_codes = vec!["ML".into()];
        next(&mut log, decision, &money::DecisionProposed { country_codes, ..money::DecisionProposed::default() });
        next(&mut log, decision, &money::DecisionApproved { amount: eur(1) });
        next(&mut log, "funds/eutf", &money::CashMovementSet { amount: eur(1), ..money::CashMovementSet::default() });
        next(&mut log, decision, &money::DecisionToppedUp { amount: eur(2) });
    }
    log
}

/// Rows of both tables, and the facts that they give back.
type Kept = (Vec<(i64, Vec<u8>)>, Vec<(i64, i64)>, Facts);

/// Keeps a log in batches of so many records in tables of its own.
async fn keep(log: &[pb::EventRecord], batch: usize) -> Kept {
    let url = Servers::shared().await.database("cutting").await;
    let pool = open_read_models(&url, "oversight", 1, &MIGRATOR).await.expect("the tables open");
    let records = Records::of(Log::Disbursements);
    for batch in log.chunks(batch) {
        let mut transaction = pool.begin().await.expect("a transaction");
        records.apply(&mut transaction, batch).await.expect("they are kept");
        transaction.commit().await.expect("a commit");
    }
    sqlx::query("INSERT INTO checkpoints (follower, log, epoch, position, sha256) VALUES ($1, $2, $3, $4, '')")
        .bind(records.name())
        .bind(records.source())
        .bind(EPOCH)
        .bind(i64::try_from(log.len()).expect("few records"))
        .execute(&pool)
        .await
        .expect("a checkpoint");
    let kept = sqlx::query_as("SELECT position, record FROM records ORDER BY position").fetch_all(&pool).await;
    let times = sqlx::query_as("SELECT recorded_at_us, last_position FROM times ORDER BY 1").fetch_all(&pool).await;
    let mut facts = Facts::default();
    Tables::new(Generations::from(pool).live()).bring_up(&mut facts).await.expect("the tables can be read");
    (kept.expect("rows"), times.expect("rows"), facts)
}

fn known_at(facts: &Facts, microseconds: u64) -> Portfolio {
    let microseconds = i64::try_from(microseconds).expect("few");
    let known_at = Some(Timestamp::from_microsecond(microseconds).expect("a time"));
    let scope = PortfolioScope { country_code: "ML".into(), fund: None };
    let clocks = Clocks { as_of: "2026-11-23".parse().expect("a day"), known_at };
    figures::portfolio(facts, &scope, clocks).expect("it fits")
}

#[tokio::test]
async fn the_tables_are_the_same_however_a_log_is_cut_and_give_back_what_was_read() {
    let log = log();
    let mut replayed = Facts::default();
    for record in &log {
        replayed.push(Log::Disbursements, record).expect("it is understood");
    }
    let (records, times, facts) = keep(&log, log.len()).await;
    assert_eq!(times, [(1, 3), (2, 6), (3, 9), (4, 12)]);
    assert_eq!(records.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1, 2, 4, 5, 6, 8, 9, 10, 12]);
    for microseconds in 0..=5 {
        assert_eq!(known_at(&facts, microseconds), known_at(&replayed, microseconds), "at {microseconds}");
    }
    for batch in [1, 2, 5] {
        let (cut_records, cut_times, cut_facts) = keep(&log, batch).await;
        assert_eq!((&cut_records, &cut_times), (&records, &times), "in batches of {batch}");
        assert_eq!(known_at(&cut_facts, 5), known_at(&facts, 5));
    }
}

#[tokio::test]
async fn facts_are_continued_and_not_read_again() {
    let log = log();
    let url = Servers::shared().await.database("cutting").await;
    let pool = open_read_models(&url, "oversight", 1, &MIGRATOR).await.expect("the tables open");
    let records = Records::of(Log::Disbursements);
    let tables = Tables::new(Generations::from(pool.clone()).live());
    let mut facts = Facts::default();
    sqlx::query("INSERT INTO checkpoints (follower, log, epoch, position, sha256) VALUES ($1, $2, $3, 0, '')")
        .bind(records.name())
        .bind(records.source())
        .bind(EPOCH)
        .execute(&pool)
        .await
        .expect("a checkpoint");
    for batch in log.chunks(5) {
        let mut transaction = pool.begin().await.expect("a transaction");
        records.apply(&mut transaction, batch).await.expect("they are kept");
        sqlx::query("UPDATE checkpoints SET position = $1")
            .bind(batch.last().map(|record| record.position.cast_signed()))
            .execute(&mut *transaction)
            .await
            .expect("it moves");
        transaction.commit().await.expect("a commit");
        tables.bring_up(&mut facts).await.expect("the tables can be read");
        // A second time there is nothing to add.
        tables.bring_up(&mut facts).await.expect("the tables can be read");
        assert_eq!(Some(facts.position(Log::Disbursements)), batch.last().map(|record| record.position));
    }
    let mut whole = Facts::default();
    tables.bring_up(&mut whole).await.expect("the tables can be read");
    for microseconds in 0..=5 {
        assert_eq!(known_at(&facts, microseconds), known_at(&whole, microseconds), "at {microseconds}");
    }
}
