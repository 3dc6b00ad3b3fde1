//! The index of request ids: which request had which effect. It can be made again from the events.

use contracts::toguna::log::v1::EventRecord;
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use tracing::warn;
use uuid::Uuid;

use crate::{DecodeError, StoreError};

/// How many events are read at once.
const PAGE: i64 = 1_000;

/// Rows of the index, column by column, as `unnest` takes them.
#[derive(Default)]
struct Index {
    organisations: Vec<String>,
    ids: Vec<Uuid>,
    content_hashes: Vec<Vec<u8>>,
    first_positions: Vec<i64>,
    last_positions: Vec<i64>,
}

/// Makes the index again from the events, where it was lost: as a whole, or at its end as by a copy that is older than
/// the events.
pub(crate) async fn rebuild(owner: &mut PgConnection) -> Result<(), StoreError> {
    let last = sqlx::query!("SELECT position, record FROM events ORDER BY position DESC LIMIT 1");
    let Some(last) = last.fetch_optional(&mut *owner).await? else { return Ok(()) };
    let mut index = Index::default();
    index.add(last.position, &last.record)?;
    let is_there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM requests WHERE organisation = $1 AND request_id = $2) AS "is_there!""#,
        index.organisations[0],
        index.ids[0],
    );
    if is_there.fetch_one(&mut *owner).await? {
        return Ok(());
    }
    warn!("the index of request ids does not reach the end of the log: making it again from the events");
    let mut after = 0_i64;
    let mut transaction = owner.begin().await?;
    loop {
        let events = sqlx::query!(
            "SELECT position, record FROM events WHERE position > $1 ORDER BY position LIMIT $2",
            after,
            PAGE
        )
        .fetch_all(&mut *transaction)
        .await?;
        let Some(last) = events.last() else { break };
        after = last.position;
        let mut index = Index::default();
        for event in &events {
            index.add(event.position, &event.record)?;
        }
        // A request's events lie side by side, but not always in one page; another process may have added it too.
        sqlx::query!(
            "INSERT INTO requests (organisation, request_id, content_hash, first_position, events)
             SELECT organisation, request_id, content_hash, first, last - first + 1
             FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[])
                  AS row (organisation, request_id, content_hash, first, last)
             ON CONFLICT (organisation, request_id) DO UPDATE SET
                 events = greatest(requests.events,
                                   excluded.first_position + excluded.events - requests.first_position)",
            &index.organisations,
            &index.ids,
            &index.content_hashes,
            &index.first_positions,
            &index.last_positions,
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

impl Index {
    fn add(&mut self, position: i64, record: &[u8]) -> Result<(), StoreError> {
        let damaged = |source| StoreError::Record { position: position.cast_unsigned(), source };
        let record = EventRecord::decode(record).map_err(|error| damaged(error.into()))?;
        let id = Uuid::from_slice(&record.request_id).map_err(|_| damaged(DecodeError::Invalid("request_id")))?;
        let organisation = record.actor.unwrap_or_default().organisation;
        if self.ids.last() == Some(&id)
            && self.organisations.last() == Some(&organisation)
            && let Some(last) = self.last_positions.last_mut()
        {
            *last = position;
            return Ok(());
        }
        self.organisations.push(organisation);
        self.ids.push(id);
        self.content_hashes.push(record.content_hash);
        self.first_positions.push(position);
        self.last_positions.push(position);
        Ok(())
    }
}
