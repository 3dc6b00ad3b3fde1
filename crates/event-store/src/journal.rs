//! The journal of refusals: a table beside the log, in its database, to which the log's writer may add, of which it may
//! forget what is older than thirty days, and in which nobody but the owner changes anything.
//!
//! An entry is no event. It has no position, is not hashed, published or replayed, and what is lost of it takes nothing
//! from the log.

use std::{collections::BTreeMap, time::Duration};

use contracts::toguna::errors::v1::RefusalKind;
use event_sourcing::{Actor, Timestamp};
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgConnectOptions};
use uuid::{Builder, Uuid};

use crate::StoreError;

/// How long Postgres may take to connect and to write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A refusal, or several alike of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `UUIDv7` of when it was given, the last of several: entries are ordered by it.
    pub id: Uuid,
    /// When the first was given.
    pub first_at: Timestamp,
    /// For how many it stands, at least 1.
    pub count: u64,
    /// Of what kind the rule is.
    pub kind: RefusalKind,
    /// The stable reason.
    pub reason: String,
    /// The values that its text spoke of.
    pub values: BTreeMap<String, String>,
    /// Who called; of several only the organisation.
    pub actor: Actor,
    /// Whose act was to be recorded; empty: nobody's.
    pub on_behalf_of: String,
    /// The RPC.
    pub method: String,
    /// The resource that the command named; empty: none.
    pub resource: String,
    /// The command's id.
    pub request_id: Option<Uuid>,
    /// Trace of the call, in hexadecimal.
    pub trace_id: String,
    /// The caller only asked what would happen.
    pub validate_only: bool,
}

impl Refused {
    /// When it was given, to the millisecond; the last of several.
    pub fn at(&self) -> Timestamp {
        at(self.id)
    }
}

/// When a `UUIDv7` was made, to the millisecond.
pub fn at(id: Uuid) -> Timestamp {
    let millisecond = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Which refusals. One matches that matches everything that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefusedFilter {
    /// Of the people of this organisation.
    pub organisation: Option<String>,
    /// Of this kind.
    pub kind: Option<RefusalKind>,
    /// Given at this time or later.
    pub since: Option<Timestamp>,
    /// Given before this time.
    pub before: Option<Timestamp>,
}

/// The journal of one log. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    reader: PgPool,
    writer: PgConnectOptions,
}

impl Journal {
    pub(crate) fn new(reader: PgPool, writer: PgConnectOptions) -> Self {
        Self { reader, writer }
    }

    /// A session that adds to it.
    pub fn writer(&self) -> JournalWriter {
        JournalWriter { options: self.writer.clone(), session: None }
    }

