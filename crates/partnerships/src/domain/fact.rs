//! Dated facts, and whose word they rest on.
//!
//! **A record from a source is shown, and binds nobody.** Most of the past reaches the register from what others
//! published: that a convention was signed in 1994 is a fact that it must show. But a published record is not the act
//! of the organisation that it speaks of. So the register shows what sources say, and it binds or releases an
//! organisation only on what that organisation did: its own act, or a record that it has confirmed. A confirmation
//! keeps a copy of what it confirms; when the record is later corrected to say something else, it is unconfirmed again.

use std::{cmp::Ordering, collections::BTreeMap};

use event_sourcing::{Act, Basis, Date, Draft, PartialDate, Recorded};

use super::act::{ActError, SPEAKERS, require_role};

/// When something happened, and the record that says so. Ordered by date, then by recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Version of the record in the stream.
    pub version: u64,
    /// When it happened; `None`: not known.
    pub on: Option<PartialDate>,
    /// The day from which it counts: that of the recording, where no date is known.
    counts_from: Date,
}

/// A state of affairs that begins and may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub start: Fact,
    /// Its end; `None`: it lasts.
    pub end: Option<Fact>,
}

/// An event on its way into a state: read from the log, or just decided.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a, E> {
    /// The event.
    pub event: &'a E,
    /// When, and where it is or will be recorded.
    pub fact: Fact,
    /// The act that brought it.
    pub act: &'a Act,
}

/// Whose word a fact rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The organisation's own act, or the register's decision under a rule.
    OwnAct,
    /// Recorded from a source.
    Unconfirmed,
    /// Recorded from a source and confirmed by the organisation.
    Confirmed,
}

/// An organisation's word that a record from a source is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation<E> {
    /// Version of the record.
    pub version: u64,
    /// What it said when it was confirmed.
    pub event: E,
    /// Its date when it was confirmed.
    pub effective_on: Option<PartialDate>,
}

/// How far a stream has come, and its records from sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records<E> {
    last_version: u64,
    from_sources: BTreeMap<u64, FromSource<E>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FromSource<E> {
    organisation: String,
    event: E,
    on: Option<PartialDate>,
    confirmed: bool,
}

impl Fact {
    /// Whether it may have happened by a day. Refusals rest on this: what may have been is not refused.
    pub fn may_be_by(&self, day: Date) -> bool {
        self.on.is_none_or(|on| on.earliest() <= day)
    }

    /// The day from which it counts.
    pub fn counts_from(&self) -> Date {
        self.counts_from
    }
}

impl Ord for Fact {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.counts_from, self.version).cmp(&(other.counts_from, other.version))
    }
}

impl PartialOrd for Fact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Span {
    /// One that lasts.
    pub fn from(start: Fact) -> Self {
        Self { start, end: None }
    }

    /// The same, ended.
    #[must_use]
    pub fn until(self, end: Fact) -> Self {
        Self { end: Some(end), ..self }
    }

    /// Whether it may cover a day.
    pub fn may_cover(&self, day: Date) -> bool {
        self.start.may_be_by(day) && self.end.is_none_or(|end| end.on.is_none_or(|on| day < on.latest()))
    }
}

impl<'a, E> From<&'a Recorded<E>> for Applied<'a, E> {
    fn from(recorded: &'a Recorded<E>) -> Self {
        let fact = Fact { version: recorded.version, on: recorded.effective_on, counts_from: recorded.counts_from() };
        Self { event: &recorded.event, fact, act: &recorded.act }
    }
}

impl<E> Default for Records<E> {
    fn default() -> Self {
        Self { last_version: 0, from_sources: BTreeMap::new() }
    }
}

impl<E: Clone + PartialEq> Records<E> {
    /// The event of an act as it will be once it is recorded.
    pub fn next<'a>(&self, draft: &'a Draft<E>, act: &'a Act) -> Applied<'a, E> {
        let on = draft.effective_on;
        let counts_from = on.map_or(act.today, PartialDate::latest);
        Applied { event: &draft.event, fact: Fact { version: self.last_version + 1, on, counts_from }, act }
    }

    /// Takes note of a record. What the register decided itself (`decided`) waits for nobody's confirmation.
    pub fn note(&mut self, applied: &Applied<'_, E>, decided: bool) {
        self.last_version = applied.fact.version;
        if applied.act.basis == Basis::RecordedFromSource && !decided {
            let organisation = applied.act.on_behalf_of.clone();
            let from_source =
                FromSource { organisation, event: applied.event.clone(), on: applied.fact.on, confirmed: false };
            self.from_sources.insert(applied.fact.version, from_source);
        }
    }

    /// Takes note of a confirmation; one of what the record no longer says is void.
    pub fn confirm(&mut self, confirmation: &Confirmation<E>) {
        if let Some(record) = self.from_sources.get_mut(&confirmation.version)
            && record.event == confirmation.event
            && record.on == confirmation.effective_on
        {
            record.confirmed = true;
        }
    }

    /// Whose word a fact rests on.
    pub fn standing(&self, fact: &Fact) -> Standing {
        match self.from_sources.get(&fact.version) {
            None => Standing::OwnAct,
            Some(FromSource { confirmed: true, .. }) => Standing::Confirmed,
            Some(FromSource { confirmed: false, .. }) => Standing::Unconfirmed,
        }
    }

    /// Whether a fact counts as the organisation's own act.
    pub fn counts(&self, fact: &Fact) -> bool {
        self.standing(fact) != Standing::Unconfirmed
    }

    /// The records that wait for confirmation, and by whom.
    pub fn unconfirmed(&self) -> impl Iterator<Item = (u64, &str)> {
        self.from_sources
            .iter()
            .filter(|(_, record)| !record.confirmed)
            .map(|(version, record)| (*version, record.organisation.as_str()))
    }

    /// Confirms a record; `None`: it is confirmed already.
    pub fn confirmation(&self, version: u64, act: &Act) -> Result<Option<Confirmation<E>>, ActError> {
        let record = self.from_sources.get(&version).ok_or(ActError::NothingToConfirm { version })?;
        let organisation = record.organisation.clone();
        if act.on_behalf_of != organisation {
            return Err(ActError::NotYoursToConfirm { version, organisation });
        }
        if act.basis != Basis::Act {
            return Err(ActError::OwnActRequired { organisation });
        }
        require_role(act, SPEAKERS)?;
        Ok((!record.confirmed).then(|| Confirmation { version, event: record.event.clone(), effective_on: record.on }))
    }
}
