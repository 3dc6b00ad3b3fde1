//! What was found, and how much was looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How many violations of one invariant are told; the others are only counted.
const TOLD: usize = 12;

/// What must hold, by its number in the list at the top of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// The run says something at all.
    Run,
    /// No acknowledged command is lost.
    I1,
    /// No command has its effect twice.
    I2,
    /// A refused command had no effect, an unknown one all or nothing.
    I3,
    /// A log has no gap and is never rewritten.
    I4,
    /// Real-time order.
    I5,
    /// Versions of streams.
    I6,
    /// Read models and checkpoints.
    I7,
    /// Copies in JetStream.
    I8,
    /// Consumers.
    I9,
    /// The tree in the head row.
    I10,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What does not.
    pub invariant: Invariant,
    /// Where.
    pub what: String,
}

/// How often a fault came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fault {
    /// How often.
    pub times: usize,
    /// How often a command was in flight when it struck.
    pub hit: usize,
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands that were acknowledged at least once.
    pub ok: usize,
    /// Commands that were only ever refused.
    pub fail: usize,
    /// Commands of which nobody knows.
    pub unknown: usize,
    /// Sendings of all of them.
    pub attempts: usize,
    /// Answers that said that they were a replay.
    pub replays: usize,
    /// Organisations that sent them.
    pub organisations: BTreeSet<String>,
    /// Acknowledged commands that an announced restore took back.
    pub lost_by_restore: usize,
    /// Restores that were announced.
    pub restores: usize,
    /// Faults, by kind.
    pub faults: BTreeMap<String, Fault>,
    /// Events of the logs, each compared with its copy and with every look that anybody had at it.
    pub events: usize,
    /// Records that were seen while the run went on.
    pub seen: usize,
    /// Events that consumers were given.
    pub delivered: usize,
    /// Looks at checkpoints and at the ends of copies.
    pub looks: usize,
    /// Rows of read models that were compared with a fold from zero.
    pub rows: usize,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// How much was looked at.
    pub counts: Counts,
    /// Which invariants were looked at.
    pub checked: BTreeSet<Invariant>,
    /// What does not hold; of each invariant the first few.
    pub violations: Vec<Violation>,
    found: BTreeMap<Invariant, usize>,
}

impl Verdict {
    /// Whether all holds.
    pub fn holds(&self) -> bool {
        self.found.is_empty()
    }

    /// The invariants that do not hold.
    pub fn broken(&self) -> impl Iterator<Item = Invariant> {
        self.found.keys().copied()
    }

    pub(crate) fn violated(&mut self, invariant: Invariant, what: String) {
        let found = self.found.entry(invariant).or_default();
        *found += 1;
        if *found <= TOLD {
            self.violations.push(Violation { invariant, what });
        }
    }

    /// Says that something does not hold, unless it does.
    pub(crate) fn require(&mut self, invariant: Invariant, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violated(invariant, what());
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(
            f,
            "commands: {} ok, {} fail, {} unknown, in {} sendings by {} organisations; {} replays; {} lost by {} \
             announced restores",
            counts.ok,
            counts.fail,
            counts.unknown,
            counts.attempts,
            counts.organisations.len(),
            counts.replays,
            counts.lost_by_restore,
            counts.restores
        )?;
        let total = |count: fn(&Fault) -> usize| counts.faults.values().map(count).sum::<usize>();
        writeln!(f, "faults: {}, {} of them hit a command in flight", total(|f| f.times), total(|f| f.hit))?;
        for (name, fault) in &counts.faults {
            writeln!(f, "  {name}: {}, {} hit", fault.times, fault.hit)?;
        }
        writeln!(
            f,
            "checked: {} events, {} records seen meanwhile, {} deliveries, {} looks at checkpoints and copies, {} rows \
             folded again",
            counts.events, counts.seen, counts.delivered, counts.looks, counts.rows
        )?;
        for violation in &self.violations {
            writeln!(f, "{}: {}", violation.invariant, violation.what)?;
        }
        for (invariant, found) in self.found.iter().filter(|(_, found)| **found > TOLD) {
            writeln!(f, "{invariant}: and {} more", found - TOLD)?;
        }
        let names = |invariants: &mut dyn Iterator<Item = &Invariant>| {
            invariants.map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        if self.holds() {
            write!(f, "verdict: {} hold", names(&mut self.checked.iter()))
        } else {
            write!(f, "verdict: BROKEN: {}", names(&mut self.found.keys()))
        }
    }
}
