//! `toguna projections compare`.

use anyhow::{Context as _, Result, bail};
use contracts::toguna::operations::v1::{
    CompareReadModelsRequest, Comparison, GenerationStanding, RowDifference, compare_read_models_response::Message,
};
use serde_json::{Map, json};

use super::{House, message_json};
use crate::{
    cli::OneGeneration,
    language::Language,
    output::{self, Page, Progress},
    services::refusal::Refusal,
};

/// What a comparison in one service found.
struct Found {
    version: u32,
    comparison: Comparison,
    differences: Vec<RowDifference>,
}

pub(super) async fn run(houses: &[House<'_>], options: &OneGeneration, as_json: bool) -> Result<()> {
    let mut outcomes = Map::new();
    let mut differing = 0;
    let Some(language) = houses.first().map(House::language) else { return Ok(()) };
    for house in houses {
        let found = ask(house, options).await.with_context(|| house.service.clone())?;
        differing += found.comparison.differing;
        if as_json {
            let differences: Result<Vec<_>> =
                found.differences.iter().map(|row| message_json(row, "toguna.operations.v1.RowDifference")).collect();
            let comparison = message_json(&found.comparison, "toguna.operations.v1.Comparison")?;
            let outcome = json!({ "generation": found.version, "comparison": comparison, "differences": differences? });
            outcomes.insert(house.service.clone(), outcome);
        } else {
            output::text(&text(&house.service, &found, language))?;
        }
    }
    if as_json {
        output::json(&outcomes)?;
    }
    if differing > 0 {
        bail!(language.say(format!("{differing} rows differ"), format!("{differing} lignes diffèrent")));
    }
    Ok(())
}

async fn ask(house: &House<'_>, options: &OneGeneration) -> Result<Found> {
    let version = house.meant(options, &[GenerationStanding::Beside, GenerationStanding::Previous]).await?;
    let session = house.session;
    let message = CompareReadModelsRequest { version };
    let request = session.services.stream_request(&session.administrator()?, message)?;
    let mut said = house.client.clone().compare_read_models(request).await.map_err(Refusal::from)?.into_inner();
    let progress = Progress::start();
    let mut differences = Vec::new();
    let language = house.language();
    loop {
        let answer = said.message().await.inspect_err(|_| progress.end()).map_err(Refusal::from)?;
        match answer.and_then(|answer| answer.message).context("a comparison ends with what it found")? {
            Message::Rows(rows) => progress.part(rows.compared, rows.total, &rows.table),
            Message::Events(events) => {
                let what = language.say("looking for the events", "recherche des événements");
                progress.part(events.position, events.until, what);
            }
            Message::Difference(difference) => differences.push(difference),
            Message::Comparison(comparison) => {
                progress.end();
                return Ok(Found { version, comparison, differences });
            }
        }
    }
}

fn text(service: &str, found: &Found, language: Language) -> String {
    let mut page = Page::default();
    let (version, rows) = (found.version, language.count(found.comparison.rows));
    let differing = language.count(found.comparison.differing);
    page.add(language.say(
        format!("{service}: generation {version} beside the live one: {rows} rows compared, {differing} differ"),
        format!(
            "{service}\u{202f}: génération {version} et celle qui sert\u{202f}: {rows} lignes comparées, {differing} diffèrent"
        ),
    ));
    for row in &found.differences {
        difference(row, language, &mut page);
    }
    let more = found.comparison.differing.saturating_sub(found.differences.len() as u64);
    if more > 0 {
        page.add(language.say(format!("  and {more} more"), format!("  et {more} de plus")));
    }
    page.text()
}

fn difference(row: &RowDifference, language: Language, page: &mut Page) {
    let key: Vec<_> = row.key.iter().map(|part| format!("{} = {}", part.column, part.value)).collect();
    let place = format!("{} ({})", row.table, key.join(", "));
    let presence = match (row.in_live, row.in_other) {
        (true, false) => language.say("only in the live generation", "seulement dans celle qui sert"),
        (false, true) => language.say("missing in the live generation", "manque dans celle qui sert"),
        (true, true) | (false, false) => language.say("differs", "diffère"),
    };
    page.add(format!("  {place}: {presence}"));
    for column in &row.columns {
        page.add(format!("    {}: {} ≠ {}", column.column, column.live, column.other));
    }
    page.add(match &row.first_event {
        Some(event) => {
            let kind = event.r#type.rsplit('.').next().unwrap_or_default();
            let (log, position, stream) = (&event.log, event.position, &event.stream);
            language.say(
                format!("    first event: {log} {position}, {kind} of {stream}"),
                format!("    premier événement\u{202f}: {log} {position}, {kind} de {stream}"),
            )
        }
        None => language.say("    no event touches it", "    aucun événement n’y touche").to_owned(),
    });
}
