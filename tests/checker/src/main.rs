//! `check`: judges logs, their copies and a history from the outside.

mod arguments;

use std::{fs, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, ensure};
use checker::{Evidence, Places, catch_up, history, raw};
use clap::Parser as _;

use crate::arguments::Arguments;

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
