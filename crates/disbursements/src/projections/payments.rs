//! The list of payments.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::query::{Field, Kind, Table, first_day};
use sqlx::PgConnection;

use super::{currency_code, minor_units};
use crate::{domain::payment::Payment, resource};

/// What filters and orders of the list speak of. Amounts are in minor units.
pub static PAYMENTS: Table = Table {
    name: "payments",
    fields: &[
        Field::new("name", "name", Kind::Name("payments")),
        Field::new("fund", "fund", Kind::Name("funds")),
        Field::new("contract", "contract", Kind::Name("contracts")),
        Field::new("implementer", "implementer", Kind::Name("partners")),
        Field::new("kind", "kind", Kind::Enum("toguna.disbursements.events.v1.PaymentKind")),
        Field::new("currency_code", "currency_code", Kind::Text),
        Field::new("requested", "requested", Kind::Number),
        Field::new("accepted", "accepted", Kind::Number),
        Field::new("paid", "paid", Kind::Number),
        Field::new("paid_on", "paid_on", Kind::Date),
        Field::new("state", "state", Kind::Enum("toguna.disbursements.v1.PaymentState")),
    ],
};

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
            let amounts = |of: fn(&pb::Payment) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO payments
                     (name, fund, contract, implementer, kind, currency_code, requested, accepted, paid, paid_on,
                      state, resource)
                 SELECT name, fund, contract, implementer, kind, currency_code, requested, accepted, paid,
                        nullif(paid_on, '')::date, state, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bigint[],
                             $8::bigint[], $9::bigint[], $10::text[], $11::integer[], $12::bytea[])
                     AS row (name, fund, contract, implementer, kind, currency_code, requested, accepted, paid,
                             paid_on, state, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, contract = excluded.contract, implementer = excluded.implementer,
                     kind = excluded.kind, currency_code = excluded.currency_code, requested = excluded.requested,
                     accepted = excluded.accepted, paid = excluded.paid, paid_on = excluded.paid_on,
                     state = excluded.state, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.contract.clone()),
                &column(|row| row.implementer.clone()),
                &rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
                &column(|row| currency_code(row.requested.as_ref())),
                &amounts(|row| minor_units(row.requested.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.accepted.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.paid.as_ref())) as &[Option<i64>],
                &column(|row| first_day(row.paid_on.as_ref())),
                &rows.iter().map(|row| row.state).collect::<Vec<_>>(),
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
