//! Indicators with their values.

use std::collections::BTreeSet;

use contracts::toguna::{commitments::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::query::{Field, Kind, Table, wordings};
use sqlx::PgConnection;

use crate::{domain::Indicator, resource};

/// What filters and orders of the list speak of. Titles, codes and frameworks are those of all its definitions.
pub static INDICATORS: Table = Table {
    name: "indicators",
    fields: &[
        Field::new("name", "name", Kind::Name("indicators")),
        Field::new("title", "title", Kind::Words),
        Field::new("codes", "codes", Kind::Texts),
        Field::new("frameworks", "frameworks", Kind::Names("frameworks")),
        Field::new("subjects", "subjects", Kind::Texts),
        Field::new(
            "agreement",
            "(CASE WHEN has_conflicts THEN 2 ELSE 1 END)",
            Kind::Enum("toguna.commitments.v1.ValueAgreement"),
        ),
    ],
};

/// Keeps the table `indicators`.
pub struct Indicators {
    /// The log that it follows.
    pub log: Log,
}

impl Projection for Indicators {
    fn name(&self) -> &'static str {
        "indicators"
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
            for stream in self.log.touched::<Indicator>(batch).await? {
                if let Some(indicator) = resource::indicator(&stream.name, &stream.state) {
                    keep(tx, &stream.state, &indicator).await?;
                }
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM indicators").execute(tx).await?;
            Ok(())
        })
    }
}

async fn keep(tx: &mut PgConnection, state: &Indicator, indicator: &pb::Indicator) -> Result<(), sqlx::Error> {
    let framework = |definition: &event_store::Recorded<(u32, crate::domain::Definition)>| {
        definition.event.1.framework.as_ref().map(ToString::to_string)
    };
    let frameworks: BTreeSet<String> = state.definitions().iter().filter_map(framework).collect();
    let definitions = || indicator.definitions.iter().filter_map(|version| version.definition.as_ref());
    let titles: String = definitions().map(|definition| wordings(definition.title.as_ref())).collect();
    let codes: BTreeSet<String> = definitions().map(|it| it.code.clone()).filter(|code| !code.is_empty()).collect();
    let targets = state.targets().iter().map(|target| &target.event.point);
    let points = state.values().iter().map(|value| &value.event.point).chain(targets);
    let subjects: BTreeSet<String> = points.map(|point| point.subject.name().to_string()).collect();
    sqlx::query!(
        "INSERT INTO indicators (name, frameworks, subjects, has_conflicts, title, codes, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (name) DO UPDATE SET
             frameworks = excluded.frameworks, subjects = excluded.subjects, has_conflicts = excluded.has_conflicts,
             title = excluded.title, codes = excluded.codes, resource = excluded.resource",
        indicator.name,
        &frameworks.into_iter().collect::<Vec<_>>(),
        &subjects.into_iter().collect::<Vec<_>>(),
        state.values().iter().any(|value| state.is_contradicted(value)),
        titles,
        &codes.into_iter().collect::<Vec<_>>(),
        indicator.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
