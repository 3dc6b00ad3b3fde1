//! The list of partners.

use contracts::toguna::{
    log::v1::EventRecord,
    partnerships::{events::v1 as events, v1 as pb},
};
use event_store::{BoxFuture, Date, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::Page;
use sqlx::PgConnection;
use tonic::Status;

use super::{ReadModels, Row, Slice, answer, rows, touched};
use crate::domain::{Country, Partner};

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
                "INSERT INTO partners (name, valid_from, valid_until, kind, country_code, parent, resource)
                 SELECT name, valid_from::date, valid_until::date, kind, country_code, parent, resource
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::bytea[])
                     AS row (name, valid_from, valid_until, kind, country_code, parent, resource)",
                &column(|(name, _)| (*name).to_owned()),
                &column(|(_, slice)| slice.valid_from.clone()),
                &column(|(_, slice)| slice.valid_until.clone()),
                &rows.iter().map(|(_, slice)| slice.resource.kind).collect::<Vec<_>>(),
                &column(|(_, slice)| slice.resource.country_code.clone()),
                &column(|(_, slice)| slice.resource.parent.clone()),
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

/// What a list of partners may be narrowed to.
pub struct PartnerFilter {
    /// Of this kind.
    pub kind: Option<events::PartnerKind>,
    /// Of this country.
    pub country: Option<Country>,
    /// Parts of this partner.
    pub parent: Option<String>,
}

impl ReadModels {
    /// A page of partners as they are on a day, by name.
    pub async fn partners(
        &self,
        day: Date,
        filter: &PartnerFilter,
        page: &Page,
    ) -> Result<(Vec<pb::Partner>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM partners
             WHERE name > $1 AND valid_from <= $2::text::date AND valid_until > $2::text::date
               AND ($3::integer IS NULL OR kind = $3)
               AND ($4::text IS NULL OR country_code = $4)
               AND ($5::text IS NULL OR parent = $5)
             ORDER BY name LIMIT $6",
            page.after(),
            day.to_string(),
            filter.kind.map(i32::from),
            filter.country.map(Country::code),
            filter.parent,
            page.limit(),
        );
        answer(page, rows.fetch_all(&self.pool()).await)
    }
}
