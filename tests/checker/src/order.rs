//! I4, I5, I6: the order of a log.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Invariant::{I4, I5, I6},
    Verdict,
    history::Place,
    raw::Log,
    text::digest,
    timeline::{Command, Timeline},
};

pub fn judge(timeline: &Timeline<'_>, logs: &BTreeMap<String, Log>, verdict: &mut Verdict) {
    verdict.checked.extend([I4, I5, I6]);
    for (name, log) in logs {
        verdict.counts.events += log.events.len();
        without_gap(name, log, verdict);
        in_its_epochs(timeline, name, log, verdict);
        never_rewritten(timeline, name, log, verdict);
        in_real_time(timeline, name, log, verdict);
    }
    new_epochs(timeline, verdict);
}

/// Positions and versions are 1, 2, 3, …; the record says the same as its row; the head row counts them; time goes on.
fn without_gap(name: &str, log: &Log, verdict: &mut Verdict) {
    let mut versions: HashMap<&str, u64> = HashMap::new();
    let mut time = i64::MIN;
    for (event, position) in log.events.iter().zip(1..) {
        verdict.require(I4, event.position == position, || format!("{name} has {} at {position}", event.position));
        let record = &event.record;
        let same = (record.position, &record.stream, record.version) == (event.position, &event.stream, event.version);
        verdict.require(I4, same, || format!("the row and the record at {position} of {name} differ"));
        verdict.require(I4, record.recorded_at >= time, || format!("time goes back at {position} of {name}"));
        time = record.recorded_at;
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        verdict.require(I6, event.version == *version, || {
            format!("{} has version {} after {} in {name}", event.stream, event.version, *version - 1)
        });
    }
    let length = log.events.len() as u64;
    let head = log.head.as_ref().map_or(0, |head| head.position);
    verdict.require(I4, head == length, || format!("the head of {name} is {head}, it has {length} events"));
}

/// Each record carries the epoch that the log was in, and epochs begin where a restore was announced.
fn in_its_epochs(timeline: &Timeline<'_>, name: &str, log: &Log, verdict: &mut Verdict) {
    for event in &log.events {
        let epoch = log.epochs.iter().rev().find(|(_, after)| *after < event.position).map(|(epoch, _)| epoch);
        verdict.require(I4, epoch == Some(&event.record.epoch), || {
            format!("{} of {name} was written in epoch {}, in {epoch:?}", event.position, event.record.epoch)
        });
    }
    let last = log.epochs.last().map(|(epoch, _)| epoch);
    let head = log.head.as_ref().map(|head| &head.epoch);
    verdict.require(I4, last == head, || format!("the head of {name} is in {head:?}, its last epoch is {last:?}"));
    // Without a history nobody knows what was restored.
    for (epoch, after) in log.epochs.iter().skip(1).filter(|_| !timeline.run.logs.is_empty()) {
        let announced = timeline.restores.iter().filter_map(|restore| restore.found.get(name));
        let announced = announced.map(|found| found.position).any(|position| position == *after);
        verdict
            .require(I4, announced, || format!("{name} began epoch {epoch} after {after}: nothing was restored there"));
    }
}

/// What anybody saw at a position is what every other look found in that epoch, and what is there now.
fn never_rewritten(timeline: &Timeline<'_>, name: &str, log: &Log, verdict: &mut Verdict) {
    let now: Vec<String> = log.events.iter().map(|event| digest(&event.bytes)).collect();
    let mut known: HashMap<(&str, u64), &str> = HashMap::new();
    let mut looks = timeline.seen.iter().filter(|seen| seen.log == name).peekable();
    let unwatched = looks.peek().is_none() && !timeline.seen.is_empty();
    verdict.require(I4, !unwatched, || format!("nobody looked at {name} while the run went on"));
    for seen in looks.filter(|seen| !timeline.is_restored_between(seen.from, seen.at)) {
        let last = (seen.first + seen.digests.len() as u64).saturating_sub(1);
        verdict.require(I4, last == seen.head.position, || {
            format!("{name} had {last} events where its head said {}", seen.head.position)
        });
        for (digest, position) in seen.digests.iter().zip(seen.first..) {
            verdict.counts.seen += 1;
            let epoch = seen.head.epoch.as_str();
            let same = known.entry((epoch, position)).or_insert(digest) == digest;
            verdict.require(I4, same, || format!("{position} of {name} was rewritten in epoch {epoch}"));
            let index = usize::try_from(position).unwrap_or(usize::MAX).wrapping_sub(1);
            let there = now.get(index) == Some(digest);
            verdict.require(I4, there || timeline.is_lost(name, epoch, position, seen.from, seen.at), || {
                format!("{position} of {name} was seen in epoch {epoch} and is not there any more")
            });
        }
    }
}

