//! The list of funds.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
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
            let touched = self.log.touched::<Fund>(batch).await?;
            let row = |stream: &Touched<Fund>| resource::fund(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Fund> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Fund) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO funds (name, resource)
                 SELECT name, resource
                 FROM unnest($1::text[], $2::bytea[]) AS row (name, resource)
                 ON CONFLICT (name) DO UPDATE SET resource = excluded.resource",
                &column(|row| row.name.clone()),
                &rows.iter().map(Message::encode_to_vec).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
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
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
