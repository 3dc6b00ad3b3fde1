//! A history put in order: commands with all their sendings, and what an announced restore took back.

use std::collections::BTreeMap;

use crate::{
    Fault, Invariant, Verdict,
    history::{CheckpointSeen, CopySeen, Delivered, Expect, Invoke, Line, Restore, Run, Seen},
    record::Receipt,
    text::unhex,
};

/// What tells a request from all others: the log, who sent it, its id.
pub type Key = (String, String, String);

/// A history, put in order.
#[derive(Debug, Default)]
pub struct Timeline<'a> {
    pub run: Run,
    /// Commands by request; several where an id was used again for another content.
    pub commands: BTreeMap<Key, Vec<Command>>,
    /// In order of time.
    pub restores: Vec<&'a Restore>,
    /// From when to when the database server was gone.
    pub crashes: Vec<(u64, u64)>,
    pub seen: Vec<&'a Seen>,
    pub copies: Vec<&'a CopySeen>,
    pub checkpoints: Vec<&'a CheckpointSeen>,
    pub delivered: Vec<&'a Delivered>,
}

/// A command with all its sendings.
#[derive(Debug)]
pub struct Command {
    pub name: String,
    pub content: String,
    pub expect: Option<Expect>,
    pub attempts: Vec<Attempt>,
}

/// One sending of a command.
#[derive(Debug)]
pub struct Attempt {
    pub from: u64,
    /// When the client knew, or gave up; never where it did neither.
    pub until: u64,
    pub outcome: Outcome,
}

/// What became of a sending, as far as its client knows.
#[derive(Debug)]
pub enum Outcome {
    Ok(Receipt),
    Fail,
    Unknown,
}

impl Command {
    pub fn answers(&self) -> impl Iterator<Item = (&Attempt, &Receipt)> {
        self.attempts.iter().filter_map(|attempt| match &attempt.outcome {
            Outcome::Ok(receipt) => Some((attempt, receipt)),
            Outcome::Fail | Outcome::Unknown => None,
        })
    }

    /// When it was sent for the first time.
    pub fn from(&self) -> u64 {
        self.attempts.iter().map(|attempt| attempt.from).min().unwrap_or(0)
    }

    /// Every sending of it was refused.
    pub fn is_refused(&self) -> bool {
        self.attempts.iter().all(|attempt| matches!(attempt.outcome, Outcome::Fail))
    }
}

impl<'a> Timeline<'a> {
    pub fn read(history: &'a [Line], verdict: &mut Verdict) -> Self {
        let mut timeline = Self::default();
        let mut places: BTreeMap<u64, (Key, usize, usize)> = BTreeMap::new();
        let mut faults = Vec::new();
        for line in history {
            match line {
                Line::Run(run) => timeline.run = run.clone(),
                Line::Invoke(invoke) => {
                    places.insert(invoke.attempt, timeline.invoke(invoke));
                }
                Line::Ok { at, attempt, receipt } => match unhex(receipt).and_then(|bytes| Receipt::read(&bytes)) {
                    Ok(receipt) => timeline.ended(places.get(attempt), *at, Outcome::Ok(receipt)),
                    Err(error) => verdict.violated(Invariant::Run, format!("answer {attempt}: {error:#}")),
                },
                Line::Fail { at, attempt, .. } => timeline.ended(places.get(attempt), *at, Outcome::Fail),
                Line::Unknown { at, attempt, .. } => timeline.ended(places.get(attempt), *at, Outcome::Unknown),
                Line::Fault { from, fault, .. } => faults.push((*from, fault)),
                Line::Crash { from, until } => timeline.crashes.push((*from, *until)),
                Line::Backup { .. } => {}
                Line::Restore(restore) => timeline.restores.push(restore),
                Line::Seen(seen) => timeline.seen.push(seen),
                Line::Copy(copy) => timeline.copies.push(copy),
                Line::Checkpoint(checkpoint) => timeline.checkpoints.push(checkpoint),
                Line::Delivered(delivered) => timeline.delivered.push(delivered),
            }
        }
        timeline.count(&faults, verdict);
        timeline
    }

    fn invoke(&mut self, invoke: &Invoke) -> (Key, usize, usize) {
        let key = (invoke.log.clone(), invoke.organisation.clone(), invoke.request_id.clone());
        let commands = self.commands.entry(key.clone()).or_default();
        let command = commands.iter().position(|command| command.content == invoke.content).unwrap_or_else(|| {
            let (name, content) = (invoke.command.clone(), invoke.content.clone());
            commands.push(Command { name, content, expect: invoke.expect, attempts: Vec::new() });
            commands.len() - 1
        });
        let attempts = &mut commands[command].attempts;
        attempts.push(Attempt { from: invoke.at, until: u64::MAX, outcome: Outcome::Unknown });
        (key, command, attempts.len() - 1)
    }

    fn ended(&mut self, place: Option<&(Key, usize, usize)>, at: u64, outcome: Outcome) {
        let Some((key, command, attempt)) = place else { return };
        let Some(commands) = self.commands.get_mut(key) else { return };
        let attempt = &mut commands[*command].attempts[*attempt];
        (attempt.until, attempt.outcome) = (at, outcome);
    }

    fn count(&self, faults: &[(u64, &String)], verdict: &mut Verdict) {
        let counts = &mut verdict.counts;
        for ((_, organisation, _), commands) in &self.commands {
            counts.organisations.insert(organisation.clone());
            for command in commands {
                counts.attempts += command.attempts.len();
                counts.replays += command.answers().filter(|(_, receipt)| receipt.replayed).count();
                *if command.answers().next().is_some() {
                    &mut counts.ok
                } else if command.is_refused() {
                    &mut counts.fail
                } else {
                    &mut counts.unknown
                } += 1;
            }
        }
        let attempts = || self.commands.values().flatten().flat_map(|command| &command.attempts);
        for (at, name) in faults {
            let fault: &mut Fault = counts.faults.entry((*name).clone()).or_default();
            fault.times += 1;
            fault.hit += usize::from(attempts().any(|attempt| attempt.from < *at && *at < attempt.until));
        }
        counts.restores = self.restores.len();
    }

    /// Whether an announced restore took back what was seen at a position of a log in an epoch, between two times.
    pub fn is_lost(&self, log: &str, epoch: &str, position: u64, from: u64, until: u64) -> bool {
        self.restores.iter().any(|restore| {
            let (Some(left), Some(found)) = (restore.left.get(log), restore.found.get(log)) else { return false };
            let before = until < restore.from || from < restore.until && epoch == left.epoch;
            before && position > found.position
        })
    }

    /// Whether a backup was being put back at any moment between two times.
    pub fn is_restored_between(&self, from: u64, until: u64) -> bool {
        self.restores.iter().any(|restore| from < restore.until && restore.from < until)
    }

    /// Whether the database server crashed, or a backup was put back, between two times.
    pub fn is_disturbed_between(&self, from: u64, until: u64) -> bool {
        let mut crashes = self.crashes.iter();
        crashes.any(|crash| from < crash.1 && crash.0 < until) || self.is_restored_between(from, until)
    }
}
