//! `check`: judges logs, their copies and a history from the outside.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, ensure};
use checker::{Evidence, Places, catch_up, history, raw};
use clap::Parser;

/// Judges logs, their copies in JetStream and what clients saw, from the outside: raw tables, raw streams, a history.
/// Prints what it looked at and its verdict; fails where anything does not hold.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A log and the address of its database, read as its owner: `partnerships=postgres://…`. Once for each log, or all
    /// in the environment, separated by spaces: whoever lists programs sees the passwords in their arguments.
    #[arg(long = "log", value_name = "NAME=URL", required = true, value_delimiter = ' ')]
    #[arg(env = "CHECK_LOGS", hide_env_values = true)]
    logs: Vec<String>,
    /// Address of NATS: `nats://user:password@host:port`.
    #[arg(long, value_name = "URL", env = "CHECK_NATS", hide_env_values = true)]
    nats: String,
    /// What clients and consumers saw, as `make chaos` keeps it: one JSON object a line. Without it only what the logs
    /// and their copies show by themselves is judged.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// How many seconds copies and followers may take to catch up before they are judged.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Write the rows of the read models to this file, to be compared after they were folded anew.
    #[arg(long, value_name = "FILE")]
    keep_read_models: Option<PathBuf>,
    /// Compare the rows of the read models, folded anew meanwhile, with those of a file that was kept before.
    #[arg(long, value_name = "FILE")]
    compare_read_models: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let split = |log: &String| log.split_once('=').map(|(name, url)| (name.to_owned(), url.to_owned()));
    let databases: Option<_> = arguments.logs.iter().map(split).collect();
    let places = Places { databases: databases.context("--log takes NAME=URL")?, nats: arguments.nats };
    let history = arguments.history.as_deref().map(history::read).transpose()?;
    let alone = history.is_none();
    let behind = catch_up::wait(&places, Duration::from_secs(arguments.wait)).await;
    let mut evidence = Evidence::read(history.unwrap_or_default(), &places).await?;
    evidence.behind = behind;
    let mut rows = raw::Rows::new();
    for (service, url) in &places.databases {
        rows.extend(raw::read_models(url, service).await?);
    }
    if let Some(file) = arguments.keep_read_models {
        ensure!(!file.exists(), "{} is there already", file.display());
        fs::write(&file, serde_json::to_vec(&rows)?)?;
    }
    if let Some(file) = arguments.compare_read_models {
        evidence.read_models = Some((serde_json::from_slice(&fs::read(&file)?)?, rows));
    }
    let verdict = if alone { evidence.judge_state() } else { evidence.judge() };
    println!("{verdict}");
    Ok(if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
