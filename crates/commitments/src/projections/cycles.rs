//! Reporting cycles.

use contracts::toguna::log::v1::EventRecord;
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, first_day, wordings};
use sqlx::PgConnection;

use crate::{domain::Cycle, resource};

/// What filters and orders of the list speak of.
pub static CYCLES: Table = Table {
    name: "cycles",
    fields: &[
        Field::new("name", "name", Kind::Name("cycles")),
        Field::new("framework", "framework", Kind::Name("frameworks")),
        Field::new("title", "title", Kind::Words),
        Field::new("due_on", "due_on", Kind::Date),
        Field::new("status", "status", Kind::Enum("toguna.commitments.v1.CycleStatus")),
        Field::new("opened_on", "opened_on", Kind::Date),
        Field::new("closed_on", "closed_on", Kind::Date),
    ],
};

/// Keeps the table `cycles`.
pub struct Cycles {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Cycles {
    fn name(&self) -> &'static str {
        "cycles"
    }

    fn source(&self) -> &str {
        self.log.name()
    }

    fn apply<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        batch: &'a [EventRecord],
    ) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            for stream in self.log.touched::<Cycle>(batch).await? {
                let Some(cycle) = resource::cycle(&stream.name, &stream.state) else { continue };
                sqlx::query!(
                    "INSERT INTO cycles (name, framework, status, title, due_on, opened_on, closed_on, resource)
                     VALUES ($1, $2, $3, $4, nullif($5, '')::date, nullif($6, '')::date, nullif($7, '')::date, $8)
                     ON CONFLICT (name) DO UPDATE SET
                         framework = excluded.framework, status = excluded.status, title = excluded.title,
                         due_on = excluded.due_on, opened_on = excluded.opened_on, closed_on = excluded.closed_on,
                         resource = excluded.resource",
                    cycle.name,
                    cycle.framework,
                    cycle.status,
                    wordings(cycle.title.as_ref()),
                    first_day(cycle.due_on.as_ref()),
                    first_day(cycle.opened_on.as_ref()),
                    first_day(cycle.closed_on.as_ref()),
                    cycle.encode_to_vec(),
                )
                .execute(&mut *tx)
                .await?;
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM cycles").execute(tx).await?;
            Ok(())
        })
    }
}
