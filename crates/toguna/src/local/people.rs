//! The people of organisations that have no issuer of tokens of their own: whom each organisation's administrators
//! named, in which roles, who stands in for whom and until when.
//!
//! It is a file beside the key that signs for these people, outside every log. The logs know a person by a pseudonym
//! that is made of a subject; the subject is made by chance and written down here alone. So whoever is erased here is
//! nobody's name any more anywhere, and no byte of any log changes.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use anyhow::{Context as _, Result};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{random_hex, write_private};
use crate::language::Language;

/// What the subjects of people named here begin with.
const SUBJECT: &str = "person-";

/// Who may name an organisation's people.
const ADMINISTRATOR: &str = "administrator";

/// The file of the directory.
#[derive(Debug, Clone)]
pub struct People(PathBuf);

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// By resource name: `partners/…`.
    pub organisations: BTreeMap<String, Organisation>,
}

/// The people of one organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// By the short name that the organisation gives each.
    pub people: BTreeMap<String, Person>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What tokens call the person: chance, and the same for ever.
    pub subject: String,
    /// What people call the person.
    pub name: String,
    /// Roles of the person's own.
    pub roles: Vec<String>,
    /// Since when the person gets no token any more.
    pub revoked_on: Option<Day>,
    /// Roles of absent persons.
    pub delegated: Vec<Delegated>,
    /// The administrator who last changed something here, by subject.
    pub changed_by: Option<String>,
}

/// A role that somebody else has, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// The role.
    pub role: String,
    /// Whose it is, by subject.
    pub from: String,
    /// The last day, in UTC.
    pub until: Day,
}

/// A day, in UTC; `2026-12-31` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(pub Date);

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

/// What the issuer may sign for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// What the token calls the person.
    pub subject: String,
    /// When it must have ended, where one of the roles is another's.
    pub ends: Option<Timestamp>,
}

/// Why the directory is not changed, or a token not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nobody of that name is in the directory.
    Unknown,
    /// The person is revoked.
    Revoked,
    /// An organisation begins with an administrator.
    BeginsWithAdministrator,
    /// The organisation has administrators: one of them must say so.
    NotAdministrator,
    /// There would be no administrator any more.
    LastAdministrator,
    /// The person does not have that role, or no longer.
    NotTheirRole,
    /// A role of one's own needs no delegation.
    OwnRole,
    /// The last day is over.
    Over,
}

impl Refused {
    /// The reason for people.
    pub fn say(self, language: Language) -> &'static str {
        let (english, french) = match self {
            Self::Unknown => ("nobody of that name is in the directory", "personne de ce nom n’est dans l’annuaire"),
            Self::Revoked => ("the person is revoked", "la personne est révoquée"),
            Self::BeginsWithAdministrator => (
                "the organisation has no administrator yet: invite one first",
                "l’organisation n’a pas encore d’administrateur\u{202f}: invitez-en d’abord un",
            ),
            Self::NotAdministrator => (
                "say with --by which administrator of the organisation wants it",
                "dites par --by quel administrateur de l’organisation le veut",
            ),
            Self::LastAdministrator => (
                "the organisation would have no administrator any more: invite another first",
                "l’organisation n’aurait plus d’administrateur\u{202f}: invitez-en d’abord un autre",
            ),
            Self::NotTheirRole => ("the person does not have that role", "la personne n’a pas ce rôle"),
            Self::OwnRole => ("the person has that role already", "la personne a déjà ce rôle"),
            Self::Over => ("that day is over", "ce jour est passé"),
        };
        language.say(english, french)
    }
}

impl People {
    pub(super) fn at(file: PathBuf) -> Self {
        Self(file)
    }

