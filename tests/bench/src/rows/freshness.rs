//! Reading one's own writes (P11).

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;

use super::{
    Compared, Row,
    commands::{CALLERS, register},
    id,
};
use crate::{
    measure::{Outcome, Sample},
    run::{Measured, Run},
    servers::Kind,
    stage::Stage,
};

/// The part of the highest rate at which callers write here: a service under load, but not drowned.
const PART: f64 = 0.25;

/// After each registration the caller asks for what it just registered, with the answer's token, beside the same
/// question without one.
pub async fn p11(run: &Run) -> Result<Vec<Row>> {
    let payload = 256;
    let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
    let highest = register(&mut complete, CALLERS).await?.value;
    let rate = highest * PART;
    let rounds = Mutex::new(Vec::new());
    for _ in 0..run.rounds() {
        complete.rest().await?;
        complete.callers.begin();
        let (with, without) = write_and_read(run, &complete, rate).await?;
        let p99 = |sample: Sample| Measured::rate(sample, Vec::new()).by(|sample| sample.quantile(0.99));
        rounds.lock().expect("nobody panics").push((p99(with), p99(without)));
    }
    complete.strike().await?;
    Ok(vec![Row {
        id: id("P11", payload),
        what: "p99 of GetPartner with the token of the registration just acknowledged".to_owned(),
        beside_what: "GetPartner without a token".to_owned(),
        payload,
        compared: Compared::Latency { unit: "ms", reach: 4.0, aim: 2.0 },
        rounds: rounds.into_inner().expect("nobody panics"),
        notes: vec![format!(
            "64 callers register {rate:.0} partners a second, a quarter of the {highest:.0} that they can; each asks twice after its own, with the token first every other time"
        )],
    }])
}

/// Callers write at a rate and read after each write, with the token and without; who comes first changes.
async fn write_and_read(run: &Run, stage: &Stage<'_>, rate: f64) -> Result<(Sample, Sample)> {
    let pause = Duration::from_secs_f64(CALLERS as f64 / rate);
    let (began, time) = (Instant::now(), run.time());
    let call = async |caller: usize| -> Result<(Sample, Sample)> {
        let (mut with, mut without) = (Sample::empty(), Sample::empty());
        // Callers do not all begin in the same moment.
        let first = began + pause.mul_f64(caller as f64 / CALLERS as f64);
        for turn in 0.. {
            let due = first + pause * u32::try_from(turn).context("fewer turns")?;
            if due >= began + time {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            let id = stage.callers.id(caller, turn);
            let Ok(token) = stage.callers.register_as(caller, &id).await else {
                with.count(Outcome::Failed, Duration::ZERO);
                continue;
            };
            let read = async |sample: &mut Sample, token: &str| {
                let asked = Instant::now();
                let answer = stage.callers.get(caller, &id, token).await;
                sample.count(if answer.is_ok() { Outcome::Done } else { Outcome::Failed }, asked.elapsed());
            };
            if turn % 2 == 0 {
                read(&mut with, &token).await;
                read(&mut without, "").await;
            } else {
                read(&mut without, "").await;
                read(&mut with, &token).await;
            }
        }
        Ok((with, without))
    };
    let (mut with, mut without) = (Sample::empty(), Sample::empty());
    for sample in join_all((0..CALLERS).map(call)).await {
        let (of_one, of_one_without) = sample?;
        with.add(&of_one);
        without.add(&of_one_without);
    }
    (with.elapsed, without.elapsed) = (began.elapsed(), began.elapsed());
    ensure!(with.operations > 0 && without.operations > 0, "nothing was answered, {} calls failed", with.failed);
    Ok((with, without))
}
