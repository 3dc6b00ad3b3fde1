//! Frameworks with their plans.

use contracts::toguna::log::v1::EventRecord;
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, wordings};
use sqlx::PgConnection;

use crate::{domain::Framework, resource};

/// What filters and orders of the list speak of.
pub static FRAMEWORKS: Table = Table {
    name: "frameworks",
    fields: &[
        Field::new("name", "name", Kind::Name("frameworks")),
        Field::new("title", "title", Kind::Words),
        Field::new("kind", "kind", Kind::Enum("toguna.commitments.events.v1.FrameworkKind")),
        Field::new("secretariat", "secretariat", Kind::Name("partners")),
    ],
};

/// Keeps the table `frameworks`.
pub struct Frameworks {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Frameworks {
    fn name(&self) -> &'static str {
        "frameworks"
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
            for stream in self.log.touched::<Framework>(batch).await? {
                let Some(framework) = resource::framework(&stream.name, &stream.state) else { continue };
                sqlx::query!(
                    "INSERT INTO frameworks (name, kind, title, secretariat, resource) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (name) DO UPDATE SET
                         kind = excluded.kind, title = excluded.title, secretariat = excluded.secretariat,
                         resource = excluded.resource",
                    framework.name,
                    framework.kind,
                    wordings(framework.title.as_ref()),
                    framework.secretariat,
                    framework.encode_to_vec(),
                )
                .execute(&mut *tx)
                .await?;
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM frameworks").execute(tx).await?;
            Ok(())
        })
    }
}
