//! `toguna projections list`.

use anyhow::{Result, bail};
use contracts::toguna::operations::v1::{Follower, FollowerState, Generation, ListProjectionsResponse};
use serde_json::Map;

use super::{House, message_json, moment};
use crate::{
    language::Language,
    output::{self, Page},
    words,
};

pub(super) async fn run(houses: &[House<'_>], as_json: bool) -> Result<()> {
    let mut lists = Vec::new();
    for house in houses {
        lists.push((house.service.as_str(), house.list().await?));
    }
    let Some(language) = houses.first().map(House::language) else { return Ok(()) };
    if as_json {
        let mut all = Map::new();
        for (service, list) in &lists {
            all.insert((*service).to_owned(), message_json(list, "toguna.operations.v1.ListProjectionsResponse")?);
        }
        output::json(&all)?;
    } else {
        output::text(&text(&lists, language)?)?;
    }
    let stops = lists.iter().flat_map(|(_, list)| list.followers.iter());
    let stops: Vec<_> =
        stops.filter(|it| it.state() == FollowerState::Stopped).map(|it| stopped(it, language)).collect();
    if !stops.is_empty() {
        bail!(stops.join("\n"));
    }
    Ok(())
}

/// A follower that an event has stopped, in a sentence.
pub(super) fn stopped(follower: &Follower, language: Language) -> String {
    let event = follower.stopped_at.clone().unwrap_or_default();
    let (name, log, error) = (&follower.name, &follower.log, &follower.error);
    let (position, kind) = (event.position, event.r#type.rsplit('.').next().unwrap_or_default().to_owned());
    language.say(
        format!("{name} is stopped at position {position} of {log} ({kind}): {error}"),
        format!("{name} est arrêtée à la position {position} de {log} ({kind})\u{202f}: {error}"),
    )
}

fn text(lists: &[(&str, ListProjectionsResponse)], language: Language) -> Result<String> {
    let mut page = Page::default();
    for (service, list) in lists {
        page.heading(*service);
        let header = language.say(
            ["Name", "", "Generation", "Log", "State", "Position", "Behind", "Waits"],
            ["Nom", "", "Génération", "Journal", "État", "Position", "Retard", "Attente"],
        );
        let mut table = output::table(&header, 5..8);
        for follower in &list.followers {
            table.add_row(row(follower, language));
        }
        page.add(table.to_string());
        for follower in list.followers.iter().filter(|it| it.state() == FollowerState::Retrying) {
            page.add(format!("  {}: {}", follower.name, follower.error));
        }
        if !list.generations.is_empty() {
            page.add(String::new());
            page.add(generations(&list.generations, language)?);
        }
    }
    Ok(page.text().trim_start().to_owned())
}

fn row(follower: &Follower, language: Language) -> [String; 8] {
    let seconds = match follower.lag_seconds {
        0 => "—".to_owned(),
        seconds => format!("{} s", language.count(seconds)),
    };
    [
        follower.name.clone(),
        words::named(language, follower.kind().as_str_name(), "FOLLOWER_KIND_"),
        if follower.generation == 0 { "—".to_owned() } else { follower.generation.to_string() },
        follower.log.clone(),
        words::named(language, follower.state().as_str_name(), "FOLLOWER_STATE_"),
        language.count(follower.position),
        language.count(follower.log_position.saturating_sub(follower.position)),
        seconds,
    ]
}

fn generations(generations: &[Generation], language: Language) -> Result<String> {
    let header = language.say(
        ["Generation", "", "Shape", "Made", "Live since", "Compared", "Differing rows"],
        ["Génération", "", "Forme", "Faite", "Sert depuis", "Comparée", "Lignes différentes"],
    );
    let mut table = output::table(&header, 6..7);
    for generation in generations {
        let comparison = generation.comparison.as_ref();
        table.add_row([
            generation.version.to_string(),
            words::named(language, generation.standing().as_str_name(), "GENERATION_STANDING_"),
            generation.shape.to_string(),
            moment(generation.made_at.as_ref())?,
            moment(generation.live_since.as_ref())?,
            moment(comparison.and_then(|comparison| comparison.at.as_ref()))?,
            comparison.map_or_else(|| "—".to_owned(), |comparison| language.count(comparison.differing)),
        ]);
    }
    Ok(table.to_string())
}
