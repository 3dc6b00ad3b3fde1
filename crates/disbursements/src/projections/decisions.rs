//! The list of decisions.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::decision::Decision, resource};

/// Keeps the table `decisions`.
pub struct Decisions {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Decisions {
    fn name(&self) -> &'static str {
        "decisions"
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
            let touched = self.log.touched::<Decision>(batch).await?;
            let row = |stream: &Touched<Decision>| resource::decision(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Decision> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Decision) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO decisions (name, fund, country_codes, resource)
                 SELECT name, fund, string_to_array(country_codes, ','), resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
                     AS row (name, fund, country_codes, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, country_codes = excluded.country_codes, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.country_codes.join(",")),
                &rows.iter().map(Message::encode_to_vec).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM decisions").execute(tx).await?;
            Ok(())
        })
    }
}

impl ReadModels {
    /// A page of decisions, by name; of one fund and for one country, where they are given.
    pub async fn decisions(
        &self,
        page: &Page,
        fund: &str,
        country_code: &str,
    ) -> Result<(Vec<pb::Decision>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM decisions
             WHERE name > $1 AND ($3 = '' OR fund = $3) AND ($4 = '' OR $4 = ANY (country_codes))
             ORDER BY name LIMIT $2",
            page.after(),
            page.limit(),
            fund,
            country_code,
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
