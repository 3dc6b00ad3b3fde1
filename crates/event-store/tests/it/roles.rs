//! What the database roles of a log may do, tried by connections of their own: what the program would not do, no SQL that
//! it is made to run does.

use std::collections::BTreeSet;

use event_store::{Followers, Generations, Log, open_read_models};
use harness::Servers;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};
use tokio_util::sync::CancellationToken;

use crate::{
    house::{MIGRATOR, Running, Totals},
    log::{new_log, open},
    stage::append,
    tally::request,
};

/// `insufficient_privilege`.
const DENIED: &str = "42501";

/// The writer and the reader of a database, with a password that the test knows.
async fn roles_of(url: &str) -> [PgConnectOptions; 2] {
    let owner: PgConnectOptions = url.parse().expect("an address");
    let database = owner.get_database().expect("a database").to_owned();
    let mut session = owner.connect().await.expect("the owner connects");
    let roles = ["writer", "reader"].map(|role| format!("{database}_{role}"));
    for role in &roles {
        let sql = format!("ALTER ROLE \"{role}\" PASSWORD 'known'");
        session.execute(AssertSqlSafe(sql)).await.expect("it made the role");
    }
    session.close().await.expect("closed");
    roles.map(|role| owner.clone().username(&role).password("known"))
}

/// Why the server does not do it; `None`: it does. Whatever it does is taken back.
async fn refusal(session: &mut PgConnection, sql: &str) -> Option<String> {
    let mut transaction = session.begin().await.expect("a transaction");
    let done = transaction.execute(AssertSqlSafe(sql.to_owned())).await;
    transaction.rollback().await.expect("taken back");
    done.err().map(|error| match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) => code.into_owned(),
        None => error.to_string(),
    })
}

async fn may(session: &mut PgConnection, statements: &[&str]) {
    for sql in statements {
        assert_eq!(refusal(session, sql).await, None, "{sql}");
    }
}

async fn may_not(session: &mut PgConnection, statements: &[&str]) {
    for sql in statements {
        assert_eq!(refusal(session, sql).await.as_deref(), Some(DENIED), "{sql}");
    }
}