    /// Entries that match, the newest first, from before `after` on where that is given.
    pub async fn page(
        &self,
        filter: &RefusedFilter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Refused>, StoreError> {
        let since = filter.since.map_or(Uuid::nil(), first_id);
        let before = filter.before.map_or(Uuid::max(), first_id);
        let before = after.map_or(before, |after| before.min(after));
        let kind = filter.kind.map(name).unwrap_or_default();
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, (extract(epoch FROM first_refused_at) * 1000000)::bigint AS "first_at_us!", count, kind, reason,
                      metadata::text AS "metadata!", organisation, issuer, subject, roles, on_behalf_of, method, resource,
                      request_id, trace_id, validate_only
               FROM refusals
               WHERE id >= $1 AND id < $2 AND ($3 = '' OR kind = $3) AND ($4::text IS NULL OR organisation = $4)
               ORDER BY id DESC LIMIT $5"#,
            since,
            before,
            kind,
            filter.organisation.as_deref(),
            limit,
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(rows.into_iter().map(Refused::from).collect())
    }

    /// Forgets what was refused before this time, but nothing of the last thirty days. Answers how many entries that
    /// were.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut writer = PgConnection::connect_with(&self.writer).await?;
        let forgotten = sqlx::query_scalar!(r#"SELECT forget_refusals($1) AS "forgotten!""#, before.as_millisecond());
        let forgotten = forgotten.fetch_one(&mut writer).await?;
        writer.close().await?;
        Ok(forgotten.cast_unsigned())
    }
}

/// Adds to the journal. An entry that was written already is not written again, so that whoever does not know whether
/// it was may try once more.
pub struct JournalWriter {
    options: PgConnectOptions,
    session: Option<PgConnection>,
}

impl JournalWriter {
    /// Writes entries, in one commit.
    pub async fn add(&mut self, entries: &[Refused]) -> Result<(), StoreError> {
        let written = tokio::time::timeout(WRITE_TIMEOUT, self.insert(entries)).await;
        let written = written.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())));
        if written.is_err() {
            self.session = None;
        }
        Ok(written?)
    }

    async fn insert(&mut self, entries: &[Refused]) -> Result<(), sqlx::Error> {
        let session = match &mut self.session {
            Some(session) => session,
            None => self.session.insert(PgConnection::connect_with(&self.options).await?),
        };
        let texts = |text: fn(&Refused) -> &str| entries.iter().map(text).collect::<Vec<_>>();
        let joined = |text: fn(&Refused) -> String| entries.iter().map(text).collect::<Vec<_>>();
        let numbers = |number: fn(&Refused) -> i64| entries.iter().map(number).collect::<Vec<_>>();
        let metadata = joined(|entry| serde_json::to_string(&entry.values).unwrap_or_else(|_| "{}".into()));
        let roles = joined(|entry| entry.actor.roles.join(","));
        sqlx::query!(
            "INSERT INTO refusals (
                 id, refused_at, first_refused_at, count, kind, reason, metadata, organisation, issuer, subject, roles,
                 on_behalf_of, method, resource, request_id, trace_id, validate_only)
             SELECT id, 'epoch'::timestamptz + at_us * interval '1 microsecond',
                    'epoch'::timestamptz + first_at_us * interval '1 microsecond', count, kind, reason, metadata::jsonb,
                    organisation, issuer, subject, string_to_array(roles, ','),
                    on_behalf_of, method, resource, request_id, trace_id, validate_only
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                         $15::uuid[], $16::text[], $17::boolean[])
                  AS new (id, at_us, first_at_us, count, kind, reason, metadata, organisation, issuer, subject, roles,
                          on_behalf_of, method, resource, request_id, trace_id, validate_only)
             ON CONFLICT (id) DO NOTHING",
            &entries.iter().map(|entry| entry.id).collect::<Vec<_>>(),
            &numbers(|entry| entry.at().as_microsecond()),
            &numbers(|entry| entry.first_at.as_microsecond()),
            &numbers(|entry| entry.count.cast_signed()),
            &texts(|entry| name(entry.kind)) as &[&str],
            &texts(|entry| &entry.reason) as &[&str],
            &metadata,
            &texts(|entry| &entry.actor.organisation) as &[&str],
            &texts(|entry| &entry.actor.issuer) as &[&str],
            &texts(|entry| &entry.actor.subject) as &[&str],
            &roles,
            &texts(|entry| &entry.on_behalf_of) as &[&str],
            &texts(|entry| &entry.method) as &[&str],
            &texts(|entry| &entry.resource) as &[&str],
            &entries.iter().map(|entry| entry.request_id).collect::<Vec<_>>() as &[Option<Uuid>],
            &texts(|entry| &entry.trace_id) as &[&str],
            &entries.iter().map(|entry| entry.validate_only).collect::<Vec<_>>(),
        )
        .execute(session)
        .await?;
        Ok(())
    }
}

struct Row {
    id: Uuid,
    first_at_us: i64,
    count: i64,
    kind: String,
    reason: String,
    metadata: String,
    organisation: String,
    issuer: String,
    subject: String,
    roles: Vec<String>,
    on_behalf_of: String,
    method: String,
    resource: String,
    request_id: Option<Uuid>,
    trace_id: String,
    validate_only: bool,
}

impl From<Row> for Refused {
    fn from(row: Row) -> Self {
        let Row { issuer, subject, organisation, roles, .. } = row;
        Self {
            id: row.id,
            first_at: Timestamp::from_microsecond(row.first_at_us).unwrap_or(Timestamp::UNIX_EPOCH),
            count: row.count.cast_unsigned(),
            kind: RefusalKind::from_str_name(&format!("{PREFIX}{}", row.kind)).unwrap_or_default(),
            reason: row.reason,
            values: serde_json::from_str(&row.metadata).unwrap_or_default(),
            actor: Actor { issuer, subject, organisation, roles },
            on_behalf_of: row.on_behalf_of,
            method: row.method,
            resource: row.resource,
            request_id: row.request_id,
            trace_id: row.trace_id,
            validate_only: row.validate_only,
        }
    }
}

const PREFIX: &str = "REFUSAL_KIND_";

/// As the table has it.
fn name(kind: RefusalKind) -> &'static str {
    kind.as_str_name().trim_start_matches(PREFIX)
}

/// The least id of its time, or of the first millisecond after it.
fn first_id(time: Timestamp) -> Uuid {
    let millisecond = time.as_microsecond().div_euclid(1000) + i64::from(time.as_nanosecond() % 1_000_000 != 0);
    let millisecond = u64::try_from(millisecond).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millisecond, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_bounds_the_ids_that_were_made_from_then_on() {
        let id = Uuid::now_v7();
        let made = at(id);
        let later = Timestamp::from_microsecond(made.as_microsecond() + 1).expect("a time");
        assert!(first_id(made) <= id, "from its own millisecond on");
        assert!(first_id(later) > id, "a millisecond that has begun lies before");
        assert_eq!(at(first_id(made)), made);
    }
}
