//! The list of contributions.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
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
            for stream in self.log.touched::<Contribution>(batch).await? {
                let Some(contribution) = resource::contribution(stream.name.as_str(), &stream.state) else { continue };
                sqlx::query!(
                    "INSERT INTO contributions (name, fund, donor, resource) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (name) DO UPDATE SET
                         fund = excluded.fund, donor = excluded.donor, resource = excluded.resource",
                    contribution.name,
                    contribution.fund,
                    contribution.donor,
                    contribution.encode_to_vec(),
                )
                .execute(&mut *tx)
                .await?;
            }
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
