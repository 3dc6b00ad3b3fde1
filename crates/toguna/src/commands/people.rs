//! `toguna people`: the directory of people whom the local issuer signs for.

use anyhow::{Result, anyhow, bail};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;

use crate::{
    cli::{People as Asked, PersonOf},
    language::Language,
    local::{
        home::Home,
        people::{Directory, Organisation, People, Person, Refused},
    },
    output,
};

pub(super) fn run(asked: &Asked, language: Language, as_json: bool) -> Result<()> {
    let home = Home::find()?;
    home.make()?;
    let people = home.identity()?.people();
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    match asked {
        Asked::List { of } => return list(&people.read()?, of.as_deref(), today, language, as_json),
        Asked::Invite(invite) => {
            names(&invite.roles, language)?;
            change(&people, &invite.one, language, |directory, organisation, person, by| {
                directory.invite(organisation, person, &invite.name, &invite.roles, by, today)
            })
        }
        Asked::Delegate(delegate) => change(&people, &delegate.one, language, |directory, organisation, person, by| {
            let absent = (person, delegate.role.as_str());
            directory.delegate(organisation, absent, (&delegate.to, delegate.until), by, today)
        }),
        Asked::Revoke(one) => change(&people, one, language, |directory, organisation, person, by| {
            directory.revoke(organisation, person, by, today)
        }),
        Asked::Erase(one) => change(&people, one, language, |directory, organisation, person, by| {
            directory.erase(organisation, person, by, today)
        }),
    }?;
    if as_json { output::json(&json!({ "done": true })) } else { Ok(()) }
}

fn change(
    people: &People,
    one: &PersonOf,
    language: Language,
    f: impl FnOnce(&mut Directory, &str, &str, Option<&str>) -> Result<(), Refused>,
) -> Result<()> {
    let (person, organisation) = person_of(&one.who, language)?;
    let changed = people.change(|directory| f(directory, &organisation, person, one.by.as_deref()))?;
    changed.map_err(|refused| anyhow!("{}{} {}", one.who, language.say(":", "\u{202f}:"), refused.say(language)))
}

/// The person, and the organisation's resource name.
fn person_of(who: &str, language: Language) -> Result<(&str, String)> {
    let id = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match who.split_once('@').map(|(person, of)| (person, of.strip_prefix("partners/").unwrap_or(of))) {
        Some((person, organisation)) if id(person) && id(organisation) => {
            Ok((person, format!("partners/{organisation}")))
        }
        _ => bail!(language.say(
            "write PERSON@ORGANISATION in lower-case letters, digits and hyphens, such as officer-1@ml-mmeia",
            "écrivez PERSONNE@ORGANISATION en minuscules, chiffres et traits d’union\u{202f}: officer-1@ml-mmeia",
        )),
    }
}

fn names(roles: &[String], language: Language) -> Result<()> {
    let is_role =
        |role: &String| !role.is_empty() && role.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match roles.iter().find(|role| !is_role(role)) {
        Some(role) => bail!(language.say(
            format!("{role:?} is no role: write such as focal_point"),
            format!("{role:?} n’est pas un rôle\u{202f}: écrivez par exemple focal_point"),
        )),
        None => Ok(()),
    }
}

fn list(directory: &Directory, of: Option<&str>, today: Date, language: Language, as_json: bool) -> Result<()> {
    let of = of.map(|of| format!("partners/{}", of.strip_prefix("partners/").unwrap_or(of)));
    let shown = directory.organisations.iter().filter(|(name, _)| of.as_ref().is_none_or(|of| of == *name));
    if as_json {
        let entry = |(name, organisation): (&String, &Organisation)| (name.clone(), json!(organisation));
        return output::json(&shown.map(entry).collect::<serde_json::Map<_, _>>());
    }
    let header =
        language.say(["Person", "Name", "Roles", "Stands in", ""], ["Personne", "Nom", "Rôles", "Supplée", ""]);
    let mut table = output::table(&header, 0..0);
    for (name, organisation) in shown {
        for (person, entry) in &organisation.people {
            let of = name.strip_prefix("partners/").unwrap_or(name);
            table.add_row(row(&format!("{person}@{of}"), organisation, entry, today, language));
        }
    }
    output::text(&table.to_string())
}

fn row(who: &str, organisation: &Organisation, person: &Person, today: Date, language: Language) -> [String; 5] {
    let delegated = person.delegated.iter().filter(|it| organisation.has_role(person, &it.role, today));
    let until = |date: Date| language.date(date.year().into(), date.month().into(), date.day().into());
    let delegated = delegated.map(|it| {
        let (role, last) = (&it.role, until(it.until.0));
        language.say(format!("{role} until {last}"), format!("{role} jusqu’au {last}"))
    });
    let delegated = delegated.collect::<Vec<_>>().join(", ");
    let revoked = person.revoked_on.map(|day| until(day.0));
    let state = revoked.map(|day| language.say(format!("revoked on {day}"), format!("révoquée le {day}")));
    [who.to_owned(), person.name.clone(), person.roles.join(", "), delegated, state.unwrap_or_default()]
}
