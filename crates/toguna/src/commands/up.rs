//! `toguna up`: a stack of one's own, until Ctrl-C.

mod witnessed;

use std::{
    future::pending,
    pin::{Pin, pin},
    time::Duration,
};

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::{GetLogRequest, GetLogResponse, log_service_client::LogServiceClient};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{demo, report};
use crate::{
    cli::Up,
    language::Language,
    local::{
        home::{Home, StackFile},
        stack::{SERVICES, Stack},
    },
    output::{self, Page, Progress},
    scenario::run::{Extent, Outcome},
    services::refusal::Refusal,
    session::Session,
};

/// How often the servers are looked after.
const ROUND: Duration = Duration::from_millis(250);

pub(super) async fn run(options: &Up, language: Language, as_json: bool) -> Result<()> {
    let home = Home::find()?;
    home.make()?;
    let identity = home.identity()?;
    identity.begin(!options.empty && !options.no_demo)?;
    let progress = Progress::start();
    let mut stop = pin!(stop_signal()?);
    let started = tokio::select! {
        started = Stack::start(home.clone(), &identity, |what| progress.say(&starting(what, language))) => started,
        () = &mut stop => {
            progress.end();
            anyhow::bail!(language.say("stopped before it was ready", "arrêté avant d’être prêt"))
        }
    };
    let mut stack = started.inspect_err(|_| progress.end())?;
    let file = StackFile { services: stack.addresses(), ..StackFile::default() };
    let session = Session::of(language, identity, &file)?;
    for log in logs(&session).await? {
        stack.witness(&log.log, &log.epoch)?;
    }
    let worked = {
        let mut work = pin!(work(&session, &home, options, &progress, as_json));
        tend(&mut stack, &mut stop, &progress, work.as_mut()).await
    };
    progress.end();
    let ended = match worked {
        Ok(Ended::Done) if !options.once => tend(&mut stack, &mut stop, &progress, pin!(pending())).await,
        ended => ended,
    };
    let progress = Progress::start();
    stack.stop(|what| progress.say(&stopping(what, language))).await?;
    progress.end();
    ended.map(|_| ())
}

/// How a time of looking after the servers ended.
enum Ended {
    /// The work was done.
    Done,
    /// Somebody said stop.
    Told,
}

/// Looks after the servers until the work is done or somebody says stop.
async fn tend(
    stack: &mut Stack,
    stop: &mut (impl Future<Output = ()> + Unpin),
    progress: &Progress,
    mut work: Pin<&mut impl Future<Output = Result<()>>>,
) -> Result<Ended> {
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        tokio::select! {
            done = &mut work => return done.map(|()| Ended::Done),
            () = &mut *stop => return Ok(Ended::Told),
            _ = rounds.tick() => stack.keep(|what| progress.note(what)).await?,
        }
    }
}

async fn work(session: &Session, home: &Home, options: &Up, progress: &Progress, as_json: bool) -> Result<()> {
    let outcome = load(session, home, options, progress).await?;
    let view = report::portfolio::Query::of("ML", outcome.iter().flat_map(|outcome| outcome.tokens.clone()).collect());
    // Oversight may have to read the logs for the first time: it is asked until it has.
    let portfolio = report::portfolio::ask(session, &view).await?;
    let witnessed = witnessed::Witnessed::soon(home, &logs(session).await?).await?;
    progress.end();
    if as_json {
        let addresses = session.services.addresses();
        let outcome = outcome.map(|outcome| demo::outcome_json(&outcome, session.language));
        return output::json(
            &json!({ "services": addresses, "scenario": outcome, "witnessed": witnessed.to_json(), "portfolio": portfolio.to_json()? }),
        );
    }
    if let Some(outcome) = &outcome {
        output::text(&demo::outcome_text(outcome, session.language))?;
    }
    output::text(&portfolio.to_text(session.language)?)?;
    output::text(&witnessed.to_text(session.language))?;
    output::text(&farewell(session, home, options))
}

/// Begins empty logs with what was asked for; logs that hold anything are left as they are.
async fn load(session: &Session, home: &Home, options: &Up, progress: &Progress) -> Result<Option<Outcome>> {
    if options.no_demo {
        return Ok(None);
    }
    let (what, extent) = if options.empty { ("reference", Extent::Reference) } else { ("demo", Extent::Whole) };
    // One that was interrupted goes on where it was: what is there is not written again.
    let unfinished = format!("unfinished {what}");
    let before = home.loaded()?;
    if before.as_deref() != Some(&unfinished) && (before.is_some() || !logs_are_empty(session).await?) {
        return Ok(None);
    }
    home.set_loaded(&unfinished)?;
    let outcome = demo::send(session, extent, progress).await?;
    home.set_loaded(what)?;
    Ok(Some(outcome))
}

async fn logs_are_empty(session: &Session) -> Result<bool> {
    Ok(logs(session).await?.iter().all(|log| log.head == 0))
}

/// Where the log of each service stands.
async fn logs(session: &Session) -> Result<Vec<GetLogResponse>> {
    let token = session.auditor()?;
    let mut logs = Vec::new();
    for service in SERVICES.iter().filter(|service| **service != "oversight") {
        let mut client = LogServiceClient::new(session.services.channel(service)?);
        let request = session.services.request(&token, GetLogRequest {})?;
        let log = client.get_log(request).await.map_err(Refusal::from);
        logs.push(log.with_context(|| format!("the log of {service}"))?.into_inner());
    }
    Ok(logs)
}

pub(super) fn stop_signal() -> Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(Box::pin(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}

fn starting(what: &str, language: Language) -> String {
    language.say(format!("Starting {what}"), format!("Démarrage : {what}"))
}

fn stopping(what: &str, language: Language) -> String {
    language.say(format!("Stopping {what}"), format!("Arrêt : {what}"))
}

fn farewell(session: &Session, home: &Home, options: &Up) -> String {
    let mut page = Page::default();
    for (service, address) in session.services.addresses() {
        page.add(format!("  {service:<14} http://{address}"));
    }
    let reader = home.running().and_then(|stack| stack.nats_reader);
    if let Some((_, address)) = reader.as_deref().and_then(|reader| reader.split_once('@')) {
        let file = home.folder().join("stack.json");
        let login =
            session.language.say("read-only login: nats_reader in", "accès en lecture seule\u{202f}: nats_reader dans");
        page.add(format!("  {:<14} nats://{address} ({login} {})", "JetStream", file.display()));
    }
    page.heading(session.language.say("Try, in another terminal:", "À essayer, dans un autre terminal :"));
    let resource = if options.empty || options.no_demo { "partners/ml" } else { "decisions/t05-eutf-sah-ml-07" };
    let show = format!("show {resource}");
    for (command, english, french) in [
        ("report portfolio --as-of 2016-04-15", "what was decided by that day", "ce qui était décidé ce jour-là"),
        (&show, "its state, its events, its sources", "son état, ses événements, ses sources"),
        ("replay disbursements", "every event of a log, in order", "tous les événements d’un journal, dans l’ordre"),
    ] {
        page.add(format!("  toguna {command:<38} {}", session.language.say(english, french)));
    }
    if !options.once {
        page.heading(session.language.say("Ctrl-C stops everything.", "Ctrl-C arrête tout."));
    }
    page.text()
}
