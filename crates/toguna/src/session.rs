//! The services, as a command finds them: the stack that runs here, or those behind an address.

pub(crate) mod remote;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;

use crate::{
    cli::Reach,
    language::Language,
    local::{
        home::{Home, StackFile},
        identity::Identity,
    },
    services::{Services, pauses::Pauses, refusal::Refusal},
};

/// How long a stack of this machine may have no answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a command works with.
#[derive(Debug)]
pub struct Session {
    /// The language of the output.
    pub language: Language,
    /// The services.
    pub services: Services,
    /// How long they may be silent.
    pub patience: Duration,
    caller: Caller,
}

/// Who calls.
#[derive(Debug)]
enum Caller {
    /// Whoever the stack's own issuer says.
    Local(Identity),
    /// Whoever the token in this file is for.
    File(PathBuf),
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
        Ok(Self { language, services, patience: PATIENCE, caller: Caller::Local(identity) })
    }

    /// The services that were asked for: those of servers that are named, else the stack of this environment.
    pub fn reach(options: &Reach, language: Language) -> Result<Self> {
        let patience = Duration::from_secs(options.patience);
        let caller = options.token_file.clone().map(Caller::File);
        if options.servers.is_empty() {
            let stack = Self::open(language)?;
            return Ok(Self { patience, caller: caller.unwrap_or(stack.caller), ..stack });
        }
        let caller =
            caller.with_context(|| language.say("say with --token who calls", "dites par --token qui appelle"))?;
        Ok(Self { language, services: remote::services(options, language)?, patience, caller })
    }

    /// The keys of the local stack.
    pub fn identity(&self) -> Result<&Identity> {
        match &self.caller {
            Caller::Local(identity) => Ok(identity),
            Caller::File(file) => bail!(self.language.say(
                format!("only the stack’s own keys can do this, not the token in {}", file.display()),
                format!("seules les clés de l’ensemble le peuvent, pas le jeton de {}", file.display()),
            )),
        }
    }

    /// The name of a person whom the directory of the local stack knows.
    pub fn person(&self, pseudonym: &str) -> Option<String> {
        self.identity().ok()?.person(pseudonym)
    }

    /// A token of one who runs the services.
    pub fn administrator(&self) -> Result<String> {
        self.identity()?.token(&["administrator"], "partners/operator", "operator", SignedDuration::from_hours(1))
    }

    /// A token of one who reads: of the local stack one who may read every log and report, else the caller’s own.
    pub fn auditor(&self) -> Result<String> {
        match &self.caller {
            Caller::Local(identity) => {
                identity.token(&["auditor"], "partners/auditor", "auditor", SignedDuration::from_hours(1))
            }
            Caller::File(file) => remote::read_token(file),
        }
    }

    /// The answer to a query, which is asked again where the line lost it, for as long as one is patient.
    pub async fn answer<A>(&self, mut ask: impl AsyncFnMut() -> Result<A>) -> Result<A> {
        let mut pauses = Pauses::new(Some(self.patience), self.language);
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => pauses.after(error.downcast::<Refusal>()?).await?,
            }
        }
    }
}