    /// What the directory says now.
    pub fn read(&self) -> Result<Directory> {
        match fs::read(&self.0) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is broken", self.0.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Directory::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.0.display())),
        }
    }

    /// Changes it, one after another; all of a change or nothing.
    pub fn change(&self, f: impl FnOnce(&mut Directory) -> Result<(), Refused>) -> Result<Result<(), Refused>> {
        let lock = fs::File::create(self.0.with_extension("lock"))?;
        lock.lock()?;
        let mut directory = self.read()?;
        if let Err(refused) = f(&mut directory) {
            return Ok(Err(refused));
        }
        let unfinished = self.0.with_extension("unfinished");
        write_private(&unfinished, &serde_json::to_vec_pretty(&directory)?)?;
        fs::rename(&unfinished, &self.0).with_context(|| format!("cannot write {}", self.0.display()))?;
        Ok(Ok(()))
    }

    /// Whether a subject is of a person that an organisation named, here or before it was erased.
    pub(super) fn is_ours(subject: &str) -> bool {
        subject.starts_with(SUBJECT)
    }

    /// The name behind a subject.
    pub(super) fn name(&self, subject: &str) -> Option<String> {
        let directory = self.read().ok()?;
        let mut people =
            directory.organisations.into_values().flat_map(|organisation| organisation.people.into_values());
        people.find(|person| person.subject == subject).map(|person| person.name)
    }
}

impl Directory {
    /// Names a person of an organisation, or gives other roles and another name to one who is named; one who was
    /// revoked comes back as the same person. Wanted by an administrator of the organisation, unless it has none yet.
    pub fn invite(
        &mut self,
        organisation: &str,
        person: &str,
        name: &str,
        roles: &[String],
        by: Option<&str>,
        today: Date,
    ) -> Result<(), Refused> {
        let known = self.organisations.get(organisation);
        let changed_by = match known.filter(|known| known.has_administrator(today)) {
            Some(known) => Some(known.administrator(by, today)?),
            None if roles.iter().any(|role| role == ADMINISTRATOR) => None,
            None => return Err(Refused::BeginsWithAdministrator),
        };
        let mut changed = known.cloned().unwrap_or_default();
        let before = changed.people.remove(person);
        let invited = Person {
            subject: before.as_ref().map_or_else(|| format!("{SUBJECT}{}", random_hex(16)), |it| it.subject.clone()),
            name: name.to_owned(),
            roles: roles.to_vec(),
            revoked_on: None,
            delegated: before.map(|it| it.delegated).unwrap_or_default(),
            changed_by,
        };
        changed.people.insert(person.to_owned(), invited);
        self.keep(organisation, changed, today)
    }

    /// Gives the role of an absent person to another one, until the end of a day.
    pub fn delegate(
        &mut self,
        organisation: &str,
        (absent, role): (&str, &str),
        (to, until): (&str, Date),
        by: Option<&str>,
        today: Date,
    ) -> Result<(), Refused> {
        let mut changed = self.organisations.get(organisation).cloned().ok_or(Refused::Unknown)?;
        let changed_by = Some(changed.administrator(by, today)?);
        if until < today {
            return Err(Refused::Over);
        }
        let from = changed.person(absent)?;
        if !from.has(role) {
            return Err(Refused::NotTheirRole);
        }
        let delegated = Delegated { role: role.to_owned(), from: from.subject.clone(), until: Day(until) };
        changed.person(to)?;
        let to = changed.people.get_mut(to).ok_or(Refused::Unknown)?;
        if to.has(role) {
            return Err(Refused::OwnRole);
        }
        to.delegated.retain(|it| (&it.role, &it.from) != (&delegated.role, &delegated.from) && it.until.0 >= today);
        to.delegated.push(delegated);
        to.changed_by = changed_by;
        self.keep(organisation, changed, today)
    }

    /// Lets a person have no token any more. Whoever stands in for the person does so no longer.
    pub fn revoke(&mut self, organisation: &str, person: &str, by: Option<&str>, today: Date) -> Result<(), Refused> {
        let mut changed = self.organisations.get(organisation).cloned().ok_or(Refused::Unknown)?;
        let changed_by = Some(changed.administrator(by, today)?);
        changed.person(person)?;
        let revoked = changed.people.get_mut(person).ok_or(Refused::Unknown)?;
        revoked.revoked_on = Some(Day(today));
        revoked.changed_by = changed_by;
        self.keep(organisation, changed, today)
    }

