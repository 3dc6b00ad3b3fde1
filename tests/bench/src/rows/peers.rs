//! Beside other event stores: those on PostgreSQL (P3), and `UmaDB` over its gRPC (P4).

use anyhow::{Context as _, Result, bail, ensure};

use super::{
    Compared, Row,
    commands::{CALLERS, append, register},
    id,
};
use crate::{
    measure::Sample,
    peers::{self, Available, Peer},
    report::Spread,
    run::{Measured, Run},
    servers::Kind,
    stage::Stage,
};

/// What the name of the peer that has a server of its own begins with.
const UMADB: &str = "UmaDB";
/// Events of one append in the row of ten.
const TEN: usize = 10;

/// Beside the best of the peers that keep their events in PostgreSQL.
pub async fn p3(run: &Run) -> Result<Vec<Row>> {
    let available = peers::available(&run.ground).await;
    let (on_postgres, _) = split(&available);
    ensure!(!on_postgres.is_empty(), "{}", none(&available, false));
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
        let mut rounds = Vec::new();
        let mut figures: Vec<(&dyn Peer, Vec<Result<Sample>>)> =
            on_postgres.iter().map(|peer| (*peer, Vec::new())).collect();
        for _ in 0..run.rounds() {
            let ours = register(&mut complete, CALLERS).await?;
            let mut best: Option<Measured> = None;
            for (peer, samples) in &mut figures {
                run.ground.settle().await?;
                let sample = peer.append(CALLERS, 1, payload, run.time()).await;
                if let Ok(sample) = &sample
                    && best.as_ref().is_none_or(|best| best.value < sample.rate())
                {
                    best = Some(Measured::rate(sample.clone(), Vec::new()));
                }
                samples.push(sample);
            }
            rounds.push((ours, best.context("no peer has a figure")?));
        }
        complete.strike().await?;
        rows.push(Row {
            id: id("P3", payload),
            what: "RegisterPartner, complete, 64 callers".to_owned(),
            beside_what: "best peer on PostgreSQL".to_owned(),
            payload,
            compared: Compared::Rate { unit: "commands/s", reach: 2.0, aim: 3.0 },
            rounds,
            notes: figures
                .iter()
                .map(|(peer, samples)| line(*peer, samples))
                .chain(missing(&available, false))
                .collect(),
        });
    }
    Ok(rows)
}

/// Beside `UmaDB`: one event a command, and ten.
pub async fn p4(run: &Run) -> Result<Vec<Row>> {
    let available = peers::available(&run.ground).await;
    let (_, umadb) = split(&available);
    let Some(umadb) = umadb else { bail!("{}", none(&available, true)) };
    let mut rows = Vec::new();
    for payload in run.payloads().iter().copied() {
        let mut complete = Stage::set(run, Kind::Partnerships, payload).await?;
        let one = run
            .in_turn(async || register(&mut complete, CALLERS).await, async || other(run, umadb, 1, payload).await)
            .await?;
        complete.strike().await?;
        let mut bare = Stage::set(run, Kind::Bare, payload).await?;
        let ten =
            run.in_turn(async || append(&mut bare, TEN).await, async || other(run, umadb, TEN, payload).await).await?;
        bare.strike().await?;
        let row = |name: &str, what: &str, compared, rounds: Vec<(Measured, Measured)>| Row {
            id: id(name, payload),
            what: what.to_owned(),
            beside_what: "UmaDB over gRPC".to_owned(),
            payload,
            compared,
            notes: vec![line(
                umadb,
                &rounds.iter().filter_map(|(_, other)| other.sample.clone().map(Ok)).collect::<Vec<_>>(),
            )],
            rounds,
        };
        let rate = |unit, reach, aim| Compared::Rate { unit, reach, aim };
        let (what_one, what_ten) = (
            "RegisterPartner, complete, 64 callers",
            "an append of ten events to a new stream, bare (no command of the service brings ten), 64 callers",
        );
        rows.push(row("P4", what_one, rate("commands/s", 1.0, 1.2), one));
        rows.push(row("P4 ten", what_ten, rate("appends/s", 0.6, 1.0), ten));
    }
    Ok(rows)
}

async fn other(run: &Run, peer: &dyn Peer, events: usize, payload: usize) -> Result<Measured> {
    run.ground.settle().await?;
    let sample = peer.append(CALLERS, events, payload, run.time()).await?;
    ensure!(sample.operations > 0, "{} answered nothing", peer.name());
    Ok(Measured::rate(sample, Vec::new()))
}

/// Those on PostgreSQL, and `UmaDB`.
fn split(available: &Available) -> (Vec<&dyn Peer>, Option<&dyn Peer>) {
    let peers = available.peers.iter().map(AsRef::as_ref);
    let (others, on_postgres): (Vec<&dyn Peer>, Vec<&dyn Peer>) =
        peers.partition(|peer| peer.name().starts_with(UMADB));
    (on_postgres, others.first().copied())
}

/// What a peer came to, in a line.
fn line(peer: &dyn Peer, samples: &[Result<Sample>]) -> String {
    let measured: Vec<&Sample> = samples.iter().filter_map(|sample| sample.as_ref().ok()).collect();
    if let (true, Some(Err(error))) = (measured.is_empty(), samples.first()) {
        return format!("{} has no figure: {error:#}", peer.name());
    }
    let rate = Spread::of(measured.iter().map(|sample| sample.rate()));
    let mut all = Sample::empty();
    for sample in &measured {
        all.add(sample);
    }
    format!(
        "{}: {:.0}/s ({:.0} to {:.0}), p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, {} conflicts, {} failed; {}",
        peer.name(),
        rate.median,
        rate.min,
        rate.max,
        all.quantile(0.5),
        all.quantile(0.99),
        all.quantile(0.999),
        all.conflicts,
        all.failed,
        peer.note()
    )
}

/// The peers of a row that cannot be had.
fn missing(available: &Available, umadb: bool) -> impl Iterator<Item = String> + '_ {
    let skipped = available.skipped.iter().filter(move |(name, _)| name.starts_with(UMADB) == umadb);
    skipped.map(|(name, reason)| format!("{name} is skipped: {reason}"))
}

/// Why there is none.
fn none(available: &Available, umadb: bool) -> String {
    let reasons: Vec<String> = missing(available, umadb).collect();
    if reasons.is_empty() { "no peer is there".to_owned() } else { reasons.join("; ") }
}
