//! What each command does: one file each.

use anyhow::Result;

use crate::cli::{Cli, Command};

mod archive;
mod demo;
mod log;
mod people;
mod projections;
mod replay;
mod report;
mod show;
mod submit;
mod token;
mod up;
mod witness;

/// Carries out what was asked.
pub async fn run(cli: Cli) -> Result<()> {
    let (language, json) = (cli.language(), cli.json);
    match cli.command {
        Command::Up(options) => up::run(&options, language, json).await,
        Command::Demo => demo::run(language, json).await,
        Command::Token(options) => token::run(&options, language, json),
        Command::People(asked) => people::run(&asked, language, json),
        Command::Submit(options) => submit::run(&options, language, json).await,
        Command::Replay(options) => replay::run(&options, language, json).await,
        Command::Report(report) => report::run(&report, language, json).await,
        Command::Show(options) => show::run(&options, language, json).await,
        Command::Log(log) => log::run(&log, language, json).await,
        Command::Projections(projections) => projections::run(&projections, language, json).await,
        Command::Archive(asked) => archive::run(&asked, language, json),
        Command::Witness(asked) => witness::run(&asked, language, json).await,
    }
}
