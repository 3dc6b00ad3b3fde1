//! I1, I2, I3: what became of each command.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Invariant::{I1, I2, I3},
    Verdict,
    raw::{Event, Log},
    record::Receipt,
    timeline::{Attempt, Command, Key, Outcome, Timeline},
};

/// The events of each request, in order of position.
type Effects<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Event>>;

pub fn judge(timeline: &Timeline<'_>, logs: &BTreeMap<String, Log>, verdict: &mut Verdict) {
    verdict.checked.extend([I1, I2, I3]);
    let nothing = Log::default();
    let effects: BTreeMap<&str, Effects<'_>> = logs.iter().map(|(name, log)| (name.as_str(), effects(log))).collect();
    for (key, commands) in &timeline.commands {
        let log = logs.get(&key.0).unwrap_or(&nothing);
        let effect = effects.get(key.0.as_str()).and_then(|effects| effects.get(&(key.1.as_str(), key.2.as_str())));
        let effect = effect.map_or(&[][..], Vec::as_slice);
        for command in commands {
            acknowledged(timeline, key, command, log, effect, verdict);
        }
        one_effect_of_one_content(timeline, key, commands, effect, verdict);
    }
    for (name, log) in logs {
        unasked(timeline, name, &effects[name.as_str()], verdict);
        indexed(name, log, &effects[name.as_str()], verdict);
    }
    reactions(timeline, logs, verdict);
}

fn effects(log: &Log) -> Effects<'_> {
    let mut effects = Effects::new();
    for event in &log.events {
        effects.entry((&event.record.organisation, &event.record.request_id)).or_default().push(event);
    }
    effects
}

fn named((log, organisation, request_id): &Key, command: &Command) -> String {
    format!("{} {} of {organisation} on {log} (request {request_id})", command.name, command.content)
}

/// Every answer that no restore took back is in the log, whole, and the same each time.
fn acknowledged(
    timeline: &Timeline<'_>,
    key: &Key,
    command: &Command,
    log: &Log,
    effect: &[&Event],
    verdict: &mut Verdict,
) {
    let is_lost = |attempt: &Attempt, receipt: &Receipt| {
        let last = receipt.events.iter().map(|event| event.position).max().unwrap_or(0);
        timeline.is_lost(&key.0, &receipt.token.epoch, last, attempt.from, attempt.until)
    };
    if command.answers().any(|(attempt, receipt)| is_lost(attempt, receipt)) {
        verdict.counts.lost_by_restore += 1;
    }
    let mut known: Option<(&Attempt, &Receipt)> = None;
    for (attempt, receipt) in command.answers().filter(|(attempt, receipt)| !is_lost(attempt, receipt)) {
        let positions: Vec<u64> = receipt.events.iter().map(|event| event.position).collect();
        verdict.require(I1, !positions.is_empty(), || format!("{} was answered without events", named(key, command)));
        for event in &receipt.events {
            let row =
                usize::try_from(event.position).ok().and_then(|position| log.events.get(position.wrapping_sub(1)));
            let holds = row.is_some_and(|row| {
                let record = &row.record;
                (&record.organisation, &record.request_id) == (&key.1, &key.2)
                    && (&record.stream, record.version) == (&event.stream, event.version)
                    && (record.position, &record.type_name) == (event.position, &event.type_name)
                    && record.reason == command.content
            });
            verdict.require(I1, holds, || {
                let found = row.map_or("nothing".to_owned(), |row| format!("request {}", row.record.request_id));
                format!("{} was acknowledged at position {}; {found} is there", named(key, command), event.position)
            });
        }
        let written: Vec<u64> = effect.iter().map(|event| event.position).collect();
        verdict.require(I2, written == positions, || {
            format!("{} was answered with positions {positions:?}, it has {written:?}", named(key, command))
        });
        let own = receipt.events.first().map(|event| &event.stream);
        let version = receipt.events.iter().filter(|event| Some(&event.stream) == own).map(|event| event.version).max();
        verdict.require(I2, receipt.etag == format!("\"{}\"", version.unwrap_or(0)), || {
            format!("{} was answered with the etag {}", named(key, command), receipt.etag)
        });
        if let Some((earlier, same)) = known {
            let equal = (&same.events, &same.etag) == (&receipt.events, &receipt.etag)
                && (same.token.epoch != receipt.token.epoch || same.token == receipt.token);
            verdict.require(I2, equal, || format!("{} had two answers: {same:?}, {receipt:?}", named(key, command)));
            let later = attempt.from > earlier.until;
            verdict.require(I2, receipt.replayed || !later, || {
                format!("{} was answered again as if for the first time", named(key, command))
            });
        }
        if known.is_none_or(|(earlier, _)| attempt.until < earlier.until) {
            known = Some((attempt, receipt));
        }
    }
    if let Some((first, _)) = known {
        let refused = command.attempts.iter().any(|attempt| {
            let restored = timeline.is_restored_between(first.from, attempt.until);
            matches!(attempt.outcome, Outcome::Fail) && attempt.from > first.until && !restored
        });
        verdict.require(I2, !refused, || format!("{} was acknowledged, and then refused", named(key, command)));
    }
}

