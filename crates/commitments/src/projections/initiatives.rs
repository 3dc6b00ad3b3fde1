//! Initiatives: projects and policies.

use std::collections::BTreeSet;

use contracts::toguna::{commitments::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, wordings};
use sqlx::PgConnection;

use crate::{domain::Initiative, resource};

/// What filters and orders of the list speak of.
pub static INITIATIVES: Table = Table {
    name: "initiatives",
    fields: &[
        Field::new("name", "name", Kind::Name("initiatives")),
        Field::new("type", "type", Kind::Enum("toguna.commitments.events.v1.InitiativeType")),
        Field::new("responsible", "responsible", Kind::Name("partners")),
        Field::new("title", "title", Kind::Words),
        Field::new("confirmation", "confirmation", Kind::Enum("toguna.commitments.v1.Confirmation")),
        Field::new("verification", "verification", Kind::Enum("toguna.commitments.v1.Verification")),
        Field::new("status", "status", Kind::Enum("toguna.commitments.events.v1.InitiativeStatus")),
        Field::new("frameworks", "frameworks", Kind::Names("frameworks")),
        Field::new("places", "places", Kind::Texts),
    ],
};

/// Keeps the table `initiatives`.
pub struct Initiatives {
    /// The log that it follows.
    pub log: Log,
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
        "INSERT INTO initiatives
             (name, type, responsible, status, verification, frameworks, places, title, confirmation, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (name) DO UPDATE SET
             type = excluded.type, responsible = excluded.responsible, status = excluded.status,
             verification = excluded.verification, frameworks = excluded.frameworks, places = excluded.places,
             title = excluded.title, confirmation = excluded.confirmation, resource = excluded.resource",
        initiative.name,
        initiative.r#type,
        initiative.responsible,
        initiative.status,
        initiative.verification,
        &frameworks.into_iter().collect::<Vec<_>>(),
        &description.places,
        wordings(description.title.as_ref()),
        initiative.confirmation,
        initiative.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
