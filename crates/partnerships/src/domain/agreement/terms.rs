//! The instrument's own rules, as data: when it enters into force, whom amendments bind, how it is denounced.

use std::collections::BTreeMap;

use event_sourcing::{Date, PartialDate};

use super::{error::AgreementError, events::AgreementScope};

/// Months of notice where the instrument says nothing: that of article 56 of the Vienna Convention on the Law of
/// Treaties.
pub const DEFAULT_NOTICE_MONTHS: u32 = 12;

/// The instrument's own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// When it enters into force.
    pub entry_into_force: EntryIntoForce,
    /// Whom an amendment binds.
    pub amendment: AmendmentRule,
    /// Months of notice that a denunciation takes.
    pub denunciation_notice_months: u32,
    /// Whether others may accede.
    pub accession: AccessionRule,
}

/// When an agreement enters into force (rule A1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryIntoForce {
    /// The instrument has no such rule, or it is not known: the register decides nothing by itself.
    NotProvided,
    /// When all these have consented, by signature above all. Nobody named and no number: when all parties have.
    OnSignature {
        /// Parties without which it does not enter into force.
        parties: Vec<String>,
        /// How many others it takes besides.
        others: u32,
    },
    /// A delay after the consent of so many parties.
    AfterConsents {
        /// How many parties.
        consents: u32,
        /// How long after.
        delay: Delay,
    },
    /// A delay after the last of all parties has consented.
    AfterLastConsent {
        /// How long after.
        delay: Delay,
    },
    /// On this day, as soon as two parties have consented, be it before or after it.
    OnDate(PartialDate),
}

/// How long after an event something takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// At once.
    None,
    /// So many days later.
    Days(u32),
    /// On the first day of the so-many-th month after that of the event.
    FirstOfMonth(u32),
}

/// Whom an amendment binds (rule A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmendmentRule {
    /// All parties, once all have accepted it.
    AllParties,
    /// Those that accept it, once two have.
    AcceptingParties,
    /// All parties, once so many have accepted it.
    AllAfterAcceptances(u32),
}

/// Whether others may accede.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessionRule {
    /// Nobody may.
    Closed,
    /// Any partner may.
    Open,
}

/// From when something holds; `None`: from a day that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(pub Option<PartialDate>);

/// Parties that have consented, and since when.
pub type Consents<'a> = BTreeMap<&'a str, Since>;

impl Since {
    fn then(self, delay: Delay) -> Self {
        Self(self.0.and_then(|date| delay.after(date)))
    }
}

impl EntryIntoForce {
    /// Since when the rule is met by these consents of these parties. `None`: not met yet.
    pub fn met(&self, parties: &[&str], consents: &Consents<'_>) -> Option<Since> {
        let last = |needed: &[&str]| -> Option<Since> {
            let dates: Option<Vec<_>> = needed.iter().map(|party| consents.get(party).copied()).collect();
            dates.map(latest)
        };
        match self {
            Self::NotProvided => None,
            Self::OnSignature { parties: named, others: 0 } if named.is_empty() => last(parties),
            Self::OnSignature { parties: named, others } => {
                let named: Vec<&str> = named.iter().map(String::as_str).collect();
                if *others == 0 {
                    return last(&named);
                }
                let rest = consents.iter().filter(|(party, _)| !named.contains(party)).map(|(_, date)| *date);
                Some(latest([last(&named)?, nth(rest.collect(), *others)?]))
            }
            Self::AfterConsents { consents: count, delay } => {
                Some(nth(consents.values().copied().collect(), *count)?.then(*delay))
            }
            Self::AfterLastConsent { delay } => Some(last(parties)?.then(*delay)),
            Self::OnDate(date) => (consents.len() >= 2).then_some(Since(Some(*date))),
        }
    }

    /// A rule names parties only, and asks for no more of them than there can be.
    fn check(&self, parties: &[String], accession: AccessionRule) -> Result<(), AgreementError> {
        let (named, wanted) = match self {
            Self::NotProvided | Self::AfterLastConsent { .. } | Self::OnDate(_) => return Ok(()),
            Self::OnSignature { parties: named, others } => (named.as_slice(), named.len() + to_usize(*others)),
            Self::AfterConsents { consents, .. } => (&[][..], to_usize(*consents).max(1)),
        };
        if let Some(stranger) = named.iter().find(|named| !parties.contains(named)) {
            return Err(AgreementError::NotAParty { organisation: stranger.clone() });
        }
        within(wanted, parties, accession)
    }
}

impl Delay {
    /// The day that lies so long after a date; `None`: the date is not known well enough.
    pub fn after(self, date: PartialDate) -> Option<PartialDate> {
        match self {
            Self::None | Self::Days(0) => Some(date),
            Self::Days(days) => days_later(date.exact()?, days).map(Into::into),
            Self::FirstOfMonth(months) => {
                let (year, month, _) = date.parts();
                let first = Date::new(year, month?, 1).ok()?;
                months_later(first, months).map(Into::into)
            }
        }
    }
}

impl AmendmentRule {
    /// The rule of an instrument that says nothing (VCLT 40): two parties must both accept; of several, those that
    /// accept are bound.
    pub fn default_of(scope: AgreementScope) -> Self {
        match scope {
            AgreementScope::Bilateral => Self::AllParties,
            AgreementScope::Regional | AgreementScope::Global => Self::AcceptingParties,
        }
    }
}

impl Terms {
    /// The rules fit the parties.
    pub fn check(&self, parties: &[String]) -> Result<(), AgreementError> {
        self.entry_into_force.check(parties, self.accession)?;
        match self.amendment {
            AmendmentRule::AllParties | AmendmentRule::AcceptingParties => Ok(()),
            AmendmentRule::AllAfterAcceptances(count) => within(to_usize(count).max(1), parties, self.accession),
        }
    }
}

fn within(wanted: usize, parties: &[String], accession: AccessionRule) -> Result<(), AgreementError> {
    if wanted > parties.len() && accession == AccessionRule::Closed {
        return Err(AgreementError::RuleCannotBeMet { wanted, parties: parties.len() });
    }
    Ok(())
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The last of some dates; not known where one of them is not.
pub fn latest(dates: impl IntoIterator<Item = Since>) -> Since {
    let dates: Option<Vec<_>> = dates.into_iter().map(|since| since.0).collect();
    Since(dates.and_then(|dates| dates.into_iter().max()))
}

/// The date on which the n-th of some things had happened. Those of unknown date may have been among the first, so the
/// date is known only where they cannot have been.
pub fn nth(dates: Vec<Since>, count: u32) -> Option<Since> {
    let count = to_usize(count);
    if dates.len() < count {
        return None;
    }
    let all_known: Option<Vec<_>> = dates.into_iter().map(|since| since.0).collect();
    Some(Since(all_known.and_then(|mut known| {
        known.sort_unstable();
        known.get(count.checked_sub(1)?).copied()
    })))
}

fn days_later(day: Date, days: u32) -> Option<Date> {
    let seconds = u64::from(days) * 24 * 60 * 60;
    day.checked_add(std::time::Duration::from_secs(seconds)).ok()
}

/// The same day so many months later, or the last day of that month where it is shorter.
pub fn months_later(day: Date, months: u32) -> Option<Date> {
    let months = i64::from(day.year()) * 12 + i64::from(day.month()) - 1 + i64::from(months);
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, day.day().min(first.days_in_month())).ok()
}

#[cfg(test)]
mod tests;
