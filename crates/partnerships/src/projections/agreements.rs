//! The list of agreements.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, first_day, wordings};
use sqlx::PgConnection;

use super::{Slice, joined, rows, touched};
use crate::domain::Agreement;

/// What filters and orders of the list speak of.
pub static AGREEMENTS: Table = Table {
    name: "agreements",
    fields: &[
        Field::new("name", "name", Kind::Name("agreements")),
        Field::new("title", "title", Kind::Words),
        Field::new("reference", "reference", Kind::Text),
        Field::new("form", "form", Kind::Enum("toguna.partnerships.events.v1.AgreementForm")),
        Field::new("scope", "scope", Kind::Enum("toguna.partnerships.events.v1.AgreementScope")),
        Field::new("declared_nature", "declared_nature", Kind::Enum("toguna.partnerships.events.v1.BindingNature")),
        Field::new("nature", "nature", Kind::Enum("toguna.partnerships.v1.AgreementNature")),
        Field::new("depositary", "depositary", Kind::Name("partners")),
        Field::new("phase", "phase", Kind::Enum("toguna.partnerships.v1.AgreementPhase")),
        Field::new("parties", "parties", Kind::Names("partners")),
        Field::new("entered_into_force_on", "entered_into_force_on", Kind::Date),
        Field::new("ended_on", "ended_on", Kind::Date),
    ],
};

/// Keeps the table `agreements`.
pub struct Agreements {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Agreements {
    fn name(&self) -> &'static str {
        "agreements"
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
            let touched = touched::<Agreement>(&self.log, batch).await?;
            let (names, rows) = rows(&touched);
            let column = |of: fn(&(&str, &Slice<pb::Agreement>)) -> String| rows.iter().map(of).collect::<Vec<_>>();
            let number =
                |of: fn(&pb::Agreement) -> i32| rows.iter().map(|(_, slice)| of(&slice.resource)).collect::<Vec<_>>();
            sqlx::query!("DELETE FROM agreements WHERE name = ANY ($1)", &names).execute(&mut *tx).await?;
            sqlx::query!(
                "INSERT INTO agreements
                     (name, valid_from, valid_until, parties, phase, scope, nature, title, reference, form,
                      declared_nature, depositary, entered_into_force_on, ended_on, resource)
                 SELECT name, valid_from::date, valid_until::date, string_to_array(parties, ','), phase, scope,
                        nature, title, reference, form, declared_nature, depositary,
                        nullif(entered_into_force_on, '')::date, nullif(ended_on, '')::date, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[],
                             $7::integer[], $8::text[], $9::text[], $10::integer[], $11::integer[], $12::text[],
                             $13::text[], $14::text[], $15::bytea[])
                     AS row (name, valid_from, valid_until, parties, phase, scope, nature, title, reference, form,
                             declared_nature, depositary, entered_into_force_on, ended_on, resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &column(|(_, slice)| joined(slice.resource.parties.iter().map(|it| &it.party))),
                &number(|agreement| agreement.phase),
                &number(|agreement| agreement.scope),
                &number(|agreement| agreement.nature),
                &column(|(_, slice)| wordings(slice.resource.title.as_ref())),
                &column(|(_, slice)| slice.resource.reference.clone()),
                &number(|agreement| agreement.form),
                &number(|agreement| agreement.declared_nature),
                &column(|(_, slice)| slice.resource.depositary.clone()),
                &column(|(_, slice)| day_of(slice.resource.entry_into_force.as_ref().and_then(|it| it.fact.as_ref()))),
                &column(|(_, slice)| day_of(slice.resource.end.as_ref().and_then(|it| it.fact.as_ref()))),
                &rows.iter().map(|(_, slice)| slice.resource.encode_to_vec()).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM agreements").execute(tx).await?;
            Ok(())
        })
    }
}

/// The first day that the date of a fact may mean; empty: it has none.
fn day_of(fact: Option<&pb::Fact>) -> String {
    first_day(fact.and_then(|fact| fact.provenance.as_ref()).and_then(|record| record.effective_on.as_ref()))
}
