//! The list of contributions.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::query::{Field, Kind, Table};
use sqlx::PgConnection;

use super::{currency_code, minor_units};
use crate::{domain::contribution::Contribution, resource};

/// What filters and orders of the list speak of. Amounts are in minor units.
pub static CONTRIBUTIONS: Table = Table {
    name: "contributions",
    fields: &[
        Field::new("name", "name", Kind::Name("contributions")),
        Field::new("fund", "fund", Kind::Name("funds")),
        Field::new("donor", "donor", Kind::Name("partners")),
        Field::new("currency_code", "currency_code", Kind::Text),
        Field::new("pledged", "pledged", Kind::Number),
        Field::new("certified", "certified", Kind::Number),
        Field::new("received", "received", Kind::Number),
    ],
};

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
            let amounts = |of: fn(&pb::Contribution) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO contributions
                     (name, fund, donor, currency_code, pledged, certified, received, resource)
                 SELECT name, fund, donor, currency_code, pledged, certified, received, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                             $8::bytea[])
                     AS row (name, fund, donor, currency_code, pledged, certified, received, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, donor = excluded.donor, currency_code = excluded.currency_code,
                     pledged = excluded.pledged, certified = excluded.certified, received = excluded.received,
                     resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.donor.clone()),
                &column(|row| currency_code(row.pledged.as_ref())),
                &amounts(|row| minor_units(row.pledged.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.certified.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.received.as_ref())) as &[Option<i64>],
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
