//! `toguna archive`: what can be known of the logs without the services.

use anyhow::{Context as _, Result, bail, ensure};
use contracts::toguna::log::v1::EventRecord;
use figures::{Clocks, Facts, PortfolioScope};
use jiff::{Timestamp, tz::TimeZone};
use prost::Message as _;

use super::report::{form, portfolio::Answer, show_chain, show_portfolio, show_scoreboard};
use crate::{
    archive::{self, Folder, Verdict},
    cli::{Archive, Report, Verify, View},
    language::Language,
    output::{self, Progress},
};

pub(super) fn run(asked: &Archive, language: Language, as_json: bool) -> Result<()> {
    match asked {
        Archive::Verify(of) => {
            let verdicts: Vec<Verdict> = verified(of, language)?.into_iter().map(|(_, verdict)| verdict).collect();
            if as_json {
                output::json(&verdicts.iter().map(Verdict::to_json).collect::<Vec<_>>())?;
            } else {
                let texts: Vec<_> = verdicts.iter().map(|verdict| verdict.to_text(language)).collect();
                output::text(&texts.join("\n"))?;
            }
            if of.policy.is_none() {
                eprintln!(
                    "{}",
                    language.say(
                        "The keys are those that the folder itself names; --policy believes others.",
                        "Les clés sont celles que nomme le dossier lui-même\u{202f}; --policy en croit d’autres.",
                    )
                );
            }
            ensure!(
                verdicts.iter().all(Verdict::is_sound),
                "{}",
                language.say("the archive is not as it was signed", "l’archive n’est pas telle qu’elle fut signée")
            );
            Ok(())
        }
        Archive::Report { of, report } => show(&facts(of, language)?, report, language, as_json),
        Archive::Prove { of, position } => {
            let logs = sound(of, language)?;
            let [(folder, _)] = &logs[..] else {
                bail!(language.say("name the folder of one log", "indiquez le dossier d’un seul journal"));
            };
            let proof = archive::prove(folder, *position)?;
            output::text(proof.to_string().trim_end_matches('\n'))
        }
    }
}

/// Every log of an archive, checked.
fn verified(of: &Verify, language: Language) -> Result<Vec<(Folder, Verdict)>> {
    let folders = Folder::all(&of.folder)?;
    ensure!(
        !folders.is_empty(),
        "{}",
        language.say(
            format!("{} holds no published log", of.folder.display()),
            format!("{} ne contient aucun journal publié", of.folder.display()),
        )
    );
    let policy = of.policy.as_deref().map(archive::policy).transpose()?;
    let progress = Progress::start();
    let checked = folders.into_iter().map(|folder| {
        let said = folder.called("");
        let verdict = archive::verify(&folder, policy.as_ref(), |done, size| progress.part(done, size, &said))?;
        Ok((folder, verdict))
    });
    let checked = checked.collect();
    progress.end();
    checked
}

/// Every log of an archive that is as it was signed.
fn sound(of: &Verify, language: Language) -> Result<Vec<(Folder, Verdict)>> {
    let logs = verified(of, language)?;
    for (_, verdict) in &logs {
        ensure!(verdict.is_sound(), "{}", verdict.to_text(language));
    }
    Ok(logs)
}

/// What the events of an archive say.
fn facts(of: &Verify, language: Language) -> Result<Facts> {
    let mut facts = Facts::default();
    for (folder, verdict) in sound(of, language)? {
        let Some(log) = verdict.origin.rsplit('/').nth(1).and_then(|log| log.parse::<figures::Log>().ok()) else {
            continue;
        };
        let mut last = None;
        archive::each_entry(&folder, verdict.size, |entry| {
            let record = EventRecord::decode(entry)?;
            if figures::counts(log, &record)? {
                facts.push(log, &record)?;
            }
            last = Some((record.epoch, record.position, record.recorded_at));
            Ok(())
        })?;
        if let Some((epoch, position, recorded_at)) = last {
            let recorded_at = recorded_at.context("a record says when it was recorded")?;
            let recorded_at = Timestamp::new(recorded_at.seconds, recorded_at.nanos)?;
            facts.reached(log, &epoch, position, recorded_at)?;
        }
    }
    Ok(facts)
}

fn show(facts: &Facts, report: &Report, language: Language, as_json: bool) -> Result<()> {
    match report {
        Report::Portfolio { country, fund, view } => {
            let scope = PortfolioScope { country_code: country.clone(), fund: fund.clone() };
            let portfolio = figures::portfolio(facts, &scope, clocks(view))?;
            show_portfolio(&Answer::from(portfolio), form(view, as_json), language)
        }
        Report::Chain { contract, view } => {
            let chain = figures::contract_chain(facts, contract, clocks(view))?;
            show_chain(&chain.with_context(|| unknown(contract, language))?, form(view, as_json), language)
        }
        Report::Scoreboard { framework, view } => {
            let scoreboard = figures::scoreboard(facts, framework, clocks(view));
            show_scoreboard(&scoreboard.with_context(|| unknown(framework, language))?, form(view, as_json), language)
        }
    }
}

fn unknown(name: &str, language: Language) -> String {
    language.say(format!("the archive knows no {name}"), format!("l’archive ne connaît pas {name}"))
}

/// Today is the day in universal time, as it is for the services.
fn clocks(view: &View) -> Clocks {
    let as_of = view.as_of.unwrap_or_else(|| TimeZone::UTC.to_datetime(Timestamp::now()).date());
    Clocks { as_of, known_at: view.known_at }
}
