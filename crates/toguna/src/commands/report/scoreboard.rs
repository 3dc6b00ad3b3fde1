//! What was promised under a framework and where it stands.

use anyhow::{Context as _, Result};
use contracts::toguna::oversight::v1::{
    GetScoreboardRequest, ItemScore, PlanScore, ScoreTally, Scoreboard, ScoredCommitment, StatusCounts,
    oversight_service_client::OversightServiceClient,
};
use tonic::codec::CompressionEncoding;

use super::{chain::measurement, known_at};
use crate::{
    cli::{View, wire_date},
    language::Language,
    output::{self, Page},
    records::{certainty, iso_date},
    services::refusal::Refusal,
    session::Session,
    words,
};

pub(super) async fn ask(session: &Session, framework: &str, view: &View) -> Result<Scoreboard> {
    let request = GetScoreboardRequest {
        framework: framework.to_owned(),
        as_of: view.as_of.map(wire_date),
        known_at: known_at(view),
        at_least_as_fresh: Vec::new(),
    };
    let client = OversightServiceClient::new(session.services.channel("oversight")?);
    let client = client.accept_compressed(CompressionEncoding::Zstd);
    let answer = session.answer(async || {
        let request = session.services.request(&session.auditor()?, request.clone())?;
        Ok(client.clone().get_scoreboard(request).await.map_err(Refusal::from)?.into_inner())
    });
    let answer = answer.await?;
    answer.scoreboard.context("the answer is a scoreboard")
}

/// For spreadsheets: one line a commitment.
pub(super) fn to_rows(scoreboard: &Scoreboard) -> Vec<Vec<String>> {
    let header = [
        "plan",
        "item",
        "commitment",
        "owner",
        "status",
        "confirmation",
        "due_on",
        "overdue",
        "contested",
        "incidents",
        "certainty",
        "latest_source",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for plan in &scoreboard.plans {
        rows.extend(plan.commitments.iter().map(|it| row(&plan.plan, "", it)));
        let items = plan.items.iter();
        rows.extend(items.flat_map(|item| item.commitments.iter().map(|it| row(&plan.plan, &item.item, it))));
    }
    rows
}

fn row(plan: &str, item: &str, it: &ScoredCommitment) -> Vec<String> {
    vec![
        plan.to_owned(),
        item.to_owned(),
        it.commitment.clone(),
        it.owner.clone(),
        words::named(Language::En, it.status().as_str_name(), "COMMITMENT_STATUS_"),
        words::named(Language::En, it.confirmation().as_str_name(), "CONFIRMATION_"),
        it.due_on.as_ref().map(iso_date).unwrap_or_default(),
        it.overdue.to_string(),
        it.contested.to_string(),
        it.incidents.to_string(),
        certainty(it.certainty()),
        it.latest_source.as_ref().map(iso_date).unwrap_or_default(),
    ]
}

/// For people.
pub(super) fn to_text(scoreboard: &Scoreboard, language: Language) -> Result<String> {
    let mut page = Page::default();
    page.add(format!("{} {}", scoreboard.framework, words::text(language, scoreboard.title.as_ref())));
    page.add(super::standpoint(language, scoreboard.standpoint.as_ref())?);
    for plan in &scoreboard.plans {
        let title = words::text(language, plan.title.as_ref());
        page.heading(format!("{} {title}, {}", plan.plan, words::period(language, plan.validity.as_ref())));
        if plan.items.is_empty() && plan.commitments.is_empty() {
            page.add(language.say("  no items recorded", "  aucun point enregistré"));
        } else {
            page.add(plan_table(plan, language));
        }
        for it in plan.items.iter().flat_map(|item| &item.measurements) {
            page.add(format!("  {}", measurement(it, language)));
        }
    }
    for it in &scoreboard.measurements {
        page.add(format!("  {}", measurement(it, language)));
    }
    page.heading(language.say(
        "Numbers: confirmed by their owners, then after + those recorded from a source and not confirmed.",
        "Nombres : confirmés par leurs auteurs, puis après + ceux repris d’une source et non confirmés.",
    ));
    page.add(words::legend(language));
    Ok(page.text())
}

fn plan_table(plan: &PlanScore, language: Language) -> String {
    let header = language.say(
        ["Item", "Title", "Promised", "Open", "Reported", "Verified", "Kept", "Overdue", "Contested", "Initiatives"],
        ["Point", "Intitulé", "Promis", "Ouvert", "Déclaré", "Vérifié", "Tenu", "En retard", "Contesté", "Initiatives"],
    );
    let mut table = output::table(&header, 2..10);
    for item in &plan.items {
        table.add_row(item_row(item, language));
    }
    let whole = language.say("whole plan", "plan entier");
    table.add_row(tally_row("", whole, plan.tally.as_ref()));
    table.to_string()
}

fn item_row(item: &ItemScore, language: Language) -> [String; 10] {
    tally_row(&item.item, &words::text(language, item.title.as_ref()), item.tally.as_ref())
}

fn tally_row(code: &str, title: &str, tally: Option<&ScoreTally>) -> [String; 10] {
    let tally = tally.copied().unwrap_or_default();
    let (confirmed, unconfirmed) = (tally.confirmed.unwrap_or_default(), tally.unconfirmed.unwrap_or_default());
    let count = |of: fn(&StatusCounts) -> u32| match (of(&confirmed), of(&unconfirmed)) {
        (0, 0) => "·".to_owned(),
        (confirmed, 0) => confirmed.to_string(),
        (confirmed, unconfirmed) => format!("{confirmed} + {unconfirmed}"),
    };
    [
        code.to_owned(),
        title.to_owned(),
        count(|it| it.total),
        count(|it| it.proposed + it.endorsed + it.in_progress + it.returned),
        count(|it| it.reported),
        count(|it| it.verified),
        count(|it| it.fulfilled + it.partly_fulfilled),
        count(|it| it.overdue),
        count(|it| it.contested),
        tally.initiatives.to_string(),
    ]
}
