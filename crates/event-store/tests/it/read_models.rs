//! Read models live in a schema of their own, under a role that can only change their rows.

use std::borrow::Cow;

use event_store::{Log, open_read_models};
use harness::Servers;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::house::{MIGRATOR, totals};

async fn add(pool: &PgPool, tally: &str) {
    let sql = "INSERT INTO totals (tally, total, events) VALUES ($1, 1, 1)";
    sqlx::query(sql).bind(tally).execute(pool).await.expect("inserted");
}

#[tokio::test]
async fn versions_live_side_by_side_and_beside_the_log() {
    let url = Servers::shared().await.database("models").await;
    let _log = Log::open("house", &url, CancellationToken::new()).await.expect("the log opens");
    let one = open_read_models(&url, "house", 1, &MIGRATOR).await.expect("version 1 opens");
    let two = open_read_models(&url, "house", 2, &MIGRATOR).await.expect("version 2 opens");
    add(&one, "old").await;
    add(&two, "new").await;
    assert_eq!(totals(&one, "").await.into_keys().collect::<Vec<_>>(), ["old"]);
    assert_eq!(totals(&two, "").await.into_keys().collect::<Vec<_>>(), ["new"]);
    let again = open_read_models(&url, "house", 1, &MIGRATOR).await.expect("version 1 opens again");
    assert_eq!(totals(&again, "").await.into_keys().collect::<Vec<_>>(), ["old"]);
}

#[tokio::test]
async fn replicas_that_open_them_at_once_agree() {
    let url = Servers::shared().await.database("models").await;
    let opening = (0..4).map(|_| open_read_models(&url, "house", 1, &MIGRATOR));
    for opened in futures::future::join_all(opening).await {
        opened.expect("it opens");
    }
}

#[tokio::test]
async fn who_keeps_the_rows_cannot_change_the_tables_or_the_log() {
    let url = Servers::shared().await.database("models").await;
    let _log = Log::open("house", &url, CancellationToken::new()).await.expect("the log opens");
    let pool = open_read_models(&url, "house", 1, &MIGRATOR).await.expect("the read models open");
    add(&pool, "a").await;
    for forbidden in [
        "CREATE TABLE more (id bigint)",
        "DROP TABLE totals",
        "ALTER TABLE totals ADD COLUMN more bigint",
        "UPDATE log.head SET position = 7",
        "DELETE FROM log.events",
    ] {
        let refused = sqlx::query(forbidden).execute(&pool).await.expect_err(forbidden);
        let code = refused.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
}
