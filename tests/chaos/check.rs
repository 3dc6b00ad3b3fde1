//! What must hold afterwards, seen from the outside: over gRPC, in JetStream and in the tables.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use contracts::toguna::log::v1::{
    EventRecord, GetLogRequest, ReplayLogRequest, log_service_client::LogServiceClient, replay_log_response::Message,
};
use prost::Message as _;
use sqlx::{Connection as _, PgConnection, Row as _};
use tonic::transport::Channel;

use crate::{
    load::{Clients, History, authorised},
    stack::{LOGS, Stack},
};

/// Roles that may read each log.
const AUDITOR: &str = "auditor";
/// How long copies and read models may take to catch up.
const CATCH_UP: Duration = Duration::from_mins(1);

/// Every log has its positions and versions without a gap and every acknowledged command once; JetStream holds the same
/// bytes; each agreement stands once in the logs of those who rest decisions on it.
pub async fn logs(stack: &Stack, clients: &Clients, history: &History) {
    let mut replayed = HashMap::new();
    for (name, client) in &clients.logs {
        let records = replay(client).await;
        without_gap(name, &records);
        same_in_jetstream(&stack.nats.url(), name, &records).await;
        replayed.insert(*name, decoded(&records));
    }
    acknowledged_once(&replayed["partnerships"], history);
    for name in ["commitments", "disbursements"] {
        let mut standings: Vec<&str> = replayed[name]
            .iter()
            .filter(|record| record.r#type.ends_with(".AgreementStandingRecorded"))
            .map(|record| record.stream.trim_start_matches("agreement-standings/"))
            .collect();
        standings.sort_unstable();
        let mut expected: Vec<&str> =
            history.agreements.iter().map(|agreement| agreement.trim_start_matches("agreements/")).collect();
        expected.sort_unstable();
        assert_eq!(standings, expected, "standings of agreements in {name}");
    }
}

/// Waits until everybody has followed every log to its end, and nobody has added to one meanwhile.
pub async fn settled(stack: &Stack, clients: &Clients) {
    let limit = Instant::now() + CATCH_UP;
    loop {
        let heads = heads(clients).await;
        let mut behind = Vec::new();
        for name in LOGS {
            let mut owner = owner(stack, name).await;
            let schema = schemas(&mut owner, name).await.pop().expect("a schema");
            for (log, head) in &heads {
                behind.extend(followers_behind(&mut owner, &schema, log, *head).await);
            }
        }
        if behind.is_empty() && heads == self::heads(clients).await {
            return;
        }
        assert!(Instant::now() < limit, "these do not catch up with {heads:?}: {behind:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn heads(clients: &Clients) -> BTreeMap<&'static str, u64> {
    let limit = Instant::now() + CATCH_UP;
    let mut heads = BTreeMap::new();
    for (name, client) in &clients.logs {
        // A service that was cut off from its database a moment ago may still be finding it again.
        let answer = loop {
            match client.clone().get_log(authorised(GetLogRequest {}, AUDITOR, "auditor")).await {
                Ok(answer) => break answer.into_inner(),
                Err(status) => assert!(Instant::now() < limit, "the log of {name} does not answer: {status:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        heads.insert(*name, answer.head);
    }
    heads
}

async fn owner(stack: &Stack, name: &str) -> PgConnection {
    PgConnection::connect(&stack.services[name].database_url).await.expect("the owner connects")
}

async fn replay(client: &LogServiceClient<Channel>) -> Vec<Vec<u8>> {
    let request = authorised(ReplayLogRequest::default(), AUDITOR, "auditor");
    let mut stream = client.clone().replay_log(request).await.expect("a replay").into_inner();
    let mut records = Vec::new();
    while let Some(response) = stream.message().await.expect("the replay goes on") {
        match response.message {
            Some(Message::Events(batch)) => records.extend(batch.records),
            Some(Message::CaughtUp(_)) | None => {}
        }
    }
    records
}

fn decoded(records: &[Vec<u8>]) -> Vec<EventRecord> {
    records.iter().map(|record| EventRecord::decode(record.as_slice()).expect("a record")).collect()
}

fn without_gap(log: &str, records: &[Vec<u8>]) {
    let mut versions: HashMap<String, u64> = HashMap::new();
    let mut time = (0, 0);
    for (record, position) in decoded(records).into_iter().zip(1..) {
        assert_eq!(record.position, position, "position in {log}");
        let version = versions.entry(record.stream.clone()).or_default();
        *version += 1;
        assert_eq!(record.version, *version, "version of {} in {log}", record.stream);
        let recorded_at = record.recorded_at.map(|time| (time.seconds, time.nanos)).expect("a time");
        assert!(recorded_at >= time, "time at {position} in {log}");
        time = recorded_at;
    }
}

fn acknowledged_once(records: &[EventRecord], history: &History) {
    let mut by_request: HashMap<Vec<u8>, Vec<u64>> = HashMap::new();
    for record in records {
        by_request.entry(record.request_id.clone()).or_default().push(record.position);
    }
    let mut seen = HashSet::new();
    for (request_id, receipt) in &history.acknowledged {
        assert!(seen.insert(request_id), "{request_id} was sent for two commands");
        let positions: Vec<u64> = receipt.events.iter().map(|event| event.position).collect();
        assert!(!positions.is_empty(), "{request_id} had no effect");
        assert_eq!(by_request.get(request_id.as_bytes().as_slice()), Some(&positions), "events of {request_id}");
        for event in &receipt.events {
            let index = usize::try_from(event.position - 1).expect("an index");
            let record = &records[index];
            assert_eq!((&record.stream, record.version, &record.r#type), (&event.stream, event.version, &event.r#type));
        }
    }
}

/// Sequence = position, payload = the stored bytes, nothing more and nothing less.
async fn same_in_jetstream(nats_url: &str, log: &str, records: &[Vec<u8>]) {
    let address: async_nats::ServerAddr = nats_url.parse().expect("the address of NATS");
    let user = address.username().unwrap_or_default().to_owned();
    let password = address.password().unwrap_or_default().to_owned();
    let options = async_nats::ConnectOptions::with_user_and_password(user, password);
    let client = options.connect(address).await.expect("NATS answers");
    let jetstream = async_nats::jetstream::new(client);
    let limit = Instant::now() + CATCH_UP;
    let stream = loop {
        if let Ok(stream) = jetstream.get_stream(format!("toguna-{log}")).await
            && stream.cached_info().state.last_sequence >= records.len() as u64
        {
            break stream;
        }
        assert!(Instant::now() < limit, "the copy of {log} does not catch up");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(stream.cached_info().state.messages, records.len() as u64, "messages of {log}");
    for (record, position) in records.iter().zip(1..) {
        let message = stream.get_raw_message(position).await.expect("a message");
        assert_eq!(message.sequence, position);
        assert_eq!(message.payload.as_ref(), record.as_slice(), "bytes at {position} of {log}");
    }
}

/// Read models that went through all of this equal those that are built anew from the logs.
pub async fn read_models(stack: &mut Stack, clients: &Clients) {
    let lived = all_rows(stack).await;
    for name in LOGS {
        stack.services.get_mut(name).expect("a service").kill();
        let mut owner = owner(stack, name).await;
        for schema in schemas(&mut owner, name).await {
            let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA \"{schema}\" CASCADE"));
            sqlx::query(drop).execute(&mut owner).await.expect("dropped");
        }
    }
    stack.start_missing();
    stack.until_ready().await;
    settled(stack, clients).await;
    let anew = all_rows(stack).await;
    assert_eq!(lived.keys().collect::<Vec<_>>(), anew.keys().collect::<Vec<_>>(), "tables");
    for (table, rows) in &lived {
        for (lived, anew) in rows.iter().zip(&anew[table]) {
            assert_eq!(lived, anew, "a row of {table}");
        }
        assert_eq!(rows.len(), anew[table].len(), "rows of {table}");
    }
}

async fn all_rows(stack: &Stack) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for name in LOGS {
        all.extend(rows(&mut owner(stack, name).await, name).await);
    }
    assert!(all.len() >= LOGS.len(), "every service keeps read models");
    all
}

async fn schemas(owner: &mut PgConnection, name: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE $1 || '\\_v%' ORDER BY nspname")
        .bind(name)
        .fetch_all(owner)
        .await
        .expect("schemas")
}

/// Followers of a log that have not reached a position.
async fn followers_behind(owner: &mut PgConnection, schema: &str, log: &str, head: u64) -> Vec<String> {
    let query = format!("SELECT follower::text FROM \"{schema}\".checkpoints WHERE log = $1 AND position < $2");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(log)
        .bind(head.cast_signed())
        .fetch_all(owner)
        .await
        .expect("checkpoints")
}

/// Every table of the read models but those that say how far they are, row by row as text, in order.
async fn rows(owner: &mut PgConnection, name: &str) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for schema in schemas(owner, name).await {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = $1
             AND tablename NOT LIKE '\\_%' AND tablename <> 'checkpoints' ORDER BY tablename",
        )
        .bind(&schema)
        .fetch_all(&mut *owner)
        .await
        .expect("tables");
        for table in tables {
            let query = format!("SELECT t::text FROM \"{schema}\".\"{table}\" AS t ORDER BY t::text");
            let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut *owner).await.expect("rows");
            all.insert(format!("{schema}.{table}"), rows.iter().map(|row| row.get(0)).collect());
        }
    }
    all
}