    /// Forgets a person: name, subject and all. Nothing links the person to what the logs hold any more.
    pub fn erase(&mut self, organisation: &str, person: &str, by: Option<&str>, today: Date) -> Result<(), Refused> {
        let mut changed = self.organisations.get(organisation).cloned().ok_or(Refused::Unknown)?;
        changed.administrator(by, today)?;
        let erased = changed.people.remove(person).ok_or(Refused::Unknown)?;
        for other in changed.people.values_mut() {
            other.delegated.retain(|it| it.from != erased.subject);
            other.changed_by = other.changed_by.take().filter(|by| *by != erased.subject);
        }
        self.keep(organisation, changed, today)
    }

    /// What may be signed for a person who asks for these roles now; `None` where the organisation does not keep its
    /// people here.
    pub fn permit(
        &self,
        organisation: &str,
        person: &str,
        roles: &[&str],
        now: Timestamp,
    ) -> Option<Result<Permit, Refused>> {
        let known = self.organisations.get(organisation)?;
        Some(known.permit(person, roles, now))
    }

    fn keep(&mut self, organisation: &str, changed: Organisation, today: Date) -> Result<(), Refused> {
        if !changed.has_administrator(today) {
            return Err(Refused::LastAdministrator);
        }
        self.organisations.insert(organisation.to_owned(), changed);
        Ok(())
    }
}

impl Organisation {
    fn permit(&self, person: &str, roles: &[&str], now: Timestamp) -> Result<Permit, Refused> {
        let person = self.person(person)?;
        let today = TimeZone::UTC.to_datetime(now).date();
        let mut ends = None;
        for role in roles.iter().filter(|role| !person.has(role)) {
            let last = self.standing_in(person, role, today).ok_or(Refused::NotTheirRole)?;
            let end = last.tomorrow().and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)));
            let end = end.map_err(|_| Refused::NotTheirRole)?;
            ends = Some(ends.map_or(end, |earlier: Timestamp| earlier.min(end)));
        }
        Ok(Permit { subject: person.subject.clone(), ends })
    }

    /// Until when a person has a role of an absent one, who must still have it.
    fn standing_in(&self, person: &Person, role: &str, today: Date) -> Option<Date> {
        let holds = |subject: &str| {
            self.people.values().any(|it| it.subject == subject && it.revoked_on.is_none() && it.has(role))
        };
        let current = |it: &&Delegated| it.role == role && it.until.0 >= today && holds(&it.from);
        person.delegated.iter().filter(current).map(|it| it.until.0).max()
    }

    /// Whether a person has a role today, of its own or standing in for another.
    pub fn has_role(&self, person: &Person, role: &str, today: Date) -> bool {
        person.revoked_on.is_none() && (person.has(role) || self.standing_in(person, role, today).is_some())
    }

    fn has_administrator(&self, today: Date) -> bool {
        // One who only stands in is not enough: the organisation would have none when that ends.
        self.people.values().any(|it| it.has(ADMINISTRATOR) && self.has_role(it, ADMINISTRATOR, today))
    }

    /// The subject of the administrator who wants something.
    fn administrator(&self, by: Option<&str>, today: Date) -> Result<String, Refused> {
        let by = by.and_then(|by| self.people.get(by)).filter(|by| self.has_role(by, ADMINISTRATOR, today));
        by.map(|by| by.subject.clone()).ok_or(Refused::NotAdministrator)
    }

    fn person(&self, person: &str) -> Result<&Person, Refused> {
        let person = self.people.get(person).ok_or(Refused::Unknown)?;
        if person.revoked_on.is_some() { Err(Refused::Revoked) } else { Ok(person) }
    }
}

impl Person {
    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|it| it == role)
    }
}

#[cfg(test)]
mod tests;
