//! The list of payments.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::payment::Payment, resource};

/// Keeps the table `payments`.
pub struct Payments {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Payments {
    fn name(&self) -> &'static str {
        "payments"
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
            let touched = self.log.touched::<Payment>(batch).await?;
            let row = |stream: &Touched<Payment>| resource::payment(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Payment> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Payment) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO payments (name, contract, resource)
                 SELECT name, contract, resource
                 FROM unnest($1::text[], $2::text[], $3::bytea[]) AS row (name, contract, resource)
                 ON CONFLICT (name) DO UPDATE SET contract = excluded.contract, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.contract.clone()),
                &rows.iter().map(Message::encode_to_vec).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM payments").execute(tx).await?;
            Ok(())
        })
    }
}

impl ReadModels {
    /// A page of payments, by name; of one contract, where it is given.
    pub async fn payments(&self, page: &Page, contract: &str) -> Result<(Vec<pb::Payment>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM payments WHERE name > $1 AND ($3 = '' OR contract = $3) ORDER BY name LIMIT $2",
            page.after(),
            page.limit(),
            contract,
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
