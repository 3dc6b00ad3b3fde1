//! How far a figure can be relied on, and the figure.

use contracts::toguna::{log::v1::Certainty, oversight::v1 as pb, r#type::v1 as types};
use jiff::civil::Date;

use crate::{TooLarge, calendar, money::Sums, record::Seen};

/// What stands behind a figure or a line. Combining is commutative, so that the order of records does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// How many records count.
    records: u32,
    /// The least certain of them.
    certainty: Certainty,
    /// Whether one of them is unconfirmed.
    unconfirmed: bool,
    /// Date of the latest source, by the last day that it may mean; of two that mean the same last day, the more exact.
    latest_source: Option<(Date, Exactness, types::Date)>,
}

type Exactness = (bool, bool);

impl Evidence {
    /// One record. `confirmed`: what was recorded from a source has been confirmed since.
    pub fn of<F>(seen: Seen<'_, F>, confirmed: bool) -> Self {
        let provenance = &seen.said.provenance;
        let issued = provenance.sources.iter().filter_map(|source| {
            let date = source.issued_on?;
            Some((calendar::last_day(date)?, (date.day > 0, date.month > 0), date))
        });
        let latest_source = issued.max_by_key(|(day, exactness, _)| (*day, *exactness));
        let unconfirmed = seen.is_from_source() && !confirmed;
        Self { records: 1, certainty: provenance.certainty(), unconfirmed, latest_source }
    }

    /// Adds a record.
    pub fn add<F>(&mut self, seen: Seen<'_, F>, confirmed: bool) {
        self.merge(&Self::of(seen, confirmed));
    }

    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.certainty = self.certainty.max(other.certainty);
        self.unconfirmed |= other.unconfirmed;
        let latest = [self.latest_source, other.latest_source].into_iter().flatten();
        self.latest_source = latest.max_by_key(|(day, exactness, _)| (*day, *exactness));
    }

    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    pub fn unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    pub fn latest_source(&self) -> Option<types::Date> {
        self.latest_source.map(|(_, _, date)| date)
    }
}

impl FromIterator<Self> for Evidence {
    fn from_iter<I: IntoIterator<Item = Self>>(evidence: I) -> Self {
        let mut all = Self::default();
        all.extend(evidence);
        all
    }
}

impl Extend<Self> for Evidence {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, others: I) {
        for other in others {
            self.merge(&other);
        }
    }
}

/// A sum and what stands behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    sums: Sums,
    pub evidence: Evidence,
}

impl Tally {
    /// Adds amounts of a record; with none of them the record does not count.
    pub fn add<'m, F>(
        &mut self,
        amounts: impl IntoIterator<Item = &'m types::Money>,
        seen: Seen<'_, F>,
        confirmed: bool,
    ) {
        let mut amounts = amounts.into_iter().peekable();
        if amounts.peek().is_some() {
            self.evidence.add(seen, confirmed);
        }
        for amount in amounts {
            self.sums.add(amount);
        }
    }

    /// Whether no record counts.
    pub fn is_empty(&self) -> bool {
        self.evidence.records == 0
    }

    /// Adds another sum to this one.
    pub fn absorb(&mut self, other: &Self) {
        self.sums.add_all(&other.sums);
        self.evidence.merge(&other.evidence);
    }

    /// This sum less another.
    pub fn less(mut self, other: &Self) -> Self {
        self.sums.subtract_all(&other.sums);
        self.evidence.merge(&other.evidence);
        self
    }

    pub fn figure(&self) -> Result<pb::Figure, TooLarge> {
        Ok(pb::Figure {
            amounts: self.sums.amounts()?,
            derived: self.sums.derived()?,
            certainty: self.evidence.certainty().into(),
            unconfirmed: self.evidence.unconfirmed(),
            records: self.evidence.records,
        })
    }
}
