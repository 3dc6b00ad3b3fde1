//! The list of decisions.

use contracts::toguna::{disbursements::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError, Touched};
use prost::Message;
use service_runtime::query::{Field, Kind, Table, wordings};
use sqlx::PgConnection;

use super::{currency_code, minor_units};
use crate::{domain::decision::Decision, resource};

/// What filters and orders of the list speak of. Amounts are in minor units.
pub static DECISIONS: Table = Table {
    name: "decisions",
    fields: &[
        Field::new("name", "name", Kind::Name("decisions")),
        Field::new("fund", "fund", Kind::Name("funds")),
        Field::new("reference", "reference", Kind::Text),
        Field::new("title", "title", Kind::Words),
        Field::new("window", "fund_window", Kind::Text),
        Field::new("strategic_objectives", "strategic_objectives", Kind::Texts),
        Field::new("country_codes", "country_codes", Kind::Texts),
        Field::new("currency_code", "currency_code", Kind::Text),
        Field::new("requested", "requested", Kind::Number),
        Field::new("approved", "approved", Kind::Number),
        Field::new("ceiling", "ceiling", Kind::Number),
        Field::new("contracted", "contracted", Kind::Number),
        Field::new("available", "available", Kind::Number),
        Field::new("state", "state", Kind::Enum("toguna.disbursements.v1.DecisionState")),
        Field::new("implementers", "implementers", Kind::Names("partners")),
        Field::new("agreements", "agreements", Kind::Names("agreements")),
        Field::new("commitments", "commitments", Kind::Names("commitments")),
    ],
};

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
            let amounts = |of: fn(&pb::Decision) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!(
                "INSERT INTO decisions
                     (name, fund, reference, title, fund_window, strategic_objectives, country_codes, currency_code,
                      requested, approved, ceiling, contracted, available, state, implementers, agreements,
                      commitments, resource)
                 SELECT name, fund, reference, title, fund_window, string_to_array(strategic_objectives, chr(10)),
                        string_to_array(country_codes, chr(10)), currency_code, requested, approved, ceiling,
                        contracted, available, state, string_to_array(implementers, chr(10)),
                        string_to_array(agreements, chr(10)), string_to_array(commitments, chr(10)), resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
                             $14::integer[], $15::text[], $16::text[], $17::text[], $18::bytea[])
                     AS row (name, fund, reference, title, fund_window, strategic_objectives, country_codes,
                             currency_code, requested, approved, ceiling, contracted, available, state, implementers,
                             agreements, commitments, resource)
                 ON CONFLICT (name) DO UPDATE SET
                     fund = excluded.fund, reference = excluded.reference, title = excluded.title,
                     fund_window = excluded.fund_window, strategic_objectives = excluded.strategic_objectives,
                     country_codes = excluded.country_codes, currency_code = excluded.currency_code,
                     requested = excluded.requested, approved = excluded.approved, ceiling = excluded.ceiling,
                     contracted = excluded.contracted, available = excluded.available, state = excluded.state,
                     implementers = excluded.implementers, agreements = excluded.agreements,
                     commitments = excluded.commitments, resource = excluded.resource",
                &column(|row| row.name.clone()),
                &column(|row| row.fund.clone()),
                &column(|row| row.reference.clone()),
                &column(|row| wordings(row.title.as_ref())),
                &column(|row| row.window.clone()),
                &column(|row| row.strategic_objectives.join("\n")),
                &column(|row| row.country_codes.join("\n")),
                &column(|row| currency_code(row.requested.as_ref())),
                &amounts(|row| minor_units(row.requested.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.approved.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.ceiling.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.contracted.as_ref())) as &[Option<i64>],
                &amounts(|row| minor_units(row.available.as_ref())) as &[Option<i64>],
                &rows.iter().map(|row| row.state).collect::<Vec<_>>(),
                &column(|row| row.implementers.join("\n")),
                &column(|row| row.agreements.join("\n")),
                &column(|row| row.commitments.join("\n")),
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
