//! Frameworks with their plans.

use contracts::toguna::{
    commitments::{events::v1 as events, v1 as pb},
    log::v1::EventRecord,
};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::Framework, resource};

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
                    "INSERT INTO frameworks (name, kind, resource) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, resource = excluded.resource",
                    framework.name,
                    framework.kind,
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

impl ReadModels {
    /// A page of frameworks, of one kind or of all.
    pub async fn frameworks(
        &self,
        page: &Page,
        kind: Option<events::FrameworkKind>,
    ) -> Result<(Vec<pb::Framework>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM frameworks
             WHERE name > $1 AND ($2::integer IS NULL OR kind = $2) ORDER BY name LIMIT $3",
            page.after(),
            kind.map(i32::from),
            page.limit(),
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
