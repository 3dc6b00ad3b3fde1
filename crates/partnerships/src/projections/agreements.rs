//! The list of agreements.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Date, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::Page;
use sqlx::PgConnection;
use tonic::Status;

use super::{ReadModels, Row, answer, touched};
use crate::domain::Agreement;

/// Keeps the table `agreements`.
pub struct Agreements {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Agreements {
    fn name(&self) -> &'static str {
        "agreements"
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
            for touched in touched::<Agreement>(&self.log, batch).await? {
                sqlx::query!("DELETE FROM agreements WHERE name = $1", touched.name).execute(&mut *tx).await?;
                for slice in touched.slices {
                    let parties: Vec<String> = slice.resource.parties.iter().map(|party| party.party.clone()).collect();
                    sqlx::query!(
                        "INSERT INTO agreements (name, valid_from, valid_until, parties, phase, scope, nature, resource)
                         VALUES ($1, $2::text::date, $3::text::date, $4, $5, $6, $7, $8)",
                        touched.name,
                        slice.valid_from,
                        slice.valid_until,
                        &parties,
                        slice.resource.phase,
                        slice.resource.scope,
                        slice.resource.nature,
                        slice.resource.encode_to_vec(),
                    )
                    .execute(&mut *tx)
                    .await?;
                }
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM agreements").execute(tx).await?;
            Ok(())
        })
    }
}

/// What a list of agreements may be narrowed to. Numbers are those of the enumerations of the API.
pub struct AgreementFilter {
    /// With this party.
    pub party: Option<String>,
    /// In this phase.
    pub phase: Option<i32>,
    /// Of this scope.
    pub scope: Option<i32>,
    /// Of this nature.
    pub nature: Option<i32>,
}

impl ReadModels {
    /// A page of agreements as they are on a day, by name.
    pub async fn agreements(
        &self,
        day: Date,
        filter: &AgreementFilter,
        page: &Page,
    ) -> Result<(Vec<pb::Agreement>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM agreements
             WHERE name > $1 AND valid_from <= $2::text::date AND valid_until > $2::text::date
               AND ($3::text IS NULL OR $3 = ANY (parties))
               AND ($4::integer IS NULL OR phase = $4)
               AND ($5::integer IS NULL OR scope = $5)
               AND ($6::integer IS NULL OR nature = $6)
             ORDER BY name LIMIT $7",
            page.after(),
            day.to_string(),
            filter.party,
            filter.phase,
            filter.scope,
            filter.nature,
            page.limit(),
        );
        answer(page, rows.fetch_all(&self.pool()).await)
    }
}
