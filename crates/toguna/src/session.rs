//! The running stack, as a command finds it.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;

use crate::{
    language::Language,
    local::{
        home::{Home, StackFile},
        identity::Identity,
    },
    services::Services,
};

/// What a command works with.
#[derive(Debug)]
pub struct Session {
    /// The language of the output.
    pub language: Language,
    /// The stack's keys.
    pub identity: Identity,
    /// Its services.
    pub services: Services,
}

impl Session {
    /// The stack of this environment; fails, saying how to start one, where none runs.
    pub fn open(language: Language) -> Result<Self> {
        let home = Home::find()?;
        let stack = home.running().with_context(|| {
            let folder = home.folder().display();
            language.say(
                format!("no stack runs in {folder}: start one with `toguna up`, or set TOGUNA_HOME to that of another"),
                format!(
                    "aucun ensemble ne tourne dans {folder} : lancez-en un par « toguna up », ou donnez dans \
                     TOGUNA_HOME le dossier d’un autre"
                ),
            )
        })?;
        Self::of(language, home.identity()?, &stack)
    }

    /// A stack that is known to run.
    pub fn of(language: Language, identity: Identity, stack: &StackFile) -> Result<Self> {
        let addresses = stack.services.iter().map(|(name, place)| (name.as_str(), place.address.as_str()));
        let services = Services::at(addresses, language)?;
        Ok(Self { language, identity, services })
    }

    /// A token of one who runs the services.
    pub fn administrator(&self) -> Result<String> {
        self.identity.token(&["administrator"], "partners/operator", "operator", SignedDuration::from_hours(1))
    }

    /// A token of one who may read every log and report.
    pub fn auditor(&self) -> Result<String> {
        self.identity.token(&["auditor"], "partners/auditor", "auditor", SignedDuration::from_hours(1))
    }
}
