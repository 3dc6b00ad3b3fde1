//! The list of dialogues.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, first_day, wordings};
use sqlx::PgConnection;

use super::{Slice, joined, rows, touched};
use crate::domain::Dialogue;

/// What filters and orders of the list speak of; `partners` are those of whom something is recorded or claimed.
pub static DIALOGUES: Table = Table {
    name: "dialogues",
    fields: &[
        Field::new("name", "name", Kind::Name("dialogues")),
        Field::new("names", "names", Kind::Words),
        Field::new("secretariat", "secretariat", Kind::Name("partners")),
        Field::new("founded_on", "founded_on", Kind::Date),
        Field::new("partners", "partners", Kind::Names("partners")),
    ],
};

/// Keeps the table `dialogues`.
pub struct Dialogues {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Dialogues {
    fn name(&self) -> &'static str {
        "dialogues"
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
            let touched = touched::<Dialogue>(&self.log, batch).await?;
            let (names, rows) = rows(&touched);
            let column = |of: fn(&(&str, &Slice<pb::Dialogue>)) -> String| rows.iter().map(of).collect::<Vec<_>>();
            sqlx::query!("DELETE FROM dialogues WHERE name = ANY ($1)", &names).execute(&mut *tx).await?;
            sqlx::query!(
                "INSERT INTO dialogues (name, valid_from, valid_until, partners, names, secretariat, founded_on, resource)
                 SELECT name, valid_from::date, valid_until::date, string_to_array(partners, ','), names, secretariat,
                        nullif(founded_on, '')::date, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::bytea[])
                     AS row (name, valid_from, valid_until, partners, names, secretariat, founded_on, resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &column(|(_, slice)| joined(slice.resource.memberships.iter().map(|it| &it.partner))),
                &column(|(_, slice)| wordings(slice.resource.names.as_ref())),
                &column(|(_, slice)| slice.resource.secretariat.clone()),
                &column(|(_, slice)| first_day(slice.resource.founded_on.as_ref())),
                &rows.iter().map(|(_, slice)| slice.resource.encode_to_vec()).collect::<Vec<_>>(),
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM dialogues").execute(tx).await?;
            Ok(())
        })
    }
}
