//! Initiatives: projects and policies.

use std::collections::BTreeSet;

use contracts::toguna::{
    commitments::{events::v1 as events, v1 as pb},
    log::v1::EventRecord,
};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::Initiative, resource};

/// Keeps the table `initiatives`.
pub struct Initiatives {
    /// The log that it follows.
    pub log: Log,
}

/// Which initiatives a list shows; `None`: whatever it is.
#[derive(Debug, Clone, Default)]
pub struct InitiativeFilter {
    /// Of this type.
    pub kind: Option<events::InitiativeType>,
    /// Of this partner.
    pub responsible: Option<String>,
    /// In this status.
    pub status: Option<events::InitiativeStatus>,
    /// So verified.
    pub verification: Option<pb::Verification>,
    /// Serving this framework.
    pub framework: Option<String>,
    /// In this place.
    pub place: Option<String>,
}

impl Projection for Initiatives {
    fn name(&self) -> &'static str {
        "initiatives"
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
            for stream in self.log.touched::<Initiative>(batch).await? {
                if let Some(initiative) = resource::initiative(&stream.name, &stream.state) {
                    keep(tx, &initiative).await?;
                }
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM initiatives").execute(tx).await?;
            Ok(())
        })
    }
}

async fn keep(tx: &mut PgConnection, initiative: &pb::Initiative) -> Result<(), sqlx::Error> {
    let description = initiative.description.clone().unwrap_or_default();
    let frameworks: BTreeSet<_> = description.serves.into_iter().map(|item| item.framework).collect();
    sqlx::query!(
        "INSERT INTO initiatives (name, type, responsible, status, verification, frameworks, places, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (name) DO UPDATE SET
             type = excluded.type, responsible = excluded.responsible, status = excluded.status,
             verification = excluded.verification, frameworks = excluded.frameworks, places = excluded.places,
             resource = excluded.resource",
        initiative.name,
        initiative.r#type,
        initiative.responsible,
        initiative.status,
        initiative.verification,
        &frameworks.into_iter().collect::<Vec<_>>(),
        &description.places,
        initiative.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

impl ReadModels {
    /// A page of initiatives.
    pub async fn initiatives(
        &self,
        page: &Page,
        filter: &InitiativeFilter,
    ) -> Result<(Vec<pb::Initiative>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM initiatives
             WHERE name > $1
               AND ($2::integer IS NULL OR type = $2)
               AND ($3::text IS NULL OR responsible = $3)
               AND ($4::integer IS NULL OR status = $4)
               AND ($5::integer IS NULL OR verification = $5)
               AND ($6::text IS NULL OR $6 = ANY (frameworks))
               AND ($7::text IS NULL OR $7 = ANY (places))
             ORDER BY name LIMIT $8",
            page.after(),
            filter.kind.map(i32::from),
            filter.responsible.as_deref(),
            filter.status.map(i32::from),
            filter.verification.map(i32::from),
            filter.framework.as_deref(),
            filter.place.as_deref(),
            page.limit(),
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
