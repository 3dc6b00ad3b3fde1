//! The list of dialogues.

use contracts::toguna::{log::v1::EventRecord, partnerships::v1 as pb};
use event_store::{BoxFuture, Date, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::Page;
use sqlx::PgConnection;
use tonic::Status;

use super::{ReadModels, Row, Slice, answer, joined, rows, touched};
use crate::domain::Dialogue;

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
                "INSERT INTO dialogues (name, valid_from, valid_until, partners, resource)
                 SELECT name, valid_from::date, valid_until::date, string_to_array(partners, ','), resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
                     AS row (name, valid_from, valid_until, partners, resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &column(|(_, slice)| joined(slice.resource.memberships.iter().map(|it| &it.partner))),
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

impl ReadModels {
    /// A page of dialogues as they are on a day, by name; those of which something is known of a partner.
    pub async fn dialogues(
        &self,
        day: Date,
        partner: Option<&str>,
        page: &Page,
    ) -> Result<(Vec<pb::Dialogue>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM dialogues
             WHERE name > $1 AND valid_from <= $2::text::date AND valid_until > $2::text::date
               AND ($3::text IS NULL OR $3 = ANY (partners))
             ORDER BY name LIMIT $4",
            page.after(),
            day.to_string(),
            partner,
            page.limit(),
        );
        answer(page, rows.fetch_all(&self.pool()).await)
    }
}