/// What nobody but the owner may do.
const OF_THE_OWNER: [&str; 27] = [
    "UPDATE log.events SET version = 2",
    "DELETE FROM log.events",
    "TRUNCATE log.events",
    "ALTER TABLE log.events DISABLE TRIGGER ALL",
    "ALTER TABLE log.events DROP CONSTRAINT events_pkey",
    "ALTER TABLE log.events ADD COLUMN more text",
    "ALTER TABLE log.head OWNER TO CURRENT_USER",
    "CREATE TRIGGER other BEFORE INSERT ON log.events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE other AS ON INSERT TO log.events DO INSTEAD NOTHING",
    "CREATE INDEX other ON log.events (recorded_at_us)",
    "DROP TABLE log.events",
    "DROP SCHEMA log CASCADE",
    "CREATE TABLE log.other (a integer)",
    "CREATE TABLE public.other (a integer)",
    "CREATE TEMPORARY TABLE events (a integer)",
    "CREATE SCHEMA other",
    "CREATE FUNCTION log.other() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE other",
    "LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE",
    "DELETE FROM log.head",
    "TRUNCATE log.head",
    "DELETE FROM log.requests",
    "UPDATE log.requests SET events = 2",
    "UPDATE log.epochs SET began_after = 1",
    "SET LOCAL session_replication_role = replica",
    "COPY log.events TO PROGRAM 'cat'",
    "COPY log.events FROM '/etc/hostname'",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_adds_events_and_moves_the_head_and_the_reader_reads() {
    let (log, url) = new_log().await;
    open_read_models(&url, "house", 1, &MIGRATOR).await.expect("the read models open");
    append(&log, request(), "a", 2).await;
    let [writer, reader] = roles_of(&url).await;
    let (mut writer, mut reader) =
        (writer.connect().await.expect("it comes in"), reader.connect().await.expect("it comes in"));

    let add =
        "INSERT INTO log.events SELECT position + 100, stream, version + 100, recorded_at_us, record FROM log.events";
    let (index, epoch, head) = (
        "INSERT INTO log.requests SELECT organisation, gen_random_uuid(), content_hash, 1, 1 FROM log.requests",
        "INSERT INTO log.epochs (epoch, began_after) VALUES (gen_random_uuid(), 2)",
        "UPDATE log.head SET position = position + 1, root = NULL, compact_range = NULL",
    );
    may(&mut writer, &["SELECT * FROM log.events", add, index, epoch, head]).await;
    may_not(&mut writer, &OF_THE_OWNER).await;
    let read_models = [
        "SELECT * FROM house_v1.totals",
        "DELETE FROM house_v1.totals",
        "UPDATE house_v1.checkpoints SET position = 0",
        "DROP TABLE house_v1.totals",
    ];
    may_not(&mut writer, &read_models).await;

    may(&mut reader, &["SELECT * FROM log.events", "SELECT * FROM log.requests", "DELETE FROM house_v1.totals"]).await;
    may_not(&mut reader, &OF_THE_OWNER).await;
    may_not(&mut reader, &[add, index, epoch, head, "INSERT INTO log.head DEFAULT VALUES"]).await;
    may(&mut writer, &["SELECT log.forget_refusals(0)"]).await;
    may_not(&mut reader, &["SELECT log.forget_refusals(0)"]).await;
    for session in [&mut writer, &mut reader] {
        may_not(session, &["DELETE FROM log.refusals", "UPDATE log.refusals SET count = 2", "TRUNCATE log.refusals"])
            .await;
    }
    let shape =
        ["TRUNCATE house_v1.totals", "ALTER TABLE house_v1.totals ADD COLUMN a text", "DROP TABLE house_v1.totals"];
    may_not(&mut reader, &shape).await;

    let owner: PgConnectOptions = url.parse().expect("an address");
    let become_owner = format!("SET ROLE \"{}\"", owner.get_username());
    may_not(&mut writer, &[&become_owner]).await;
    may_not(&mut reader, &[&become_owner]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_came_later_is_closed_to_change_too() {
    let (_log, url) = new_log().await;
    let mut owner = PgConnection::connect(&url).await.expect("the owner connects");
    // What may be changed at all, by whom: anything else that a migration brings is to be decided here.
    let granted: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, replace(grantee::text, current_database() || '_', ''), privilege_type::text
         FROM information_schema.role_table_grants
         WHERE table_schema = 'log' AND privilege_type <> 'SELECT'
           AND grantee IN (current_database() || '_writer', current_database() || '_reader', 'PUBLIC')",
    )
    .fetch_all(&mut owner)
    .await
    .expect("the rights");
    assert!(granted.iter().all(|(_, role, _)| role == "writer"), "{granted:?}");
    let rights: BTreeSet<(&str, &str)> =
        granted.iter().map(|(table, _, right)| (table.as_str(), right.as_str())).collect();
    let added = ["events", "requests", "epochs", "refusals"].map(|table| (table, "INSERT"));
    assert_eq!(rights, added.into_iter().chain([("head", "UPDATE")]).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_in_the_last_thirty_days_is_forgotten_by_nobody() {
    let (_log, url) = new_log().await;
    let mut owner = PgConnection::connect(&url).await.expect("the owner connects");
    let [writer, _] = roles_of(&url).await;
    let mut writer = writer.connect().await.expect("it comes in");
    for days in [0, 29, 31, 400] {
        let add = sqlx::query(
            "INSERT INTO log.refusals
                 (id, refused_at, first_refused_at, count, kind, reason, metadata, organisation, issuer, subject, roles,
                  on_behalf_of, method, resource, trace_id, validate_only)
             SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('1', 20))::uuid, at, at,
                    1, 'MONEY', 'EXCEEDS_FUND_CASH', '{}', 'partners/mli', '', '', '{}', '', '', '', '', false
             FROM (SELECT now() - make_interval(days => $1) AS at) AS moment",
        );
        add.bind(days).execute(&mut writer).await.expect("it is added");
    }
    let mut ages = async |before: &str| -> Vec<i64> {
        let forget = format!("SELECT log.forget_refusals({before})");
        sqlx::query(AssertSqlSafe(forget)).execute(&mut writer).await.expect("it may");
        let ages = "SELECT floor(extract(epoch FROM now() - refused_at) / 86400)::bigint FROM log.refusals ORDER BY 1";
        sqlx::query_scalar(ages).fetch_all(&mut owner).await.expect("the journal")
    };
    let of_days = |days: i64| format!("(extract(epoch FROM now()) * 1000)::bigint - {days} * 86400000::bigint");
    assert_eq!(ages("-1").await, [0, 29, 31, 400]);
    assert_eq!(ages(&of_days(365)).await, [0, 29, 31], "what was asked for");
    assert_eq!(ages(&of_days(-1)).await, [0, 29], "however much is asked for");
    assert_eq!(ages("9223372036854775807").await, [0, 29]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_a_running_service_is_the_owners() {
    let (log, url) = new_log().await;
    let generations = Generations::open(&url, "house", 1, &MIGRATOR).await.expect("the read models open");
    let running = Running::start(Followers::new(generations).own_log(&log).projection(Totals::of("tallies")));
    append(&log, request(), "a", 3).await;
    running.reaches("totals", 3).await;
    running.following.rebuild(2, "test").await.expect("it begins");
    append(&log, request(), "a", 3).await;
    running.reaches("totals", 6).await;
    let mut owner = PgConnection::connect(&url).await.expect("the owner connects");
    // The owner makes tables and goes.
    let sessions = async |owner: &mut PgConnection| -> BTreeSet<String> {
        let users: Vec<String> = sqlx::query_scalar(
            "SELECT replace(usename::text, current_database() || '_', '') FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL",
        )
        .fetch_all(owner)
        .await
        .expect("the sessions");
        users.into_iter().collect()
    };
    let wanted = BTreeSet::from(["reader".to_owned(), "writer".to_owned()]);
    let mut found = sessions(&mut owner).await;
    for _ in 0..100 {
        if found == wanted {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        found = sessions(&mut owner).await;
    }
    assert_eq!(found, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logins_of_one_service_cannot_come_into_the_database_of_another() {
    let ((_log, ours), (_other, theirs)) = (new_log().await, new_log().await);
    let [owner, other]: [PgConnectOptions; 2] = [&ours, &theirs].map(|url| url.parse().expect("an address"));
    let [writer, reader] = roles_of(&ours).await;
    let mut logins = vec![writer, reader];
    // On a server that was given, one login may own all databases.
    if owner.get_username() != other.get_username() {
        logins.push(owner);
    }
    for login in logins {
        login.connect().await.expect("it comes into its own").close().await.expect("closed");
        let elsewhere = login.clone().database(other.get_database().expect("a name"));
        let refused = elsewhere.connect().await.expect_err("refused");
        let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some(DENIED), "{} {refused}", login.get_username());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_needs_the_right_to_make_roles_only_once() {
    let postgres = Servers::shared().await.private_postgres().await;
    let url = postgres.database("once").await.expect("a database");
    drop(open(&url).await);
    let mut administrator = PgConnection::connect(&postgres.url("postgres")).await.expect("it connects");
    administrator.execute("ALTER ROLE once NOCREATEROLE").await.expect("taken away");
    let log = open(&url).await;
    append(&log, request(), "a", 1).await;
    assert_eq!(log.head(), 1);
    // Without it, nobody can be given another password.
    let mut owner = PgConnection::connect(&url).await.expect("the owner connects");
    may_not(&mut owner, &["ALTER ROLE once_writer PASSWORD 'other'"]).await;
    administrator.execute("ALTER ROLE once_writer PASSWORD 'lost'").await.expect("changed");
    let refused = Log::open("tallies", &url, CancellationToken::new()).await.err().expect("refused");
    assert!(format!("{refused:?}").contains(DENIED), "{refused:?}");
}
