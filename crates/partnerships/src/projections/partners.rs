//! The list of partners.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, wordings};
use sqlx::PgConnection;

use super::{Slice, rows, touched};
use crate::domain::Partner;

/// What filters and orders of the list speak of.
pub static PARTNERS: Table = Table {
    name: "partners",
    fields: &[
        Field::new("name", "name", Kind::Name("partners")),
        Field::new("kind", "kind", Kind::Enum("toguna.partnerships.events.v1.PartnerKind")),
        Field::new("names", "names", Kind::Words),
        Field::new("short_names", "short_names", Kind::Words),
        Field::new("country_code", "country_code", Kind::Text),
        Field::new("parent", "parent", Kind::Name("partners")),
    ],
};

/// Keeps the table `partners`.
pub struct Partners {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Partners {
    fn name(&self) -> &'static str {
        "partners"
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
            let touched = touched::<Partner>(&self.log, batch).await?;
            let (names, rows) = rows(&touched);
            let column = |of: fn(&(&str, &Slice<pb::Partner>)) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!("DELETE FROM partners WHERE name = ANY ($1)", &names).execute(&mut *tx).await?;
            sqlx::query!(
                "INSERT INTO partners
                     (name, valid_from, valid_until, kind, country_code, parent, names, short_names, resource)
                 SELECT name, valid_from::date, valid_until::date, kind, country_code, parent, names, short_names,
                        resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::bytea[])
                     AS row (name, valid_from, valid_until, kind, country_code, parent, names, short_names,
                             resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &rows.iter().map(|(_, slice)| slice.resource.kind).collect::<Vec<_>>(),
                &column(|(_, slice)| slice.resource.country_code.clone()),
                &column(|(_, slice)| slice.resource.parent.clone()),
                &column(|(_, slice)| wordings(slice.resource.names.as_ref())),
                &column(|(_, slice)| wordings(slice.resource.short_names.as_ref())),
                &rows.iter().map(|(_, slice)| slice.resource.encode_to_vec()).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM partners").execute(tx).await?;
            Ok(())
        })
    }
}
