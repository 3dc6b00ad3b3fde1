//! The recorded past of one stream, and the state that it makes.

use std::collections::HashMap;

use jiff::civil::Date;
use rpds::VectorSync;

use crate::{Aggregate, Correction, Draft, Recorded};

/// What a stream can hold: facts of its aggregate, and what was said of mistaken ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<E> {
    /// Something happened.
    Fact(E),
    /// One person proposed a correction.
    CorrectionProposed(Correction<E>),
    /// A second person confirmed it.
    Corrected {
        /// Version of the proposal.
        proposal_version: u64,
        /// What was proposed.
        correction: Correction<E>,
    },
}

/// Facts as entries, for commands that only add facts.
pub fn entries<E>(drafts: Vec<Draft<E>>) -> Vec<Draft<Entry<E>>> {
    drafts.into_iter().map(|draft| draft.map(Entry::Fact)).collect()
}

type Entries<E> = VectorSync<Recorded<Entry<E>>>;

/// The entries of a stream, in order, and the state after the last one. A clone shares the entries, so that a command
/// on a long stream costs no more than one on a short stream.
#[derive(Clone)]
pub struct History<A: Aggregate> {
    entries: Entries<A::Event>,
    state: A,
}

impl<A: Aggregate> Default for History<A> {
    fn default() -> Self {
        Self { entries: Entries::new_sync(), state: A::default() }
    }
}

impl<A: Aggregate> History<A> {
    /// The history of these entries: versions 1, 2, 3, ….
    pub fn from_entries(entries: impl IntoIterator<Item = Recorded<Entry<A::Event>>>) -> Self {
        let entries: Entries<A::Event> = entries.into_iter().collect();
        let state = fold(&entries, ALL, |_| true);
        Self { entries, state }
    }

    /// Adds the next entry. A correction folds the whole stream again; a fact only itself.
    pub fn push(&mut self, entry: Recorded<Entry<A::Event>>) {
        match &entry.event {
            Entry::Fact(fact) => {
                let recorded = entry.with(fact.clone());
                self.state = std::mem::take(&mut self.state).evolve(&recorded);
                self.entries.push_back_mut(entry);
            }
            Entry::CorrectionProposed(_) => self.entries.push_back_mut(entry),
            Entry::Corrected { .. } => {
                self.entries.push_back_mut(entry);
                self.state = fold(&self.entries, ALL, |_| true);
            }
        }
    }

    /// The state after the last entry.
    pub fn state(&self) -> &A {
        &self.state
    }

    /// The state of the world on the evening of a day, as the whole stream knows it today.
    pub fn state_as_of(&self, day: Date) -> A {
        fold(&self.entries, ALL, |event| A::is_timeless(&event.event) || event.counts_from() <= day)
    }

    /// The state after the entry of that version: what was known then.
    pub fn state_at(&self, version: u64) -> A {
        fold(&self.entries, version, |_| true)
    }

    /// The history as it was at that version.
    #[must_use]
    pub fn at(&self, version: u64) -> Self {
        if version >= self.version() {
            self.clone()
        } else {
            Self::from_entries(up_to(&self.entries, version).cloned())
        }
    }

    /// Version of the last entry; 0: nothing was recorded.
    pub fn version(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.version)
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Recorded<Entry<A::Event>>> {
        self.entries.iter()
    }

    /// The facts, in order of recording, each as it was last corrected.
    pub fn facts(&self) -> impl Iterator<Item = Recorded<A::Event>> {
        facts(&self.entries, ALL)
    }

    /// The entry of a version.
    pub fn recorded(&self, version: u64) -> Option<&Recorded<Entry<A::Event>>> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        self.entries.get(index)
    }
}

/// The version up to which everything counts.
const ALL: u64 = u64::MAX;

fn up_to<E>(entries: &Entries<E>, version: u64) -> impl Iterator<Item = &Recorded<Entry<E>>> {
    entries.iter().take(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Folds the facts that count.
fn fold<A: Aggregate>(entries: &Entries<A::Event>, version: u64, counts: impl Fn(&Recorded<A::Event>) -> bool) -> A {
    facts(entries, version).filter(counts).fold(A::default(), |state, fact| state.evolve(&fact))
}

/// The facts up to a version, each replaced by the last correction confirmed for it by then.
fn facts<E: Clone>(entries: &Entries<E>, version: u64) -> impl Iterator<Item = Recorded<E>> {
    let corrections: HashMap<u64, (u64, &Correction<E>)> = up_to(entries, version)
        .filter_map(|entry| match &entry.event {
            Entry::Corrected { correction, .. } => Some((correction.mistaken_version, (entry.version, correction))),
            _ => None,
        })
        .collect();
    up_to(entries, version).filter_map(move |entry| {
        let Entry::Fact(fact) = &entry.event else { return None };
        Some(match corrections.get(&entry.version) {
            None => entry.with(fact.clone()),
            Some((at, correction)) => Recorded {
                effective_on: correction.effective_on.or(entry.effective_on),
                corrected_at: Some(*at),
                ..entry.with(correction.right.clone())
            },
        })
    })
}
