//! The list of agreements.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Date, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::Page;
use sqlx::PgConnection;
use tonic::Status;

use super::{ReadModels, Row, Slice, answer, joined, rows, touched};
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
            let touched = touched::<Agreement>(&self.log, batch).await?;
            let (names, rows) = rows(&touched);
            let column = |of: fn(&(&str, &Slice<pb::Agreement>)) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!("DELETE FROM agreements WHERE name = ANY ($1)", &names).execute(&mut *tx).await?;
            sqlx::query!(
                "INSERT INTO agreements (name, valid_from, valid_until, parties, phase, scope, nature, resource)
                 SELECT name, valid_from::date, valid_until::date, string_to_array(parties, ','), phase, scope,
                        nature, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[],
                             $7::integer[], $8::bytea[])
                     AS row (name, valid_from, valid_until, parties, phase, scope, nature, resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &column(|(_, slice)| joined(slice.resource.parties.iter().map(|it| &it.party))),
                &rows.iter().map(|(_, slice)| slice.resource.phase).collect::<Vec<_>>(),
                &rows.iter().map(|(_, slice)| slice.resource.scope).collect::<Vec<_>>(),
                &rows.iter().map(|(_, slice)| slice.resource.nature).collect::<Vec<_>>(),
                &rows.iter().map(|(_, slice)| slice.resource.encode_to_vec()).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
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
