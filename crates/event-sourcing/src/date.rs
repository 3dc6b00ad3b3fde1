//! Dates as exactly as a source gives them.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::civil::Date;

/// A date of which the day, or the day and the month, may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

/// Such a day is in no calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such date")]
pub struct InvalidDate;

impl PartialDate {
    /// Only the year is known: 1 to 9999.
    pub fn year(year: i16) -> Result<Self, InvalidDate> {
        Self::checked(Self { year, month: None, day: None })
    }

    /// The year and the month, 1 to 12, are known.
    pub fn month(year: i16, month: i8) -> Result<Self, InvalidDate> {
        Self::checked(Self { year, month: Some(month), day: None })
    }

    /// The day is known.
    pub fn day(year: i16, month: i8, day: i8) -> Result<Self, InvalidDate> {
        Self::checked(Self { year, month: Some(month), day: Some(day) })
    }

    fn checked(self) -> Result<Self, InvalidDate> {
        let first = Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        match first {
            Ok(date) if date.year() >= 1 => Ok(self),
            _ => Err(InvalidDate),
        }
    }

    /// Year, month and day, as far as known.
    pub fn parts(self) -> (i16, Option<i8>, Option<i8>) {
        (self.year, self.month, self.day)
    }

    /// The first day that it may mean.
    pub fn earliest(self) -> Date {
        jiff::civil::date(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))
    }

    /// The last day that it may mean: from here on the fact is certain to have happened.
    pub fn latest(self) -> Date {
        let month = jiff::civil::date(self.year, self.month.unwrap_or(12), 1);
        self.day.map_or_else(|| month.last_of_month(), |_| self.earliest())
    }

    /// The day, where it is known.
    pub fn exact(self) -> Option<Date> {
        self.day.map(|_| self.earliest())
    }
}

impl From<Date> for PartialDate {
    fn from(date: Date) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

/// By the last day each may mean, then the less exact later.
impl Ord for PartialDate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.latest().cmp(&other.latest()).then_with(|| other.earliest().cmp(&self.earliest()))
    }
}

impl PartialOrd for PartialDate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `2016-04-15`, `2016-04` or `2016`.
impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        self.month.map_or(Ok(()), |month| write!(f, "-{month:02}"))?;
        self.day.map_or(Ok(()), |day| write!(f, "-{day:02}"))
    }
}

impl FromStr for PartialDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())
                .flatten()
                .ok_or(InvalidDate)
        };
        let small = |part: &str| digits(part, 2).map(|number| i8::try_from(number).unwrap_or(0));
        match text.split('-').collect::<Vec<_>>()[..] {
            [year] => Self::year(digits(year, 4)?),
            [year, month] => Self::month(digits(year, 4)?, small(month)?),
            [year, month, day] => Self::day(digits(year, 4)?, small(month)?, small(day)?),
            _ => Err(InvalidDate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_certain_to_have_come_on_its_last_day() {
        let year: PartialDate = "2015".parse().expect("a year");
        assert_eq!(year.latest(), jiff::civil::date(2015, 12, 31));
        assert_eq!(year.earliest(), jiff::civil::date(2015, 1, 1));
        assert_eq!(year.exact(), None);
    }

    #[test]
    fn a_month_ends_with_its_last_day_leap_years_too() {
        let month: PartialDate = "2016-02".parse().expect("a month");
        assert_eq!(month.latest(), jiff::civil::date(2016, 2, 29));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "15", "2016-13", "2016-00", "2015-02-29", "2016-1-1", "0000", "2016-01-01-01", "+016", "١٢٣٤"]
        {
            assert_eq!(text.parse::<PartialDate>(), Err(InvalidDate), "{text}");
        }
    }

    #[test]
    fn a_date_reads_back_as_written() {
        for text in ["2016", "2016-04", "2016-04-15"] {
            assert_eq!(text.parse::<PartialDate>().expect("a date").to_string(), text);
        }
    }
}
