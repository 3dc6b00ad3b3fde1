//! A projection gives the same rows however the events are cut into batches.

use contracts::toguna::log::v1::EventRecord;
use sqlx::{PgConnection, migrate::Migrator};

use crate::{Log, PageLimit, Projection, generations::rows, read_models, roles};

/// Batches that are cut at random are cut so many times, each time otherwise and always in the same ways.
const RANDOM_CUTS: u64 = 3;

/// Folds a log one by one, at once, and in batches of random lengths, each time into a schema of its own of the database,
/// and compares all tables. Answers how many rows there are: a projection that makes none shows nothing.
///
/// # Panics
/// Where two folds differ, with the keys of the rows that do.
pub async fn rows_whatever_the_batches(
    owner_url: &str,
    migrator: &Migrator,
    log: &Log,
    projection: &dyn Projection,
) -> u64 {
    let all = PageLimit { events: usize::MAX, bytes: usize::MAX };
    let stored = log.page(1, all).await.expect("the log can be read");
    let records: Vec<EventRecord> = stored.iter().map(|event| event.decode().expect("a record")).collect();
    let roles = roles::prepare(owner_url).await.expect("the database is there");
    let mut schemas = Vec::new();
    for (number, cuts) in cuts(records.len()).into_iter().enumerate() {
        let schema = format!("cut_{}_{number}", projection.name());
        read_models::remove(&roles, &schema).await.expect("it can be removed");
        let pool = read_models::open(&roles, &schema, migrator).await.expect("it opens");
        let mut rest = records.as_slice();
        for length in cuts {
            let (batch, later) = rest.split_at(length);
            let mut transaction = pool.begin().await.expect("a transaction");
            let applied = projection.apply(&mut transaction, batch).await;
            applied.unwrap_or_else(|error| panic!("{}: {error}", projection.name()));
            transaction.commit().await.expect("a commit");
            rest = later;
        }
        assert!(rest.is_empty(), "all was folded");
        pool.close().await;
        schemas.push(schema);
    }
    let mut owner = <PgConnection as sqlx::Connection>::connect_with(&roles.owner).await.expect("the database");
    let mut count = 0;
    for table in rows::tables(&mut owner, &schemas[0]).await.expect("the tables can be read") {
        count += table.count(&mut owner, &schemas[0]).await.expect("they can be counted");
        for other in &schemas[1..] {
            let both = [schemas[0].as_str(), other.as_str()];
            let (differing, _, shown) =
                table.differing(&mut owner, both, (None, None), 5).await.expect("they can be compared");
            let keys: Vec<String> = shown.into_iter().map(|pair| pair.key).collect();
            assert_eq!(differing, 0, "{} in {}: {keys:?} differ by the batches", projection.name(), table.name);
        }
    }
    count
}

/// Lengths of batches that make up so many events.
fn cuts(events: usize) -> Vec<Vec<usize>> {
    let mut cuts = vec![vec![1; events], vec![events]];
    for seed in 1..=RANDOM_CUTS {
        let (mut state, mut lengths, mut rest) = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), Vec::new(), events);
        while rest > 0 {
            // Xorshift: short batches mostly, long ones now and then.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let longest = 1 << (state >> 8 & 7);
            let length = usize::try_from(state >> 16).unwrap_or(usize::MAX) % longest + 1;
            lengths.push(length.min(rest));
            rest -= length.min(rest);
        }
        cuts.push(lengths);
    }
    cuts
}
