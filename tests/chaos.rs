//! Services, nats-server and PostgreSQL are killed, paused, cut off, doubled and restored at random under load; then a
//! checker that shares no code with them judges from the outside: raw tables, raw JetStream, what clients and consumers
//! saw. docs/chaos.md says what is tried and how to read what it prints.
//!
//! `CHAOS_SECONDS` (20) says how long the faults go on, `CHAOS_SEED` (a new one, printed) which ones come, `CHAOS_FAULTS`
//! which kinds may (all), `CHAOS_SERVICES` which services run (all).

#[path = "chaos/commands.rs"]
mod commands;
#[path = "chaos/consumers.rs"]
mod consumers;
#[path = "chaos/faults.rs"]
mod faults;
#[path = "chaos/load.rs"]
mod load;
#[path = "chaos/numbers.rs"]
mod numbers;
#[path = "chaos/proxy.rs"]
mod proxy;
#[path = "chaos/stack.rs"]
mod stack;

use std::{env, fs, path::Path, path::PathBuf, time::Duration};

use checker::{
    Evidence, catch_up,
    history::{self, Reaction, Run, Writer},
    raw,
    watch::Watch,
};
use faults::Kind;
use sqlx::Connection as _;
use stack::{LOGS, Stack};

/// How long copies and followers may take to be where their logs are, once the faults are over.
const CATCH_UP: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_done_twice() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("CHAOS_SECONDS").unwrap_or(20);
    let seed = number("CHAOS_SEED").unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    let services: Vec<&str> = LOGS.into_iter().filter(|name| chosen("CHAOS_SERVICES", name)).collect();
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| chosen("CHAOS_FAULTS", &kind.name())).collect();
    assert!(!kinds.is_empty() && services.contains(&load::LOG), "there is something to be tried");
    println!("seed {seed}, {seconds} s");

    let folder = folder(seed);
    let history = Writer::create(&folder.join("history.jsonl"), run(seed, &services)).expect("a history");
    let mut stack = Stack::start(&services, &folder, &history).await;
    let places = stack.places();
    let shared = load::Shared::new(&stack, &history);
    load::prepare(&shared).await;
    let watch = Watch::start(&places, &history);
    let consumers = consumers::Consumers::start(&stack, &history);
    let load = load::Load::start(&shared, seed);
    let struck = faults::strike(&mut stack, &shared, &history, &kinds, seed, Duration::from_secs(seconds)).await;
    load.stop().await;
    let behind = catch_up::wait(&places, CATCH_UP).await;
    drop((watch, consumers));

    let is_behind = !behind.is_empty();
    let history = history::read(&folder.join("history.jsonl")).expect("the history");
    let mut evidence = Evidence::read(history, &places).await.expect("the logs and their copies");
    evidence.behind = behind;
    if !is_behind {
        let lived = read_models(&stack).await;
        evidence.behind = fold_again(&mut stack).await;
        evidence.read_models = Some((lived, read_models(&stack).await));
    }
    let verdict = evidence.judge();
    println!("{verdict}");
    if verdict.holds() && struck.is_ok() {
        let _ = fs::remove_dir_all(&folder);
    } else {
        println!("the history and the logs of the services are in {}", folder.display());
    }
    assert!(verdict.holds(), "seed {seed}: the run broke {:?}", verdict.broken().collect::<Vec<_>>());
    struck.unwrap_or_else(|slow| panic!("seed {seed}: {slow}"));
}

/// Whether a list in the environment names something; without the list, everything is named.
fn chosen(list: &str, name: &str) -> bool {
    env::var(list).map_or(true, |list| list.split([',', ' ']).any(|each| each == name))
}

/// Where the run is kept if it is red: `target/chaos/<seed>`.
fn folder(seed: u64) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tests.join("../target/chaos").join(seed.to_string());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder below target");
    folder
}

/// What the checker is told of the run: all commands go to one log; from agreements there something follows in others.
fn run(seed: u64, services: &[&str]) -> Run {
    let reaction = |to: &&str| Reaction {
        from: load::LOG.to_owned(),
        event: "toguna.partnerships.events.v1.AgreementRegistered".to_owned(),
        to: (*to).to_owned(),
    };
    Run {
        seed,
        logs: services.iter().map(|name| (*name).to_owned()).collect(),
        complete: vec![load::LOG.to_owned()],
        reactions: services.iter().filter(|name| **name != load::LOG).map(reaction).collect(),
    }
}

async fn read_models(stack: &Stack) -> raw::Rows {
    let mut rows = raw::Rows::new();
    for (name, site) in &stack.sites {
        rows.extend(raw::read_models(&site.database_url, name).await.expect("read models"));
    }
    rows
}

/// Has every service make its read models anew, from the first event. Answers what does not catch up.
async fn fold_again(stack: &mut Stack) -> Vec<catch_up::Behind> {
    for (name, site) in &mut stack.sites {
        site.service.kill();
        let mut owner = sqlx::PgConnection::connect(&site.database_url).await.expect("the owner connects");
        for schema in raw::schemas(&mut owner, name).await.expect("schemas") {
            let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA \"{schema}\" CASCADE"));
            sqlx::query(drop).execute(&mut owner).await.expect("dropped");
        }
    }
    stack.start_missing();
    stack.until_ready().await.expect("the services start anew");
    catch_up::wait(&stack.places(), CATCH_UP).await
}
