//! `toguna people`: the directory of people whom the local issuer signs for.

use anyhow::{Result, anyhow, bail};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    cli::{People as Asked, PersonOf},
    language::Language,
    local::{
        home::Home,
        identity::Identity,
        people::{Change, Directory, Refused, Wish},
    },
    output,
};

mod listed;

pub(super) fn run(asked: &Asked, language: Language, as_json: bool) -> Result<()> {
    let home = Home::find()?;
    home.make()?;
    let identity = home.identity()?;
    match asked {
        Asked::List { of } => return listed::people(&identity.people(), of.as_deref(), language, as_json),
        Asked::Changes { of } => return listed::changes(&identity.people(), of.as_deref(), language, as_json),
        Asked::Invite(invite) => change(&identity, &invite.one, language, |directory, wish, person| {
            directory.invite(wish, person, &invite.name, &invite.roles)
        }),
        Asked::Delegate(delegate) => change(&identity, &delegate.one, language, |directory, wish, person| {
            directory.delegate(wish, (person, &delegate.role), (&delegate.to, delegate.until))
        }),
        Asked::Revoke(one) => change(&identity, one, language, Directory::revoke),
        Asked::Erase(one) => change(&identity, one, language, Directory::erase),
    }?;
    if as_json { output::json(&serde_json::json!({ "done": true })) } else { Ok(()) }
}

fn change(
    identity: &Identity,
    one: &PersonOf,
    language: Language,
    f: impl FnOnce(&mut Directory, Wish, &str) -> Result<Change, Refused>,
) -> Result<()> {
    let (person, organisation) = person_of(&one.who, language)?;
    let bounds = identity.organisations()?;
    let wish = Wish { organisation: &organisation, by: one.by.as_deref(), at: Timestamp::now(), bounds: &bounds };
    let changed = identity.people().change(|directory| f(directory, wish, person))?;
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

/// The day of a moment, in UTC.
fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}
