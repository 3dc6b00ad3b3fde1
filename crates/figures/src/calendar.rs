//! Civil dates on the wire.

use contracts::toguna::r#type::v1 as types;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The last day that a date, of which the day or the month may be unknown, can mean; `None`: in no calendar.
pub(crate) fn last_day(date: types::Date) -> Option<Date> {
    let year = i16::try_from(date.year).ok().filter(|year| *year >= 1)?;
    let part = |number: i32| i8::try_from(number).ok();
    match (part(date.month)?, part(date.day)?) {
        (0, 0) => Date::new(year, 12, 31).ok(),
        (month, 0) => Date::new(year, month, 1).ok().map(Date::last_of_month),
        (month, day) => Date::new(year, month, day).ok(),
    }
}

/// A full date on the wire.
pub(crate) fn to_proto(date: Date) -> types::Date {
    types::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// The day of a time, in UTC.
pub(crate) fn day_of(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}

/// A time from the wire; `None`: out of range.
pub(crate) fn time(time: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: i32, day: i32) -> types::Date {
        types::Date { year, month, day }
    }

    #[test]
    fn a_date_counts_from_the_last_day_it_may_mean() {
        assert_eq!(last_day(date(2016, 0, 0)), Date::new(2016, 12, 31).ok());
        assert_eq!(last_day(date(2016, 2, 0)), Date::new(2016, 2, 29).ok());
        assert_eq!(last_day(date(2016, 2, 3)), Date::new(2016, 2, 3).ok());
    }

    #[test]
    fn what_is_in_no_calendar_is_no_date() {
        for (year, month, day) in [(0, 1, 1), (2015, 13, 1), (2015, 2, 29), (2015, 0, 3), (99_999, 1, 1), (2015, -1, 0)]
        {
            assert_eq!(last_day(date(year, month, day)), None, "{year}-{month}-{day}");
        }
    }
}
