//! `toguna demo`: the scenario, sent to the running stack.

use anyhow::Result;
use serde_json::json;

use crate::{
    language::Language,
    output::{self, Page, Progress},
    scenario::{
        Scenario,
        run::{Extent, Outcome, Run},
    },
    session::Session,
};

pub(super) async fn run(language: Language, as_json: bool) -> Result<()> {
    let session = Session::open(language)?;
    let progress = Progress::start();
    let outcome = send(&session, Extent::Whole, &progress).await;
    progress.end();
    let outcome = outcome?;
    if as_json {
        output::json(&outcome_json(&outcome, language))
    } else {
        output::text(&outcome_text(&outcome, language))
    }
}

/// Sends the scenario, saying at which step it is.
pub(super) async fn send(session: &Session, extent: Extent, progress: &Progress) -> Result<Outcome> {
    let scenario = Scenario::load()?;
    let (steps, mut begun) = (scenario.steps.iter().filter(|step| extent.holds(step)).count(), 0);
    let run = Run::new(&scenario, &session.services, session.identity()?);
    run.send(extent, |step| {
        begun += 1;
        progress.say(&format!("{begun}/{steps} {}", step.title.in_language(session.language)));
    })
    .await
}

pub(super) fn outcome_json(outcome: &Outcome, language: Language) -> serde_json::Value {
    let skipped = outcome.skipped.iter();
    json!({
        "events": outcome.events,
        "earlier": outcome.earlier,
        "refused": outcome.refused,
        "skipped": skipped
            .map(|it| json!({ "step": it.step, "what": it.what.in_language(language), "why": it.why.in_language(language) }))
            .collect::<Vec<_>>(),
    })
}

pub(super) fn outcome_text(outcome: &Outcome, language: Language) -> String {
    let Outcome { events, earlier, refused, .. } = outcome;
    let mut page = Page::default();
    page.add(language.say(
        format!(
            "Scenario: {events} events written, {earlier} acts were there already, {refused} refused as they should be."
        ),
        format!(
            "Scénario : {events} événements écrits, {earlier} actes déjà présents, {refused} refusés comme il se doit."
        ),
    ));
    for it in &outcome.skipped {
        let (step, what, why) = (it.step, it.what.in_language(language), it.why.in_language(language));
        page.add(language.say(
            format!("  not carried out, step {step}: {what} — {why}"),
            format!("  non exécuté, étape {step} : {what} — {why}"),
        ));
    }
    page.text()
}
