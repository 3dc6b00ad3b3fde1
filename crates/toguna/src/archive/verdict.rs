//! What is wrong with an archive, and where.

use serde::Serialize;

use crate::language::Language;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The first position that it is about; none: it is about no event.
    pub position: Option<u64>,
    /// The file that it is about, from the archive's folder; none: more than one could be meant.
    pub file: Option<String>,
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    Missing,
    Unreadable(String),
    /// The entry and the hash that the tile has of it differ.
    Leaf,
    /// A hash of a tile is not that of the tiles below it.
    Node,
    NoRecord,
    Position(u64),
    Epoch,
    Time,
    Version {
        stream: String,
        version: u64,
        expected: u64,
    },
    /// The entries do not give the root that was signed.
    Root {
        size: u64,
    },
    Origin(String),
    Signature(String),
    Quorum {
        size: u64,
    },
}

/// A fault as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct FaultJson {
    position: Option<u64>,
    file: Option<String>,
    wrong: String,
}

impl Fault {
    pub fn at(position: u64, wrong: Wrong) -> Self {
        Self { position: Some(position), file: None, wrong }
    }

    pub fn of(position: u64, file: String, wrong: Wrong) -> Self {
        Self { position: Some(position), file: Some(file), wrong }
    }

    pub fn in_file(file: impl Into<String>, wrong: Wrong) -> Self {
        Self { position: None, file: Some(file.into()), wrong }
    }

    /// What comes first: what is wrong with events, then with what is made of them, then the rest.
    pub fn rank(&self) -> (bool, bool, Option<u64>) {
        (self.position.is_none(), self.wrong == Wrong::Node, self.position)
    }

    pub fn to_text(&self, language: Language) -> String {
        let position =
            self.position.map(|position| language.say(format!("position {position}"), format!("position {position}")));
        let place: Vec<_> = position.into_iter().chain(self.file.clone()).collect();
        let (place, wrong) = (place.join(", "), self.wrong.to_text(language));
        language.say(format!("{place}: {wrong}"), format!("{place}\u{202f}: {wrong}"))
    }

    pub fn to_json(&self) -> FaultJson {
        FaultJson { position: self.position, file: self.file.clone(), wrong: self.wrong.to_text(Language::En) }
    }
}

impl Wrong {
    /// As an error about a file.
    pub fn about(&self, file: &str) -> anyhow::Error {
        anyhow::anyhow!("{file}: {}", self.to_text(Language::En))
    }

    fn to_text(&self, language: Language) -> String {
        match self {
            Self::Missing => language.say("the file is missing", "le fichier manque").to_owned(),
            Self::Unreadable(error) => {
                language.say(format!("cannot be read: {error}"), format!("illisible\u{202f}: {error}"))
            }
            Self::Leaf => language
                .say(
                    "the event is not the one whose hash stands here",
                    "l’événement n’est pas celui dont l’empreinte figure ici",
                )
                .to_owned(),
            Self::Node => language
                .say(
                    "a hash is not that of the hashes below it",
                    "une empreinte n’est pas celle des empreintes du niveau inférieur",
                )
                .to_owned(),
            Self::NoRecord => {
                language.say("the entry is no record of an event", "l’entrée n’est pas un événement").to_owned()
            }
            Self::Position(position) => language.say(
                format!("the event says that it is at position {position}"),
                format!("l’événement se dit à la position {position}"),
            ),
            Self::Epoch => language
                .say("the event is of another history of the log", "l’événement vient d’une autre histoire du journal")
                .to_owned(),
            Self::Time => language
                .say("recorded earlier than the event before it", "enregistré avant l’événement précédent")
                .to_owned(),
            Self::Version { stream, version, expected } => language.say(
                format!("version {version} of {stream}, where version {expected} must come"),
                format!("version {version} de {stream}, alors que la version {expected} est attendue"),
            ),
            Self::Root { size } => language.say(
                format!("the first {size} events do not give the root that was signed"),
                format!("les {size} premiers événements ne donnent pas la racine signée"),
            ),
            Self::Origin(origin) => language
                .say(format!("is about another log: {origin}"), format!("concerne un autre journal\u{202f}: {origin}")),
            Self::Signature(error) => {
                language.say(format!("is not signed: {error}"), format!("n’est pas signé\u{202f}: {error}"))
            }
            Self::Quorum { size } => language.say(
                format!("the checkpoint at {size} has no quorum of witnesses"),
                format!("le point de contrôle à {size} n’a pas le quorum des témoins"),
            ),
        }
    }
}
