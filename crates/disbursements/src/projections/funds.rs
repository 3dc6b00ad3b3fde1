//! The list of funds.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::Page;
use sqlx::PgConnection;
use tonic::Status;

use super::{ReadModels, Row, answer, changed};
use crate::{domain::fund::Fund, resource};

/// Keeps the table `funds`.
pub struct Funds {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Funds {
    fn name(&self) -> &'static str {
        "funds"
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
            for (name, fund) in changed::<Fund>(&self.log, batch).await? {
                let Some(resource) = resource::fund(&name, &fund) else { continue };
                sqlx::query!(
                    "INSERT INTO funds (name, resource) VALUES ($1, $2)
                     ON CONFLICT (name) DO UPDATE SET resource = excluded.resource",
                    name,
                    resource.encode_to_vec(),
                )
                .execute(&mut *tx)
                .await?;
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM funds").execute(tx).await?;
            Ok(())
        })
    }
}

impl ReadModels {
    /// A page of funds, by name.
    pub async fn funds(&self, page: &Page) -> Result<(Vec<pb::Fund>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM funds WHERE name > $1 ORDER BY name LIMIT $2",
            page.after(),
            page.limit(),
        );
        answer(page, rows.fetch_all(&self.pool).await)
    }
}
