//! Indicators with their values.

use std::collections::BTreeSet;

use contracts::toguna::{commitments::v1 as pb, log::v1::EventRecord};
use event_store::{BoxFuture, Log, Projection, ProjectionError};
use prost::Message as _;
use service_runtime::{Page, Row};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{domain::Indicator, resource};

/// Keeps the table `indicators`.
pub struct Indicators {
    /// The log that it follows.
    pub log: Log,
}

/// Which indicators a list shows; `None`: whatever it is.
#[derive(Debug, Clone, Default)]
pub struct IndicatorFilter {
    /// Of this framework's list.
    pub framework: Option<String>,
    /// With a value or a target for this subject.
    pub subject: Option<String>,
    /// With conflicting values, or without.
    pub agreement: Option<pb::ValueAgreement>,
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
    let targets = state.targets().iter().map(|target| &target.event.point);
    let points = state.values().iter().map(|value| &value.event.point).chain(targets);
    let subjects: BTreeSet<String> = points.map(|point| point.subject.name().to_string()).collect();
    sqlx::query!(
        "INSERT INTO indicators (name, frameworks, subjects, has_conflicts, resource) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE SET
             frameworks = excluded.frameworks, subjects = excluded.subjects, has_conflicts = excluded.has_conflicts,
             resource = excluded.resource",
        indicator.name,
        &frameworks.into_iter().collect::<Vec<_>>(),
        &subjects.into_iter().collect::<Vec<_>>(),
        state.values().iter().any(|value| state.is_contradicted(value)),
        indicator.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

impl ReadModels {
    /// A page of indicators.
    pub async fn indicators(
        &self,
        page: &Page,
        filter: &IndicatorFilter,
    ) -> Result<(Vec<pb::Indicator>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM indicators
             WHERE name > $1
               AND ($2::text IS NULL OR $2 = ANY (frameworks))
               AND ($3::text IS NULL OR $3 = ANY (subjects))
               AND ($4::boolean IS NULL OR has_conflicts = $4)
             ORDER BY name LIMIT $5",
            page.after(),
            filter.framework.as_deref(),
            filter.subject.as_deref(),
            filter.agreement.map(|agreement| agreement == pb::ValueAgreement::Conflicting),
            page.limit(),
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }
}
