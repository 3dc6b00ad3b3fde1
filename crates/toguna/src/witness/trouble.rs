//! Why a store is not made, changed or served, in both languages.

use std::{fmt, io, path::PathBuf};

use crate::language::Language;

/// Why a store is not made, changed or served.
#[derive(Debug)]
pub enum Trouble {
    /// No witness.toml is in the folder.
    NoStore(PathBuf),
    /// There is one already.
    AlreadyThere(PathBuf),
    /// Another process serves the store.
    Served {
        /// The folder.
        folder: PathBuf,
        /// What that process said of itself.
        by: String,
    },
    /// What was signed before is not known any more.
    MemoryLost {
        /// The file or folder that is missing.
        missing: PathBuf,
        /// The name that must be retired.
        name: String,
    },
    /// A file that says something else than it should.
    Damaged {
        /// Which one.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file that cannot be read or written.
    Disk(PathBuf, io::Error),
    /// What was given with the command does not go together.
    Given(Given),
}

/// What was given with a command and does not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The name of the witness.
    Name(String),
    /// No first line of a checkpoint.
    Origin(String),
    /// No verifier key.
    Key {
        /// What was given.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not the short name of a key.
    ShortName(String),
    /// A witness has one key.
    OneKey,
}

impl Trouble {
    /// The reason for people.
    pub fn say(&self, language: Language) -> String {
        match self {
            Self::NoStore(folder) => language.say(
                format!("{} holds no witness.toml; `toguna witness init` makes a store", folder.display()),
                format!("{} ne contient pas de witness.toml ; « toguna witness init » le crée", folder.display()),
            ),
            Self::AlreadyThere(folder) => language.say(
                format!("{} is the store of a witness already; its keys are not made again", folder.display()),
                format!("{} contient déjà un témoin ; ses clés ne sont pas refaites", folder.display()),
            ),
            Self::Served { folder, by } => language.say(
                format!("{} is served already ({by}); two processes would sign under two memories", folder.display()),
                format!("{} est déjà servi ({by}) ; deux processus signeraient sous deux mémoires", folder.display()),
            ),
            Self::MemoryLost { missing, name } => language.say(
                format!(
                    "{} is missing: what “{name}” has signed is not known any more, so it could sign another history. \
                     Put the folder back if it was moved aside, and never an older copy. Otherwise retire the name: \
                     have it struck from every policy, and begin a new witness under another name",
                    missing.display()
                ),
                format!(
                    "{} manque : on ne sait plus ce que « {name} » a signé, il pourrait donc signer une autre histoire. \
                     Remettez le dossier s’il a été déplacé, et jamais une copie plus ancienne. Sinon, retirez ce nom : \
                     faites-le rayer de toutes les politiques, et commencez un nouveau témoin sous un autre nom",
                    missing.display()
                ),
            ),
            Self::Damaged { file, why } => format!("{}{} {why}", file.display(), language.say(":", "\u{202f}:")),
            Self::Disk(file, error) => format!("{}{} {error}", file.display(), language.say(":", "\u{202f}:")),
            Self::Given(given) => given.say(language),
        }
    }
}

impl Given {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Name(name) => language.say(
                format!("“{name}” is no name of a key: up to 255 bytes, without spaces and without “+”"),
                format!("« {name} » n’est pas un nom de clé : 255 octets au plus, sans espace ni « + »"),
            ),
            Self::Origin(origin) => language.say(
                format!("“{origin}” is no origin: one line, the first of the log’s checkpoints"),
                format!("« {origin} » n’est pas une origine : une ligne, la première des points de contrôle du journal"),
            ),
            Self::Key { key, why } => language.say(
                format!("“{key}” is no verifier key (NAME+ID+KEY): {why}"),
                format!("« {key} » n’est pas une clé de vérification (NOM+ID+CLÉ) : {why}"),
            ),
            Self::ShortName(name) => language.say(
                format!("“{name}” is no short name: lower-case letters, digits and hyphens"),
                format!("« {name} » n’est pas un nom court : minuscules, chiffres et traits d’union"),
            ),
            Self::OneKey => language.say(
                "a witness has one key, and signs with it for all logs; only a signer has keys of logs".to_owned(),
                "un témoin a une seule clé, dont il signe pour tous les journaux ; seul un signataire a des clés de journaux"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Language::En))
    }
}

impl std::error::Error for Trouble {}
