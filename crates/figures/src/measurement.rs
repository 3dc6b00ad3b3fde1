//! What was measured: values by definition, subject and period. Where they differ, all of them stand.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use contracts::toguna::{
    commitments::events::v1::{
        IndicatorDefinition, IndicatorValueReported, IndicatorValueRestated, MeasurePoint, Qualifier, Quantity,
    },
    oversight::v1 as pb,
    r#type::v1::{Date, Period},
};
use rust_decimal::Decimal;

use crate::{Log, calendar, events::commitments::Commitment, evidence::Evidence, record::Seen, view::LogView};

/// The values of one indicator for one definition, subject and period.
pub(crate) struct Measured<'a> {
    pub indicator: &'a str,
    pub definition: Option<&'a IndicatorDefinition>,
    pub point: &'a MeasurePoint,
    target: Option<&'a Quantity>,
    /// In order of recording.
    values: Vec<Value<'a>>,
}

struct Value<'a> {
    reported: &'a IndicatorValueReported,
    record: Seen<'a, Commitment>,
    restated: Option<(&'a IndicatorValueRestated, Seen<'a, Commitment>)>,
}

/// Definition, subject, first and last day, as recorded.
type Point<'a> = (u32, &'a str, Option<[i32; 3]>, Option<[i32; 3]>);

fn key(point: &MeasurePoint) -> Point<'_> {
    let parts = |date: Option<Date>| date.map(|date| [date.year, date.month, date.day]);
    let period = point.period.unwrap_or_default();
    (point.definition, &point.subject, parts(period.start), parts(period.end))
}

/// Everything that was measured, in order of indicator, definition, subject and period.
pub(crate) fn measured(log: LogView<'_, Commitment>) -> Vec<Measured<'_>> {
    log.streams("indicators").flat_map(|indicator| measured_by(log, indicator)).collect()
}

fn measured_by<'a>(log: LogView<'a, Commitment>, indicator: &'a str) -> Vec<Measured<'a>> {
    let mut definitions = HashMap::new();
    for seen in log.known(indicator) {
        if let Commitment::IndicatorDefined(event) = seen.fact() {
            definitions.insert(event.version, event.definition.as_ref());
        }
    }
    let mut targets = HashMap::new();
    let mut points: BTreeMap<Point<'a>, Vec<Value<'a>>> = BTreeMap::new();
    let mut restated = HashMap::new();
    for seen in log.counted(indicator) {
        match seen.fact() {
            Commitment::IndicatorTargetSet(event) => {
                let point = event.point.as_ref().map(key);
                targets.extend(point.map(|point| (point, event.target.as_ref())));
            }
            Commitment::IndicatorValueReported(event) => {
                let value = Value { reported: event, record: seen, restated: None };
                let point = event.point.as_ref().map(key);
                points.entry(point.unwrap_or_default()).or_default().push(value);
            }
            Commitment::IndicatorValueRestated(event) => {
                restated.insert(event.value_version, (event, seen));
            }
            _ => {}
        }
    }
    let with_restatement = |value: Value<'a>| {
        let restated = restated.get(&value.record.record.version).copied();
        Value { restated, ..value }
    };
    let measured = |(point, values): (Point<'a>, Vec<Value<'a>>)| {
        let values: Vec<_> = values.into_iter().map(with_restatement).collect();
        Some(Measured {
            indicator,
            definition: definitions.get(&point.0).copied().flatten(),
            point: values.first()?.reported.point.as_ref()?,
            target: targets.get(&point).copied().flatten(),
            values,
        })
    };
    points.into_iter().filter_map(measured).collect()
}

/// Of those of one indicator, definition and subject, the one of the latest period.
pub(crate) fn latest<'a, 'm>(measured: impl IntoIterator<Item = &'m Measured<'a>>) -> Vec<&'m Measured<'a>>
where
    'a: 'm,
{
    let mut latest: BTreeMap<_, &Measured<'a>> = BTreeMap::new();
    for one in measured {
        let kept = latest.entry((one.indicator, one.point.definition, one.point.subject.as_str())).or_insert(one);
        if one.by_period(kept) == Ordering::Greater {
            *kept = one;
        }
    }
    latest.into_values().collect()
}

impl Measured<'_> {
    /// By last day, then by first day; an open end is the latest, an open beginning the earliest.
    fn by_period(&self, other: &Self) -> Ordering {
        let span = |measured: &Self| {
            let Period { start, end } = measured.point.period.unwrap_or_default();
            (end.map_or(jiff::civil::Date::MAX, last_day), start.map(last_day))
        };
        span(self).cmp(&span(other))
    }

    pub fn evidence(&self) -> Evidence {
        let restatements = self.values.iter().filter_map(|value| value.restated.map(|(_, seen)| seen));
        let records = self.values.iter().map(|value| value.record).chain(restatements);
        records.map(|seen| Evidence::of(seen, false)).collect()
    }

    pub fn report(&self) -> pb::Measurement {
        let quantities: Vec<_> = self.values.iter().filter_map(Value::quantity).collect();
        let conflicting = quantities
            .iter()
            .enumerate()
            .any(|(index, one)| quantities[index + 1..].iter().any(|other| contradict(one, other)));
        pb::Measurement {
            indicator: self.indicator.into(),
            definition_version: self.point.definition,
            definition: self.definition.cloned(),
            subject: self.point.subject.clone(),
            period: self.point.period,
            target: self.target.cloned(),
            values: self.values.iter().map(Value::report).collect(),
            conflicting,
        }
    }
}

fn last_day(date: Date) -> jiff::civil::Date {
    calendar::last_day(date).unwrap_or(jiff::civil::Date::MIN)
}

impl Value<'_> {
    fn quantity(&self) -> Option<&Quantity> {
        self.restated.map_or(self.reported.value.as_ref(), |(restated, _)| restated.value.as_ref())
    }

    fn report(&self) -> pb::MeasuredValue {
        let status = self.restated.map_or(self.reported.source_status, |(restated, _)| restated.source_status);
        pb::MeasuredValue {
            value_version: self.record.record.version,
            value: self.quantity().cloned(),
            source_status: status,
            restated_from: self.restated.and_then(|_| self.reported.value.clone()),
            record: Some(self.record.cited(Log::Commitments)),
            restatement: self.restated.map(|(_, seen)| seen.cited(Log::Commitments)),
        }
    }
}

/// Whether both cannot be right. Words contradict nothing; two numbers do when they differ, even where one is only
/// about right; a number contradicts a greater least one.
fn contradict(one: &Quantity, other: &Quantity) -> bool {
    let number = |quantity: &Quantity| quantity.value.as_ref().and_then(|value| value.value.parse::<Decimal>().ok());
    let (Some(first), Some(second)) = (number(one), number(other)) else { return false };
    match (one.qualifier(), other.qualifier()) {
        (Qualifier::InWords | Qualifier::Unspecified, _)
        | (_, Qualifier::InWords | Qualifier::Unspecified)
        | (Qualifier::AtLeast, Qualifier::AtLeast) => false,
        (Qualifier::AtLeast, Qualifier::Exact | Qualifier::About) => second < first,
        (Qualifier::Exact | Qualifier::About, Qualifier::AtLeast) => first < second,
        (Qualifier::Exact | Qualifier::About, Qualifier::Exact | Qualifier::About) => first != second,
    }
}
