//! The list of contracts.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::contract::Contract, resource};

/// Keeps the table `contracts`.
pub struct Contracts {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Contracts {
    fn name(&self) -> &'static str {
        "contracts"
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
            let touched = self.log.touched::<Contract>(batch).await?;
            let row = |stream: &Touched<Contract>| resource::contract(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Contract> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Contract) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO contracts (name, decision, implementer, resource)
                 SELECT name, decision, implementer, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
                     AS row (name, decision, implementer, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     decision = excluded.decision, implementer = excluded.implementer, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.decision.clone()),
                &column(|row| row.implementer.clone()),
                &rows.iter().map(Message::encode_to_vec).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM contracts").execute(tx).await?;
            Ok(())
        })
    }
}

impl ReadModels {
    /// A page of contracts, by name; of one decision and of one implementer, where they are given.
    pub async fn contracts(
        &self,
        page: &Page,
        decision: &str,
        implementer: &str,
    ) -> Result<(Vec<pb::Contract>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM contracts
             WHERE name > $1 AND ($3 = '' OR decision = $3) AND ($4 = '' OR implementer = $4) ORDER BY name LIMIT $2",
            page.after(),
            page.limit(),
            decision,
            implementer,
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
