//! The people of organisations that have no issuer of tokens of their own: whom each organisation's administrators
//! named, in which roles, who stands in for whom and until when.
//!
//! It is a file beside the key that signs for these people, outside every log. The logs know a person by a pseudonym
//! that is made of a subject; the subject is made by chance and written down here alone. So whoever is erased here is
//! nobody's name any more anywhere, and no byte of any log changes.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{hex, random_hex};

mod changes;
mod files;
mod organisations;
mod refused;
pub mod roles;

pub use changes::{Change, What};
pub use files::People;
pub use organisations::Organisations;
pub use refused::Refused;

/// What the subjects of people named here begin with.
const SUBJECT: &str = "person-";

/// Who may name an organisation's people.
const ADMINISTRATOR: &str = "administrator";

/// How long the short name of whoever was erased is nobody else's, in days.
const NAME_RESTS: i64 = 366;

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
    /// The short names of those who were erased not long ago, so that a person does not become another one, a second
    /// pair of eyes, under the same name.
    #[serde(default)]
    resting: Vec<Resting>,
}

/// A short name that is nobody's for a time. It is not written down: whoever has it can find it again here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Resting {
    salt: String,
    hash: String,
    until: Day,
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

/// Who wants a change, when, and within which bounds.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Whose people: a partner's resource name.
    pub organisation: &'a str,
    /// The organisation's administrator, by short name.
    pub by: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
    /// What the operator allows.
    pub bounds: &'a Organisations,
}

impl Wish<'_> {
    /// The day, in UTC.
    fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.at).date()
    }

    fn change(&self, person: &str, by: Option<String>, what: What) -> Change {
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Change { at, organisation: self.organisation.to_owned(), person: person.to_owned(), by, what }
    }
}

impl Directory {
    /// Names a person of an organisation, or gives other roles and another name to one who is named; one who was
    /// revoked comes back as the same person. Wanted by an administrator of the organisation, unless it has none yet.
    pub fn invite(&mut self, wish: Wish, person: &str, name: &str, roles: &[String]) -> Result<Change, Refused> {
        let (organisation, today) = (wish.organisation, wish.today());
        wish.bounds.allow(organisation, roles.iter().map(String::as_str))?;
        let known = self.organisations.get(organisation);
        let by = match known.filter(|known| known.has_administrator(today)) {
            Some(known) => Some(known.administrator(wish)?),
            None if roles.iter().any(|role| role == ADMINISTRATOR) => None,
            None => return Err(Refused::BeginsWithAdministrator),
        };
        let mut changed = known.cloned().unwrap_or_default();
        if changed.resting.iter().any(|name| name.until.0 >= today && name.is(person)) {
            return Err(Refused::Erased);
        }
        let before = changed.people.remove(person);
        let invited = Person {
            subject: before.as_ref().map_or_else(|| format!("{SUBJECT}{}", random_hex(16)), |it| it.subject.clone()),
            name: name.to_owned(),
            roles: roles.to_vec(),
            revoked_on: None,
            delegated: before.map(|it| it.delegated).unwrap_or_default(),
        };
        let change = wish.change(&invited.subject, by, What::Invited { roles: roles.to_vec() });
        changed.people.insert(person.to_owned(), invited);
        self.keep(wish, changed, change)
    }

    /// Gives the role of an absent person to another one, until the end of a day.
    pub fn delegate(
        &mut self,
        wish: Wish,
        (absent, role): (&str, &str),
        (to, until): (&str, Date),
    ) -> Result<Change, Refused> {
        let today = wish.today();
        let mut changed = self.organisations.get(wish.organisation).cloned().ok_or(Refused::Unknown)?;
        let by = Some(changed.administrator(wish)?);
        if until < today {
            return Err(Refused::Over);
        }
        roles::check(role)?;
        wish.bounds.delegation(today, until)?;
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
        let what = What::Delegated { role: role.to_owned(), to: to.subject.clone(), until: Day(until) };
        let change = wish.change(&delegated.from, by, what);
        to.delegated.retain(|it| (&it.role, &it.from) != (&delegated.role, &delegated.from) && it.until.0 >= today);
        to.delegated.push(delegated);
        self.keep(wish, changed, change)
    }

    /// Lets a person have no token any more. Whoever stands in for the person does so no longer.
    pub fn revoke(&mut self, wish: Wish, person: &str) -> Result<Change, Refused> {
        let mut changed = self.organisations.get(wish.organisation).cloned().ok_or(Refused::Unknown)?;
        let by = Some(changed.administrator(wish)?);
        changed.person(person)?;
        let revoked = changed.people.get_mut(person).ok_or(Refused::Unknown)?;
        revoked.revoked_on = Some(Day(wish.today()));
        let change = wish.change(&revoked.subject, by, What::Revoked);
        self.keep(wish, changed, change)
    }

    /// Forgets a person: name, subject and all. Nothing links the person to what the logs hold any more. The short name
    /// is nobody else's for a year.
    pub fn erase(&mut self, wish: Wish, person: &str) -> Result<Change, Refused> {
        let mut changed = self.organisations.get(wish.organisation).cloned().ok_or(Refused::Unknown)?;
        let by = Some(changed.administrator(wish)?);
        let erased = changed.people.remove(person).ok_or(Refused::Unknown)?;
        for other in changed.people.values_mut() {
            other.delegated.retain(|it| it.from != erased.subject);
        }
        let today = wish.today();
        changed.resting.retain(|name| name.until.0 >= today);
        changed.resting.push(Resting::of(person, today));
        let change = wish.change(&erased.subject, by, What::Erased);
        self.keep(wish, changed, change)
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

    fn keep(&mut self, wish: Wish, changed: Organisation, change: Change) -> Result<Change, Refused> {
        if !changed.has_administrator(wish.today()) {
            return Err(Refused::LastAdministrator);
        }
        self.organisations.insert(wish.organisation.to_owned(), changed);
        Ok(change)
    }
}

impl Resting {
    fn of(short: &str, today: Date) -> Self {
        let salt = random_hex(16);
        let until = today.checked_add(NAME_RESTS.days()).unwrap_or(Date::MAX);
        Self { hash: Self::hash(&salt, short), salt, until: Day(until) }
    }

    fn is(&self, short: &str) -> bool {
        self.hash == Self::hash(&self.salt, short)
    }

    fn hash(salt: &str, short: &str) -> String {
        hex(&Sha256::digest(format!("{salt} {short}")))
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
    fn administrator(&self, wish: Wish) -> Result<String, Refused> {
        let by = wish.by.and_then(|by| self.people.get(by));
        let by = by.filter(|by| self.has_role(by, ADMINISTRATOR, wish.today()));
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
