//! What lists are answered from. The state of the world changes with the day as well as with the log: an agreement
//! ends on the day that its denunciation names, and nothing is recorded on that day. So a resource has one row for each
//! span of days in which it looks the same, and a list as of any day takes the rows whose span holds it. The rows are
//! the same whatever the batches in which the events came, and on whatever day they are made.

mod agreements;
mod dialogues;
mod partners;

use std::collections::BTreeSet;

use contracts::toguna::log::v1::EventRecord;
use event_store::{Column, Condition, Date, History, Holds, Log, ProjectionError, Relation};
use prost::Message as _;
use sqlx::migrate::Migrator;

pub use agreements::{AGREEMENTS, Agreements};
pub use dialogues::{DIALOGUES, Dialogues};
pub use partners::{PARTNERS, Partners};

use crate::resource::Resource;

/// The shape of the tables: to be raised whenever they change so that they must be filled anew.
pub const VERSION: u32 = 2;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Days before all dates and after all dates, as Postgres writes them.
const BEGINNING: &str = "-infinity";
const NO_END: &str = "infinity";

/// How a resource looks from a day on, until the day before another.
struct Slice<R> {
    /// First day, as Postgres reads it.
    valid_from: String,
    /// The first day on which it looks otherwise.
    valid_until: String,
    /// The resource.
    resource: R,
}

/// A resource that a batch touched, as it looks on all days by what was recorded up to the end of the batch.
struct Touched<R> {
    name: String,
    slices: Vec<Slice<R>>,
}

/// What holds of the rows that show resources as they are on the evening of a day.
pub(crate) fn on(day: Date) -> Condition {
    let is = |sql, relation| Condition::Is(Column { sql, holds: Holds::Day }, relation, day.to_string());
    Condition::All(vec![is("valid_from", Relation::AtMost), is("valid_until", Relation::More)])
}

/// The rows of resources, each with its resource's name, and the names of all: also of those that have no row.
fn rows<R>(touched: &[Touched<R>]) -> (Vec<String>, Vec<(&str, &Slice<R>)>) {
    let names = touched.iter().map(|touched| touched.name.clone()).collect();
    let rows = touched.iter().flat_map(|of| of.slices.iter().map(|slice| (of.name.as_str(), slice)));
    (names, rows.collect())
}

/// Names of resources as one text, to be taken apart by Postgres: no name has a comma.
fn joined<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The resources that a batch touched, in order of their names.
async fn touched<A: Resource>(log: &Log, batch: &[EventRecord]) -> Result<Vec<Touched<A::Shown>>, ProjectionError> {
    let streams = log.touched::<A>(batch).await?;
    let touched = streams.into_iter().map(|stream| {
        let slices = slices(stream.name.as_str(), &stream.history);
        Touched { name: stream.name.to_string(), slices }
    });
    Ok(touched.collect())
}

/// The resource between each two days on which something in it begins to count; spans that look alike are one.
fn slices<A: Resource>(name: &str, history: &History<A>) -> Vec<Slice<A::Shown>> {
    let days: BTreeSet<Date> =
        history.facts().filter(|fact| !A::is_timeless(&fact.event)).map(|fact| fact.counts_from()).collect();
    let before_all = (BEGINNING.to_owned(), history.state_as_of(Date::MIN));
    let after = days.into_iter().map(|day| (day.to_string(), history.state_as_of(day)));
    let mut slices: Vec<(Slice<A::Shown>, Vec<u8>)> = Vec::new();
    for (valid_from, state) in std::iter::once(before_all).chain(after) {
        let Some(resource) = state.show(name, history) else { continue };
        let bytes = resource.encode_to_vec();
        match slices.last_mut() {
            Some((_, last)) if *last == bytes => continue,
            Some((last, _)) => last.valid_until.clone_from(&valid_from),
            None => {}
        }
        slices.push((Slice { valid_from, valid_until: NO_END.to_owned(), resource }, bytes));
    }
    slices.into_iter().map(|(slice, _)| slice).collect()
}
