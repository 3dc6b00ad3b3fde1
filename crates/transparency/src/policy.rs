//! Whose cosignatures are enough (C2SP tlog-policy).
//!
//! ```text
//! log <verifier key> [<url>]
//! witness <name> <verifier key> [<url>]
//! group <name> all|any|<k> <member>...
//! quorum <name>|none
//! ```

use std::collections::{HashMap, HashSet};

use crate::{Note, NoteError, VerifierKey};

/// Bytes of a policy at most.
const MAX_POLICY_BYTES: usize = 1 << 20;

/// Which logs are meant, and whose cosignatures make a checkpoint good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Located>,
    witnesses: Vec<Witness>,
    /// None: no cosignature is asked for.
    quorum: Option<Member>,
}

/// A log's key, and where it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The key.
    pub key: VerifierKey,
    /// Where.
    pub url: Option<String>,
}

/// A witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where it answers.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    /// Which of the witnesses.
    Witness(usize),
    Group {
        need: usize,
        members: Vec<Member>,
    },
}

/// What a policy withstands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Witnesses that may be down, whichever they are, while the quorum is still reached.
    pub down: usize,
    /// Witnesses that may sign two histories, whichever they are, while no two histories both reach the quorum.
    pub dishonest: usize,
}

/// A line that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct PolicyError {
    /// Which line, from 1; after the last one, where something is missing.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: &'static str,
}

impl Policy {
    /// Reads a policy. Names are defined before they are used, and used once; no key stands twice.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut reading = Reading::default();
        if text.len() > MAX_POLICY_BYTES {
            return Err(PolicyError { line: 1, wrong: "the policy is too long" });
        }
        let mut lines = 0;
        for (number, line) in text.lines().enumerate() {
            lines = number + 1;
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            reading.line(&words).map_err(|wrong| PolicyError { line: lines, wrong })?;
        }
        let Reading { logs, witnesses, quorum, .. } = reading;
        let quorum = match quorum {
            Quorum::Unsaid => return Err(PolicyError { line: lines + 1, wrong: "the quorum is missing" }),
            Quorum::None => None,
            Quorum::Of(member) => Some(member),
        };
        Ok(Self { logs, witnesses, quorum })
    }

    /// The logs that it speaks of.
    pub fn logs(&self) -> &[Located] {
        &self.logs
    }

    /// The witnesses, in the order of the text.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether anybody's cosignature is asked for.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// The witnesses whose cosignature a note bears. A line of a known witness that does not hold is an error.
    pub fn cosigners(&self, note: &Note) -> Result<Vec<&Witness>, NoteError> {
        let keys: Vec<VerifierKey> = self.witnesses.iter().map(|witness| witness.key.clone()).collect();
        let held = match note.verify(&keys) {
            Err(NoteError::Unknown) => return Ok(Vec::new()),
            held => held?,
        };
        let held: HashSet<[u8; 32]> = held.iter().map(|(key, _)| *key.as_bytes()).collect();
        Ok(self.witnesses.iter().filter(|witness| held.contains(witness.key.as_bytes())).collect())
    }

    /// Whether a note bears the cosignatures that are asked for.
    pub fn is_met_by(&self, note: &Note) -> Result<bool, NoteError> {
        let Some(quorum) = &self.quorum else { return Ok(true) };
        let cosigners = self.cosigners(note)?;
        Ok(quorum.holds(&|index| cosigners.contains(&&self.witnesses[index])))
    }

    /// What it withstands, found by trying every set of witnesses; `None`: it asks for none, or names more than ten.
    pub fn tolerates(&self) -> Option<Tolerance> {
        let quorum = self.quorum.as_ref().filter(|_| self.witnesses.len() <= 10)?;
        let members = quorum.witnesses();
        let sets = 1_u32 << members.len();
        let holds = |set: u32| {
            quorum.holds(&|index| members.iter().position(|it| *it == index).is_some_and(|bit| set >> bit & 1 == 1))
        };
        let everybody = sets - 1;
        let size = |set: u32| set.count_ones() as usize;
        let quorums: Vec<u32> = (0..sets).filter(|set| holds(*set)).collect();
        let fewest_that_stop = (0..sets).filter(|set| !holds(everybody & !set)).map(size).min()?;
        let fewest_in_both = quorums.iter().flat_map(|one| quorums.iter().map(move |other| size(one & other))).min()?;
        Some(Tolerance { down: fewest_that_stop.saturating_sub(1), dishonest: fewest_in_both.saturating_sub(1) })
    }
}

impl Member {
    fn holds(&self, signed: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Witness(index) => signed(*index),
            Self::Group { need, members } => members.iter().filter(|member| member.holds(signed)).count() >= *need,
        }
    }

    fn witnesses(&self) -> Vec<usize> {
        match self {
            Self::Witness(index) => vec![*index],
            Self::Group { members, .. } => members.iter().flat_map(Self::witnesses).collect(),
        }
    }
}

#[derive(Default, PartialEq)]
enum Quorum {
    #[default]
    Unsaid,
    None,
    Of(Member),
}

#[derive(Default)]
struct Reading {
    logs: Vec<Located>,
    witnesses: Vec<Witness>,
    /// What is named and not yet in a group.
    free: HashMap<String, Member>,
    names: HashSet<String>,
    keys: HashSet<[u8; 32]>,
    quorum: Quorum,
}

impl Reading {
    fn line(&mut self, words: &[&str]) -> Result<(), &'static str> {
        match words {
            [] => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, need, members @ ..] if !members.is_empty() => self.group(name, need, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("a line is `log`, `witness`, `group` or `quorum` with what belongs to it"),
        }
    }

    fn key(&mut self, key: &str) -> Result<VerifierKey, &'static str> {
        let key: VerifierKey = key.parse().map_err(|_| "this is no verifier key")?;
        if self.keys.insert(*key.as_bytes()) { Ok(key) } else { Err("this key stands here twice") }
    }

    fn log(&mut self, key: &str, url: Option<&&str>) -> Result<(), &'static str> {
        let key: VerifierKey = key.parse().map_err(|_| "this is no verifier key")?;
        self.logs.push(Located { key, url: url.map(ToString::to_string) });
        Ok(())
    }

    fn name(&mut self, name: &str, member: Member) -> Result<(), &'static str> {
        if name == "none" || !self.names.insert(name.to_owned()) {
            return Err("this name is taken");
        }
        self.free.insert(name.to_owned(), member);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&&str>) -> Result<(), &'static str> {
        let key = self.key(key)?;
        self.name(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(ToString::to_string) });
        Ok(())
    }

    fn group(&mut self, name: &str, need: &str, members: &[&str]) -> Result<(), &'static str> {
        let need = match need {
            "all" => members.len(),
            "any" => 1,
            number => number.parse().map_err(|_| "a group needs `all`, `any` or a number of its members")?,
        };
        if !(1..=members.len()).contains(&need) {
            return Err("a group needs at least one of its members, and no more than it has");
        }
        let members =
            members.iter().map(|name| self.free.remove(*name).ok_or("a member is not known, or in a group already"));
        let members = members.collect::<Result<_, _>>()?;
        self.name(name, Member::Group { need, members })
    }

    fn quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum != Quorum::Unsaid {
            return Err("there is one quorum");
        }
        self.quorum = match self.free.get(name) {
            Some(member) => Quorum::Of(member.clone()),
            None if name == "none" => Quorum::None,
            None => return Err("the quorum is not known, or within a group"),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
