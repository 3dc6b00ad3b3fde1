//! A resource read from the log itself: always fresh, and as of any day.

use contracts::toguna::r#type::v1 as types;
use event_store::{Date, Log, Stored, StreamName};
use tonic::Status;

use crate::{Fields, etag, status};

/// What a query for one resource found.
#[derive(Debug, Clone)]
pub struct Found<A> {
    /// Its name.
    pub name: StreamName,
    /// The day that was asked for; `None`: whatever is recorded.
    pub day: Option<Date>,
    /// The resource: as recorded, or as of the day that was asked for.
    pub state: A,
    /// Version of its stream as an etag, whatever the day.
    pub etag: String,
    /// What the answer was made at.
    pub consistency_token: String,
}

/// Folds the resource's stream, whole or up to the evening of a day; `NOT_FOUND` where nothing was ever recorded. Whether
/// the resource was there on that day is for the service to say.
pub async fn find<A: Stored>(log: &Log, name: &str, as_of: Option<&types::Date>) -> Result<Found<A>, Status> {
    let mut fields = Fields::new();
    let name: StreamName = fields.name("name", name, A::CATEGORY);
    let day = fields.optional_exact_date("as_of", as_of);
    fields.finish()?;
    let consistency_token = log.token(log.head()).to_string();
    let history = log.history::<A>(&name).await.map_err(|error| status::store(&error))?;
    if history.is_empty() {
        return Err(status::not_found(&name));
    }
    let state = day.map_or_else(|| history.state().clone(), |day| history.state_as_of(day));
    Ok(Found { name, day, state, etag: etag(history.version()), consistency_token })
}
