//! The list of contributions.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::contribution::Contribution, resource};

/// Keeps the table `contributions`.
pub struct Contributions {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Contributions {
    fn name(&self) -> &'static str {
        "contributions"
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
            let touched = self.log.touched::<Contribution>(batch).await?;
            let row = |stream: &Touched<Contribution>| resource::contribution(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Contribution> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Contribution) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO contributions (name, fund, donor, resource)
                 SELECT name, fund, donor, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS row (name, fund, donor, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, donor = excluded.donor, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.donor.clone()),
                &rows.iter().map(Message::encode_to_vec).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM contributions").execute(tx).await?;
            Ok(())
        })
    }
}

impl ReadModels {
    /// A page of contributions, by name; of one fund and of one donor, where they are given.
    pub async fn contributions(
        &self,
        page: &Page,
        fund: &str,
        donor: &str,
    ) -> Result<(Vec<pb::Contribution>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM contributions
             WHERE name > $1 AND ($3 = '' OR fund = $3) AND ($4 = '' OR donor = $4) ORDER BY name LIMIT $2",
            page.after(),
            page.limit(),
            fund,
            donor,
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
