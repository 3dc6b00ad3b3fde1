//! Commitments, and what is known of the agreements that they rest on. The two are joined when they are read: an
//! agreement that becomes contested flags every promise that cites it, without a row of theirs changing.

use contracts::toguna::{
    commitments::{events::v1 as events, v1 as pb},
    log::v1::EventRecord,
};
use event_store::{BoxFuture, Date, DecodeError, Log, Projection, ProjectionError, Touched};
use prost::Message as _;
use service_runtime::{Page, Row, status};
use sqlx::PgConnection;
use tonic::Status;

use super::ReadModels;
use crate::{
    domain::{AgreementStanding, Commitment, Contestation},
    resource::{self, Standings},
};

/// Keeps the tables `commitments` and `agreement_standings`.
pub struct Commitments {
    /// The log that it follows.
    pub log: Log,
}

/// Which commitments a list shows; `None`: whatever it is.
#[derive(Debug, Clone, Default)]
pub struct CommitmentFilter {
    /// Of this partner.
    pub owner: Option<String>,
    /// Under this framework.
    pub framework: Option<String>,
    /// Under this plan.
    pub plan: Option<String>,
    /// Under this item.
    pub item: Option<String>,
    /// In this status.
    pub status: Option<pb::CommitmentStatus>,
    /// Flagged or not.
    pub contestation: Option<Contestation>,
    /// Open, with a date before this day.
    pub overdue_on: Option<Date>,
}

impl Projection for Commitments {
    fn name(&self) -> &'static str {
        "commitments"
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
            for stream in self.log.touched::<Commitment>(batch).await? {
                keep_commitment(tx, &stream).await?;
            }
            for stream in self.log.touched::<AgreementStanding>(batch).await? {
                keep_standing(tx, &stream).await?;
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query!("DELETE FROM commitments").execute(&mut *tx).await?;
            sqlx::query!("DELETE FROM agreement_standings").execute(tx).await?;
            Ok(())
        })
    }
}

async fn keep_commitment(tx: &mut PgConnection, stream: &Touched<Commitment>) -> Result<(), sqlx::Error> {
    let resource = resource::commitment(&stream.name, &stream.state);
    let (Some(commitment), Some(declared)) = (resource, stream.state.terms()) else { return Ok(()) };
    let terms = &declared.event;
    let agreements: Vec<_> = terms.agreements.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO commitments
             (name, owner, framework, plan, item, status, is_open, due_until, agreements, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (name) DO UPDATE SET
             owner = excluded.owner, framework = excluded.framework, plan = excluded.plan, item = excluded.item,
             status = excluded.status, is_open = excluded.is_open, due_until = excluded.due_until,
             agreements = excluded.agreements, resource = excluded.resource",
        commitment.name,
        terms.owner,
        terms.answers.framework.as_str(),
        terms.answers.plan,
        terms.answers.item.as_deref().unwrap_or_default(),
        commitment.status,
        stream.state.status().is_open(),
        terms.due_on.map(|due_on| due_on.latest().to_string()),
        &agreements,
        commitment.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_standing(tx: &mut PgConnection, stream: &Touched<AgreementStanding>) -> Result<(), sqlx::Error> {
    let cited = resource::cited(&AgreementStanding::agreement_of(&stream.name), &stream.state, Date::MAX);
    sqlx::query!(
        "INSERT INTO agreement_standings (agreement, is_contested, cited) VALUES ($1, $2, $3)
         ON CONFLICT (agreement) DO UPDATE SET is_contested = excluded.is_contested, cited = excluded.cited",
        cited.agreement,
        cited.contestation() == events::Contestation::Contested,
        cited.encode_to_vec(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

impl ReadModels {
    /// A page of commitments, without what is known of their agreements.
    pub async fn commitments(
        &self,
        page: &Page,
        filter: &CommitmentFilter,
    ) -> Result<(Vec<pb::Commitment>, String), Status> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT name, resource FROM commitments AS c
             WHERE name > $1
               AND ($2::text IS NULL OR owner = $2)
               AND ($3::text IS NULL OR framework = $3)
               AND ($4::text IS NULL OR plan = $4)
               AND ($5::text IS NULL OR item = $5)
               AND ($6::integer IS NULL OR status = $6)
               AND ($7::boolean IS NULL OR $7 = EXISTS (
                       SELECT FROM agreement_standings AS s WHERE s.is_contested AND s.agreement = ANY (c.agreements)))
               AND ($8::text IS NULL OR (is_open AND due_until < $8))
             ORDER BY name LIMIT $9",
            page.after(),
            filter.owner.as_deref(),
            filter.framework.as_deref(),
            filter.plan.as_deref(),
            filter.item.as_deref(),
            filter.status.map(i32::from),
            filter.contestation.map(|contestation| contestation == Contestation::Contested),
            filter.overdue_on.map(|day| day.to_string()),
            page.limit(),
        );
        page.answer(rows.fetch_all(&self.pool()).await)
    }

    /// What is known of these agreements.
    pub async fn standings(&self, agreements: &[String]) -> Result<Standings, Status> {
        let query =
            sqlx::query!("SELECT agreement, cited FROM agreement_standings WHERE agreement = ANY ($1)", agreements,);
        let rows = query.fetch_all(&self.pool()).await.map_err(|error| status::store(&error.into()))?;
        let known = |cited: Vec<u8>| pb::CitedAgreement::decode(cited.as_slice());
        let standings = rows.into_iter().map(|row| Ok((row.agreement, known(row.cited)?)));
        standings.collect::<Result<_, DecodeError>>().map_err(|error| status::internal(&error))
    }
}
