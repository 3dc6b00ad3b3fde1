//! I9: what consumers were given.

use std::collections::{BTreeMap, HashMap};

use crate::{Invariant::I9, Verdict, history::Delivered, raw::Log, text::digest, timeline::Timeline};

pub fn judge(timeline: &Timeline<'_>, logs: &BTreeMap<String, Log>, verdict: &mut Verdict) {
    verdict.checked.insert(I9);
    let now: HashMap<&str, Vec<String>> = logs
        .iter()
        .map(|(name, log)| (name.as_str(), log.events.iter().map(|event| digest(&event.bytes)).collect()))
        .collect();
    let mut consumers: BTreeMap<&str, Vec<&Delivered>> = BTreeMap::new();
    for delivered in &timeline.delivered {
        consumers.entry(&delivered.consumer).or_default().push(delivered);
    }
    for (consumer, deliveries) in consumers {
        verdict.counts.delivered += deliveries.iter().map(|delivered| delivered.positions.len()).sum::<usize>();
        let mut reached: Option<&Delivered> = None;
        for delivered in deliveries {
            if delivered.positions.is_empty() {
                continue;
            }
            in_order(timeline, consumer, reached, delivered, verdict);
            if let Some(now) = now.get(delivered.log.as_str()) {
                as_in_the_log(timeline, consumer, reached, delivered, now, verdict);
            }
            reached = Some(delivered);
        }
    }
    let given = verdict.counts.delivered > 0 || timeline.delivered.is_empty();
    verdict.require(I9, given, || "no consumer was given anything".to_owned());
}

/// Each event follows the one before; only where history was restored does a consumer begin again.
fn in_order(
    timeline: &Timeline<'_>,
    consumer: &str,
    reached: Option<&Delivered>,
    delivered: &Delivered,
    verdict: &mut Verdict,
) {
    let next = after(reached);
    let begins_again = delivered.expected == 1 && timeline.is_restored_between(0, delivered.at);
    verdict.require(I9, delivered.expected == next || begins_again, || {
        format!("{consumer} went on at {} instead of {next}", delivered.expected)
    });
    for (position, expected) in delivered.positions.iter().zip(delivered.expected..) {
        verdict.require(I9, *position == expected, || format!("{consumer} was given {position} instead of {expected}"));
    }
}

/// The position that a consumer expects.
fn after(reached: Option<&Delivered>) -> u64 {
    reached.and_then(|delivered| delivered.positions.last()).map_or(1, |last| last + 1)
}

/// The bytes are the log's; and nobody is led from one history into another without beginning again.
fn as_in_the_log(
    timeline: &Timeline<'_>,
    consumer: &str,
    reached: Option<&Delivered>,
    delivered: &Delivered,
    now: &[String],
    verdict: &mut Verdict,
) {
    let log = delivered.log.as_str();
    let there = |position: u64, digest: &String| {
        let index = usize::try_from(position).unwrap_or(usize::MAX).wrapping_sub(1);
        now.get(index) == Some(digest)
    };
    for (position, digest) in delivered.positions.iter().zip(&delivered.digests) {
        // A consumer may be told the epoch late, or be given late what was sent before.
        let since = reached.map_or(0, |reached| reached.at);
        let lost = timeline.restores.iter().any(|restore| {
            let found = restore.found.get(log).map_or(0, |found| found.position);
            since < restore.until && *position > found
        });
        verdict.require(I9, there(*position, digest) || lost, || {
            format!("{consumer} was given something else at {position} than is in the log")
        });
    }
    let Some((reached, last)) = reached.and_then(|reached| Some((reached, reached.positions.last()?))) else { return };
    let went_on = delivered.expected == last + 1;
    let left = reached.digests.last().is_some_and(|digest| !there(*last, digest));
    let arrived = delivered.digests.first().is_some_and(|digest| there(delivered.expected, digest));
    verdict.require(I9, !(went_on && left && arrived), || {
        format!("{consumer} was led from {last}, which a restore took back, into the history that followed")
    });
}
