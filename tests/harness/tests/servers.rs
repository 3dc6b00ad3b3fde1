//! The servers of the tests are real: they keep, they restart at the same address, and they go when we go.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, process::Command, time::Duration};

use harness::Servers;
use sqlx::{Connection as _, PgConnection, Row as _};

#[tokio::test]
async fn each_database_is_new_and_its_owner_can_make_roles() {
    let servers = Servers::shared().await;
    let (one, other) = (servers.database("one").await, servers.database("one").await);
    assert_ne!(one, other);
    let mut connection = PgConnection::connect(&one).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA log; CREATE TABLE log.events (position bigint)")
        .execute(&mut connection)
        .await
        .unwrap();
    let role = format!("reader_{}", one.rsplit('_').next().unwrap());
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA log TO {role}")))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_private_postgres_keeps_what_was_committed_through_an_immediate_stop() {
    let mut postgres = Servers::shared().await.private_postgres().await;
    let url = postgres.database("ledger").await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer").execute(&mut connection).await.unwrap();
    postgres.stop_immediately().await.unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
    postgres.resume().await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let row = sqlx::query("SELECT answer FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<i32, _>(0), 42);
}

#[tokio::test]
async fn a_private_nats_comes_back_at_the_same_address_and_can_be_wiped() {
    let mut nats = Servers::shared().await.private_nats().await;
    let url = nats.url();
    let jetstream = connect(&url).await;
    let stream = async_nats::jetstream::stream::Config {
        name: "kept".to_owned(),
        allow_atomic_publish: true,
        ..Default::default()
    };
    jetstream.create_stream(stream).await.unwrap();
    nats.kill().await.unwrap();
    nats.resume().await.unwrap();
    assert_eq!(nats.url(), url);
    let jetstream = connect(&url).await;
    jetstream.get_stream("kept").await.unwrap();
    nats.stop().await.unwrap();
    std::fs::remove_dir_all(nats.store()).unwrap();
    nats.resume().await.unwrap();
    let jetstream = connect(&url).await;
    assert!(jetstream.get_stream("kept").await.is_err());
}

/// The client leaves the login of a URL aside.
async fn connect(url: &str) -> async_nats::jetstream::Context {
    let address: async_nats::ServerAddr = url.parse().unwrap();
    let (user, password) = (address.username().unwrap().to_owned(), address.password().unwrap().to_owned());
    let options = async_nats::ConnectOptions::with_user_and_password(user, password);
    async_nats::jetstream::new(options.connect(url).await.unwrap())
}

#[tokio::test]
async fn servers_and_their_files_go_when_their_owner_is_killed() {
    let executable = std::env::current_exe().unwrap();
    let mut owner = Command::new(executable)
        .args(["--ignored", "--exact", "--nocapture", "keeps_servers_until_killed"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(owner.stdout.take().unwrap())).map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("server ")).unwrap();
    let [pid, folder] = line["server ".len()..].splitn(2, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    assert!(Path::new("/proc").join(pid).exists() && Path::new(folder).exists());
    owner.kill().unwrap();
    owner.wait().unwrap();
    for _ in 0..200 {
        if !Path::new("/proc").join(pid).exists() && !Path::new(folder).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server {pid} or its files in {folder} outlived their owner");
}

/// Not a test of its own: the process that the test above kills.
#[tokio::test]
#[ignore = "run by servers_and_their_files_go_when_their_owner_is_killed"]
async fn keeps_servers_until_killed() {
    let postgres = Servers::shared().await.private_postgres().await;
    println!("server {} {}", postgres.pid().unwrap(), postgres.folder().display());
    tokio::time::sleep(Duration::from_mins(10)).await;
}
