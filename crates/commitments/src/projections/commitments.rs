//! Commitments, and what is known of the agreements that they rest on. The two are joined when they are read: an
//! agreement that becomes contested flags every promise that cites it, without a row of theirs changing.

use contracts::toguna::{
    commitments::{events::v1 as events, v1 as pb},
    log::v1::EventRecord,
};
use event_store::{
    BoxFuture, Column, Condition, Date, DecodeError, Holds, LivePool, Log, Projection, ProjectionError, Relation,
    Touched,
};
use prost::Message as _;
use service_runtime::{
    query::{Field, Kind, Table, first_day, wordings},
    status,
};
use sqlx::PgConnection;
use tonic::Status;

use crate::{
    domain::{AgreementStanding, Commitment},
    resource::{self, Standings},
};

/// Number 2 where an agreement that the promise rests on is contested, else 1.
const CONTESTATION: &str = "(CASE WHEN EXISTS (
    SELECT FROM agreement_standings AS s WHERE s.is_contested AND s.agreement = ANY (agreements)
) THEN 2 ELSE 1 END)";

/// What filters and orders of the list speak of.
pub static COMMITMENTS: Table = Table {
    name: "commitments",
    fields: &[
        Field::new("name", "name", Kind::Name("commitments")),
        Field::new("owner", "owner", Kind::Name("partners")),
        Field::new("framework", "framework", Kind::Name("frameworks")),
        Field::new("plan", "plan", Kind::Text),
        Field::new("item", "item", Kind::Text),
        Field::new("text", "text", Kind::Words),
        Field::new("due_on", "due_on", Kind::Date),
        Field::new("status", "status", Kind::Enum("toguna.commitments.v1.CommitmentStatus")),
        Field::new("confirmation", "confirmation", Kind::Enum("toguna.commitments.v1.Confirmation")),
        Field::new("register_reference", "register_reference", Kind::Text),
        Field::new("agreements", "agreements", Kind::Names("agreements")),
        Field::new("contestation", CONTESTATION, Kind::Enum("toguna.commitments.events.v1.Contestation")),
    ],
};

/// Keeps the tables `commitments` and `agreement_standings`.
pub struct Commitments {
    /// The log that it follows.
    pub log: Log,
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
             (name, owner, framework, plan, item, status, is_open, due_until, agreements, text, due_on, confirmation,
              register_reference, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9, $10, nullif($11, '')::date, $12, $13, $14)
         ON CONFLICT (name) DO UPDATE SET
             owner = excluded.owner, framework = excluded.framework, plan = excluded.plan, item = excluded.item,
             status = excluded.status, is_open = excluded.is_open, due_until = excluded.due_until,
             agreements = excluded.agreements, text = excluded.text, due_on = excluded.due_on,
             confirmation = excluded.confirmation, register_reference = excluded.register_reference,
             resource = excluded.resource",
        commitment.name,
        terms.owner,
        terms.answers.framework.as_str(),
        terms.answers.plan,
        terms.answers.item.as_deref().unwrap_or_default(),
        commitment.status,
        stream.state.status().is_open(),
        terms.due_on.map(|due_on| due_on.latest().to_string()),
        &agreements,
        wordings(commitment.text.as_ref()),
        first_day(commitment.due_on.as_ref()),
        commitment.confirmation,
        commitment.register_reference,
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

/// Holds of commitments that are open, and had a date before this day.
pub(crate) fn overdue_on(day: Date) -> Condition {
    let due_until = Column { sql: "due_until", holds: Holds::Day };
    let is_open = Column { sql: "is_open::integer", holds: Holds::Number };
    Condition::All(vec![
        Condition::Is(is_open, Relation::Equal, "1".to_owned()),
        Condition::Is(due_until, Relation::Less, day.to_string()),
    ])
}

/// What is known of these agreements.
pub(crate) async fn standings(live: &LivePool, agreements: &[String]) -> Result<Standings, Status> {
    let query = sqlx::query!("SELECT agreement, cited FROM agreement_standings WHERE agreement = ANY ($1)", agreements);
    let rows = query.fetch_all(&live.pool()).await.map_err(|error| status::store(&error.into()))?;
    let known = |cited: Vec<u8>| pb::CitedAgreement::decode(cited.as_slice());
    let standings = rows.into_iter().map(|row| Ok((row.agreement, known(row.cited)?)));
    standings.collect::<Result<_, DecodeError>>().map_err(|error| status::internal(&error))
}
