//! Who is in the directory, and what was changed in it.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::{Timestamp, civil::Date};
use serde_json::json;

use super::day;
use crate::{
    language::Language,
    local::people::{Change, Organisation, People, Person, What},
    output,
};

/// Of one organisation, or of all.
pub(super) fn people(people: &People, of: Option<&str>, language: Language, as_json: bool) -> Result<()> {
    let (directory, today) = (people.read()?, day(Timestamp::now()));
    let shown = directory.organisations.iter().filter(|(name, _)| is(name, of));
    if as_json {
        let entry = |(name, organisation): (&String, &Organisation)| (name.clone(), json!(organisation));
        return output::json(&shown.map(entry).collect::<serde_json::Map<_, _>>());
    }
    let header =
        language.say(["Person", "Name", "Roles", "Stands in", ""], ["Personne", "Nom", "Rôles", "Supplée", ""]);
    let mut table = output::table(&header, 0..0);
    for (name, organisation) in shown {
        for (person, entry) in &organisation.people {
            table.add_row(row(&at(person, name), organisation, entry, today, language));
        }
    }
    output::text(&table.to_string())
}

/// The record, in order; the persons by short name where they are still in the directory.
pub(super) fn changes(people: &People, of: Option<&str>, language: Language, as_json: bool) -> Result<()> {
    let shown: Vec<_> = people.changes()?.into_iter().filter(|change| is(&change.organisation, of)).collect();
    if as_json {
        return output::json(&json!(shown));
    }
    let known = people.pseudonyms()?;
    let header = language.say(["When", "Person", "Change", "By"], ["Quand", "Personne", "Changement", "Par"]);
    let mut table = output::table(&header, 0..0);
    for change in shown {
        let by = change.by.as_deref().map_or_else(String::new, |by| called(&known, by));
        table.add_row([&change.at, &called(&known, &change.person), &told(&change, &known, language), &by]);
    }
    output::text(&table.to_string())
}

fn is(organisation: &str, asked: Option<&str>) -> bool {
    let id = |name: &str| name.strip_prefix("partners/").unwrap_or(name).to_owned();
    asked.is_none_or(|asked| id(asked) == id(organisation))
}

fn at(person: &str, organisation: &str) -> String {
    format!("{person}@{}", organisation.strip_prefix("partners/").unwrap_or(organisation))
}

/// By short name, or by the beginning of what the logs call the person.
fn called(known: &BTreeMap<String, (String, String)>, pseudonym: &str) -> String {
    let short = known.get(pseudonym).map(|(person, organisation)| at(person, organisation));
    short.unwrap_or_else(|| format!("{}…", pseudonym.get(..12).unwrap_or(pseudonym)))
}

fn told(change: &Change, known: &BTreeMap<String, (String, String)>, language: Language) -> String {
    match &change.what {
        What::Invited { roles } => {
            let roles = roles.join(", ");
            language.say(format!("has the roles {roles}"), format!("a les rôles {roles}"))
        }
        What::Delegated { role, to, until } => {
            let (to, until) = (called(known, to), date(until.0, language));
            language.say(
                format!("{to} stands in as {role} until {until}"),
                format!("{to} supplée comme {role} jusqu’au {until}"),
            )
        }
        What::Revoked => language.say("revoked", "révoquée").to_owned(),
        What::Erased => language.say("erased", "effacée").to_owned(),
    }
}

fn date(day: Date, language: Language) -> String {
    language.date(day.year().into(), day.month().into(), day.day().into())
}

fn row(who: &str, organisation: &Organisation, person: &Person, today: Date, language: Language) -> [String; 5] {
    let delegated = person.delegated.iter().filter(|it| organisation.has_role(person, &it.role, today));
    let delegated = delegated.map(|it| {
        let (role, last) = (&it.role, date(it.until.0, language));
        language.say(format!("{role} until {last}"), format!("{role} jusqu’au {last}"))
    });
    let delegated = delegated.collect::<Vec<_>>().join(", ");
    let revoked = person.revoked_on.map(|day| date(day.0, language));
    let state = revoked.map(|day| language.say(format!("revoked on {day}"), format!("révoquée le {day}")));
    [who.to_owned(), person.name.clone(), person.roles.join(", "), delegated, state.unwrap_or_default()]
}