/// A log that lost acknowledged commands goes on in another epoch.
fn new_epochs(timeline: &Timeline<'_>, verdict: &mut Verdict) {
    for (restore, next) in timeline.restores.iter().zip(timeline.restores.iter().skip(1).map(Some).chain([None])) {
        let end = next.map_or(u64::MAX, |next| next.from);
        for (log, left) in &restore.left {
            let Some(found) = restore.found.get(log) else { continue };
            let answers = || {
                let commands = timeline.commands.iter().filter(|((name, ..), _)| name == log);
                commands.flat_map(|(_, commands)| commands).flat_map(Command::answers)
            };
            let lost = answers().any(|(attempt, receipt)| {
                attempt.until < restore.from && receipt.events.iter().any(|event| event.position > found.position)
            });
            let beyond = |place: &Place| place.epoch == left.epoch && place.position > found.position;
            let seen = timeline
                .seen
                .iter()
                .any(|seen| seen.log == *log && seen.from > restore.until && seen.at < end && beyond(&seen.head));
            let answered = answers().any(|(attempt, receipt)| {
                let place = Place { epoch: receipt.token.epoch.clone(), position: receipt.token.position };
                attempt.from > restore.until && attempt.until < end && beyond(&place)
            });
            verdict.require(I4, !lost || !seen && !answered, || {
                format!("{log} was restored to {} and went on in epoch {}", found.position, left.epoch)
            });
        }
    }
}

/// A command that was acknowledged before another was sent stands before it. By what is in the log, and within each epoch
/// by what was answered in it.
fn in_real_time(timeline: &Timeline<'_>, name: &str, log: &Log, verdict: &mut Verdict) {
    let mut histories: BTreeMap<&str, Vec<Interval>> = BTreeMap::new();
    let mut effects: HashMap<(&str, &str, &str), (u64, u64)> = HashMap::new();
    for event in &log.events {
        let record = &event.record;
        let key = (record.organisation.as_str(), record.request_id.as_str(), record.reason.as_str());
        effects.entry(key).or_insert((event.position, event.position)).1 = event.position;
    }
    for ((of, organisation, request_id), commands) in &timeline.commands {
        for command in commands.iter().filter(|_| of == name) {
            let mut answered: BTreeMap<&str, u64> = BTreeMap::new();
            let mut acknowledged = u64::MAX;
            for (attempt, receipt) in command.answers() {
                let epoch = receipt.token.epoch.as_str();
                let positions = || receipt.events.iter().map(|event| event.position);
                let (Some(first), Some(last)) = (positions().min(), positions().max()) else { continue };
                let until = answered.entry(epoch).or_insert(u64::MAX);
                *until = attempt.until.min(*until);
                if !timeline.is_lost(name, epoch, last, attempt.from, attempt.until) {
                    acknowledged = acknowledged.min(attempt.until);
                }
                let interval = Interval { from: command.from(), until: *until, first, last };
                histories.entry(epoch).or_default().push(interval);
            }
            if let Some((first, last)) = effects.get(&(organisation, request_id, command.content.as_str())) {
                let interval = Interval { from: command.from(), until: acknowledged, first: *first, last: *last };
                histories.entry("").or_default().push(interval);
            }
        }
    }
    for intervals in histories.values() {
        if let Some((before, after)) = disorder(intervals) {
            let what = format!("{after} of {name} was sent for after {before} had been acknowledged");
            verdict.violated(I5, what);
        }
    }
}

/// From when a command was sent until it was acknowledged, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    from: u64,
    until: u64,
    first: u64,
    last: u64,
}

/// The positions of two commands that stand the wrong way round.
fn disorder(intervals: &[Interval]) -> Option<(u64, u64)> {
    let mut sent = intervals.to_vec();
    sent.sort_unstable_by_key(|interval| interval.from);
    let mut acknowledged = intervals.to_vec();
    acknowledged.sort_unstable_by_key(|interval| interval.until);
    let mut acknowledged = acknowledged.into_iter().peekable();
    let mut highest = 0;
    sent.into_iter().find_map(|interval| {
        while let Some(before) = acknowledged.next_if(|before| before.until < interval.from) {
            highest = highest.max(before.last);
        }
        (interval.first <= highest).then_some((highest, interval.first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: u64, until: u64, position: u64) -> Interval {
        Interval { from, until, first: position, last: position }
    }

    #[test]
    fn commands_that_overlap_may_stand_in_any_order() {
        assert_eq!(disorder(&[interval(1, 5, 2), interval(2, 6, 1)]), None);
    }

    #[test]
    fn a_command_that_was_sent_after_another_was_acknowledged_stands_behind_it() {
        assert_eq!(disorder(&[interval(1, 2, 1), interval(3, 4, 2)]), None);
        assert_eq!(disorder(&[interval(1, 2, 2), interval(3, 4, 1)]), Some((2, 1)));
    }

    #[test]
    fn a_command_that_was_never_answered_is_before_nothing() {
        assert_eq!(disorder(&[interval(1, u64::MAX, 2), interval(3, 4, 1)]), None);
    }
}
