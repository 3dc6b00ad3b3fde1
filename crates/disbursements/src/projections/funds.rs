//! The list of funds.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::query::{Field, Kind, Table, first_day, wordings};
use sqlx::PgConnection;

use super::minor_units;
use crate::{domain::fund::Fund, resource};

/// What filters and orders of the list speak of. Amounts are in minor units.
pub static FUNDS: Table = Table {
    name: "funds",
    fields: &[
        Field::new("name", "name", Kind::Name("funds")),
        Field::new("title", "title", Kind::Words),
        Field::new("reference", "reference", Kind::Text),
        Field::new("trustee", "trustee", Kind::Name("partners")),
        Field::new("constitutive_agreement", "constitutive_agreement", Kind::Name("agreements")),
        Field::new("currency_code", "currency_code", Kind::Text),
        Field::new("contracting_deadline", "contracting_deadline", Kind::Date),
        Field::new("end_of_activities", "end_of_activities", Kind::Date),
        Field::new("received", "received", Kind::Number),
        Field::new("paid", "paid", Kind::Number),
        Field::new("recovered", "recovered", Kind::Number),
        Field::new("available", "available", Kind::Number),
        Field::new("open_contracts", "open_contracts", Kind::Names("contracts")),
        Field::new("state", "state", Kind::Enum("toguna.disbursements.v1.FundState")),
    ],
};

/// Keeps the table `funds`.
pub struct Funds {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Funds {
    fn name(&self) -> &'static str {
        "funds"
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
            let touched = self.log.touched::<Fund>(batch).await?;
            let row = |stream: &Touched<Fund>| resource::fund(stream.name.as_str(), &stream.state);
            let rows: Vec<pb::Fund> = touched.iter().filter_map(row).collect();
            let column = |of: fn(&pb::Fund) -> String| rows.iter().map(of).collect::<Vec<_>>();
            let amounts = |of: fn(&pb::Fund) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO funds
                     (name, title, reference, trustee, constitutive_agreement, currency_code, contracting_deadline,
                      end_of_activities, received, paid, recovered, available, open_contracts, state, resource)
                 SELECT name, title, reference, trustee, constitutive_agreement, currency_code,
                        nullif(contracting_deadline, '')::date, nullif(end_of_activities, '')::date, received, paid,
                        recovered, available, string_to_array(open_contracts, chr(10)), state, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[],
                             $14::integer[], $15::bytea[])
                     AS row (name, title, reference, trustee, constitutive_agreement, currency_code,
                             contracting_deadline, end_of_activities, received, paid, recovered, available,
                             open_contracts, state, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     title = excluded.title, reference = excluded.reference, trustee = excluded.trustee,
                     constitutive_agreement = excluded.constitutive_agreement, currency_code = excluded.currency_code,
                     contracting_deadline = excluded.contracting_deadline,
                     end_of_activities = excluded.end_of_activities, received = excluded.received,
                     paid = excluded.paid, recovered = excluded.recovered, available = excluded.available,
                     open_contracts = excluded.open_contracts, state = excluded.state, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| wordings(row.title.as_ref())),
                &column(|row| row.reference.clone()),
                &column(|row| row.trustee.clone()),
                &column(|row| row.constitutive_agreement.clone()),
                &column(|row| row.currency_code.clone()),
                &column(|row| first_day(row.contracting_deadline.as_ref())),
                &column(|row| first_day(row.end_of_activities.as_ref())),
                &amounts(|row| minor_units(row.received.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.paid.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.recovered.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.available.as_ref())) as &[Option<i64>],
                &column(|row| row.open_contracts.join("\n")),
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
            sqlx::query!("DELETE FROM funds").execute(tx).await?;
            Ok(())
        })
    }
}