/// What is in the log of a request is one effect, of a content that may have had one, and whole.
fn one_effect_of_one_content(
    timeline: &Timeline<'_>,
    key: &Key,
    commands: &[Command],
    effect: &[&Event],
    verdict: &mut Verdict,
) {
    let (Some(first), Some(last)) = (effect.first(), effect.last()) else { return };
    let name = |command: Option<&Command>| {
        command.map_or_else(|| format!("request {} of {}", key.2, key.1), |command| named(key, command))
    };
    let command = commands.iter().find(|command| command.content == first.record.reason);
    let together = usize::try_from(last.position - first.position + 1) == Ok(effect.len());
    let same = effect.iter().all(|event| event.record.reason == first.record.reason);
    verdict.require(I2, together && same, || {
        let positions: Vec<u64> = effect.iter().map(|event| event.position).collect();
        format!("{} had its effect more than once, at {positions:?}", name(command))
    });
    verdict.require(I2, command.is_some(), || format!("{} has a content that nobody sent", name(None)));
    let Some(command) = command else { return };
    verdict.require(I3, !command.is_refused(), || {
        format!("{} was refused, and is in the log at {}", name(Some(command)), first.position)
    });
    if let Some(expect) = command.expect
        && !timeline.is_restored_between(expect.since, u64::MAX)
    {
        let invariant = if effect.len() > expect.events { I2 } else { I3 };
        verdict.require(invariant, effect.len() == expect.events, || {
            format!("{} has {} events, not {}", name(Some(command)), effect.len(), expect.events)
        });
    }
}

/// Where every command is in the history, nothing is in the log that nobody asked for.
fn unasked(timeline: &Timeline<'_>, log: &str, effects: &Effects<'_>, verdict: &mut Verdict) {
    if !timeline.run.complete.iter().any(|complete| complete == log) {
        return;
    }
    for ((organisation, request_id), events) in effects {
        let key = (log.to_owned(), (*organisation).to_owned(), (*request_id).to_owned());
        verdict.require(I2, timeline.commands.contains_key(&key), || {
            format!(
                "position {} of {log} is the effect of a request that nobody sent: {request_id}",
                events[0].position
            )
        });
    }
}

/// The index of request ids says what the events say.
fn indexed(name: &str, log: &Log, effects: &Effects<'_>, verdict: &mut Verdict) {
    let Some(requests) = &log.requests else { return };
    let said: BTreeSet<_> = requests
        .iter()
        .map(|request| (request.organisation.as_str(), request.request_id.as_str(), request.first, request.events))
        .collect();
    let held: BTreeSet<_> = effects
        .iter()
        .map(|((organisation, id), events)| (*organisation, *id, events[0].position, events.len() as u64))
        .collect();
    let difference = said.symmetric_difference(&held).next();
    verdict.require(I2, difference.is_none(), || {
        format!("the index of requests of {name} and its events differ at {difference:?}")
    });
}

/// What follows from an event in another log is there once. What followed from events that a restore took back stays.
fn reactions(timeline: &Timeline<'_>, logs: &BTreeMap<String, Log>, verdict: &mut Verdict) {
    for reaction in &timeline.run.reactions {
        let (Some(from), Some(to)) = (logs.get(&reaction.from), logs.get(&reaction.to)) else { continue };
        let mut followed: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for event in to.events.iter().filter(|event| !event.record.causation_id.is_empty()) {
            followed.entry(&event.record.causation_id).or_default().push(event.position);
        }
        for (cause, positions) in followed.iter().filter(|(_, positions)| positions.len() > 1) {
            let place = &reaction.to;
            verdict.violated(I2, format!("event {cause} had several effects in {place}, at {positions:?}"));
        }
        let causes: BTreeSet<&str> = from.events.iter().map(|event| event.record.event_id.as_str()).collect();
        let unknown = followed.keys().find(|cause| !causes.contains(*cause));
        verdict.require(I2, unknown.is_none() || !timeline.restores.is_empty(), || {
            format!("{} followed in {} from no event of {}", unknown.unwrap_or(&""), reaction.to, reaction.from)
        });
        for event in from.events.iter().filter(|event| event.record.type_name == reaction.event) {
            verdict.require(I1, followed.contains_key(event.record.event_id.as_str()), || {
                format!("nothing followed in {} from {} of {}", reaction.to, event.position, reaction.from)
            });
        }
    }
}
