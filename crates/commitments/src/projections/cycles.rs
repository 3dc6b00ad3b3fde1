//! Reporting cycles.

use contracts::toguna::{commitments::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::Cycle, resource};

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
                    "INSERT INTO cycles (name, framework, status, resource) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (name) DO UPDATE
                     SET framework = excluded.framework, status = excluded.status, resource = excluded.resource",
                    cycle.name,
                    cycle.framework,
                    cycle.status,
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

impl ReadModels {
    /// A page of cycles, of one framework or in one status, or of all.
    pub async fn cycles(
        &self,
        page: &Page,
        framework: Option<&str>,
        status: Option<pb::CycleStatus>,
    ) -> Result<(Vec<pb::Cycle>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM cycles
             WHERE name > $1 AND ($2::text IS NULL OR framework = $2) AND ($3::integer IS NULL OR status = $3)
             ORDER BY name LIMIT $4",
            page.after(),
            framework,
            status.map(i32::from),
            page.limit(),
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
