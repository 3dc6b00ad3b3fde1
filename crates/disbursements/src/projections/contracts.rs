//! The list of contracts.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::query::{Field, Kind, Table, first_day, wordings};
use sqlx::PgConnection;

use super::{currency_code, minor_units};
use crate::{domain::contract::Contract, resource};

/// What filters and orders of the list speak of. Amounts are in minor units.
pub static CONTRACTS: Table = Table {
    name: "contracts",
    fields: &[
        Field::new("name", "name", Kind::Name("contracts")),
        Field::new("fund", "fund", Kind::Name("funds")),
        Field::new("decision", "decision", Kind::Name("decisions")),
        Field::new("reference", "reference", Kind::Text),
        Field::new("title", "title", Kind::Words),
        Field::new("implementer", "implementer", Kind::Name("partners")),
        Field::new("signed_on", "signed_on", Kind::Date),
        Field::new("starts_on", "starts_on", Kind::Date),
        Field::new("ends_on", "ends_on", Kind::Date),
        Field::new("currency_code", "currency_code", Kind::Text),
        Field::new("fund_share", "fund_share", Kind::Number),
        Field::new("paid", "paid", Kind::Number),
        Field::new("recovered", "recovered", Kind::Number),
        Field::new("available", "available", Kind::Number),
        Field::new("open_recoveries", "open_recoveries", Kind::Number),
        Field::new("agreements", "agreements", Kind::Names("agreements")),
        Field::new("commitments", "commitments", Kind::Names("commitments")),
        Field::new("programme_lines", "programme_lines", Kind::Texts),
        Field::new("state", "state", Kind::Enum("toguna.disbursements.v1.ContractState")),
        Field::new("suspended_since", "suspended_since", Kind::Date),
    ],
};

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
            let amounts = |of: fn(&pb::Contract) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO contracts
                     (name, fund, decision, reference, title, implementer, signed_on, starts_on, ends_on,
                      currency_code, fund_share, paid, recovered, available, open_recoveries, agreements, commitments,
                      programme_lines, state, suspended_since, resource)
                 SELECT name, fund, decision, reference, title, implementer, nullif(signed_on, '')::date,
                        nullif(starts_on, '')::date, nullif(ends_on, '')::date, currency_code, fund_share, paid,
                        recovered, available, open_recoveries, string_to_array(agreements, chr(10)),
                        string_to_array(commitments, chr(10)), string_to_array(programme_lines, chr(10)), state,
                        nullif(suspended_since, '')::date, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[],
                             $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::integer[],
                             $20::text[], $21::bytea[])
                     AS row (name, fund, decision, reference, title, implementer, signed_on, starts_on, ends_on,
                             currency_code, fund_share, paid, recovered, available, open_recoveries, agreements,
                             commitments, programme_lines, state, suspended_since, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, decision = excluded.decision, reference = excluded.reference,
                     title = excluded.title, implementer = excluded.implementer, signed_on = excluded.signed_on,
                     starts_on = excluded.starts_on, ends_on = excluded.ends_on,
                     currency_code = excluded.currency_code, fund_share = excluded.fund_share, paid = excluded.paid,
                     recovered = excluded.recovered, available = excluded.available,
                     open_recoveries = excluded.open_recoveries, agreements = excluded.agreements,
                     commitments = excluded.commitments, programme_lines = excluded.programme_lines,
                     state = excluded.state, suspended_since = excluded.suspended_since, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.decision.clone()),
                &column(|row| row.reference.clone()),
                &column(|row| wordings(row.title.as_ref())),
                &column(|row| row.implementer.clone()),
                &column(|row| first_day(row.signed_on.as_ref())),
                &column(|row| first_day(row.period.as_ref().and_then(|period| period.start.as_ref()))),
                &column(|row| first_day(row.period.as_ref().and_then(|period| period.end.as_ref()))),
                &column(|row| currency_code(row.fund_share.as_ref())),
                &amounts(|row| minor_units(row.fund_share.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.paid.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.recovered.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.available.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.open_recoveries.as_ref())) as &[Option<i64>],
                &column(|row| row.agreements.join("\n")),
                &column(|row| row.commitments.join("\n")),
                &column(|row| row.programme_lines.join("\n")),
                &rows.iter().map(|row| row.state).collect::<Vec<_>>(),
                &column(|row| first_day(row.suspended_since.as_ref())),
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
