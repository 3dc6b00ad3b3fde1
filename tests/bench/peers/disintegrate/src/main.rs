//! Lets callers append to Disintegrate's event store in the database of `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and
//! `PGDATABASE`, which is new. Arguments: callers, events an append, bytes of payload, milliseconds. Prints one line of
//! JSON for the benchmarks that started it.

mod appends;
#[path = "../../../src/peers/content.rs"]
mod content;
#[expect(dead_code, reason = "the benchmarks use all of it")]
#[path = "../../../src/measure.rs"]
mod measure;
#[expect(dead_code, reason = "the benchmarks use all of it")]
#[path = "../../../src/process.rs"]
mod process;
#[path = "../../../src/peers/spread.rs"]
mod spread;
#[path = "../../../src/peers/tally.rs"]
mod tally;

use std::{env, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    appends::{BEFORE, append, fill, open},
    process::Watched,
    spread::spread,
    tally::Tally,
};

#[tokio::main]
async fn main() -> Result<()> {
    let number = |place| -> Result<u64> { Ok(env::args().nth(place).context("an argument is missing")?.parse()?) };
    let (callers, events, payload) = (number(1)?.try_into()?, number(2)?.try_into()?, number(3)?.try_into()?);
    let (pool, store) = open().await?;
    let content = Arc::new(content::document(payload));
    fill(&store, &content).await?;
    sqlx::query("VACUUM ANALYZE event").execute(&pool).await?;
    let tally = Arc::new(Tally::default());
    let counted = tally.clone();
    let time = Duration::from_millis(number(4)?);
    let sample = spread(&Watched::default(), callers, time, move |_, _| {
        let (store, content, counted) = (store.clone(), content.clone(), counted.clone());
        async move { counted.count(append(&store, events, &content).await, events) }
    })
    .await?;
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&pool).await?;
    tally.check(u64::try_from(stored)? - BEFORE as u64)?;
    let latencies: Vec<(u64, u64)> =
        sample.latency.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect();
    let line = json!({
        "seconds": sample.elapsed.as_secs_f64(),
        "failed": sample.failed,
        "conflicts": sample.conflicts,
        "latencies": latencies,
    });
    println!("{line}");
    Ok(())
}
