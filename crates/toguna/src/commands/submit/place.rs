//! Where a submission goes, who sends it, and where it is kept.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use jiff::SignedDuration;
use serde::Deserialize;
use tonic::codec::CompressionEncoding;

use crate::{
    cli::Submit,
    language::Language,
    local::{home::Home, identity::Identity},
    services::Services,
    session::{Session, remote},
};

pub(super) struct Place {
    pub services: Services,
    /// The partner for whom the rows are sent: `partners/…`.
    pub organisation: String,
    /// Where the services are, as the outbox remembers it.
    pub target: String,
    pub outbox: PathBuf,
    caller: Caller,
}

enum Caller {
    File(PathBuf),
    Local { identity: Identity, roles: Vec<String>, person: String, language: Language },
}

/// What a token says; whether it is true the services see.
#[derive(Deserialize)]
struct Claims {
    org: String,
}

impl Place {
    pub fn find(options: &Submit, language: Language) -> Result<Self> {
        let reach = &options.reach;
        let services = Session::reach(reach, language)?.services.compressed(CompressionEncoding::Zstd);
        if reach.servers.is_empty() {
            let (caller, organisation) = caller(options, language)?;
            let outbox =
                options.outbox.clone().map_or_else(|| Home::find().map(|home| home.folder().join("outbox")), Ok);
            return Ok(Self { services, organisation, target: "local".to_owned(), outbox: outbox?, caller });
        }
        let addresses = remote::addresses(&reach.servers, language)?;
        let target = addresses.iter().map(|(name, url)| format!("{name}={url}")).collect::<Vec<_>>().join(",");
        let outbox = options.outbox.clone().map_or_else(|| user_folder(language), Ok)?;
        let (caller, organisation) = caller(options, language)?;
        Ok(Self { services, organisation, target, outbox, caller })
    }

    /// The token of this moment: a file may be given a new one while a submission is under way.
    pub fn token(&self) -> Result<String> {
        match &self.caller {
            Caller::File(file) => {
                let token = remote::read_token(file)?;
                let now = organisation(&token)?;
                ensure!(now == self.organisation, "{} speaks for {now} now", file.display());
                Ok(token)
            }
            Caller::Local { identity, roles, person, language } => {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                let token = identity.token_of(&roles, &self.organisation, person, SignedDuration::from_mins(15))?;
                token.map_err(|refused| {
                    let of = self.organisation.trim_start_matches("partners/");
                    anyhow!("{person}@{of}{} {}", language.say(":", "\u{202f}:"), refused.say(*language))
                })
            }
        }
    }
}

fn caller(options: &Submit, language: Language) -> Result<(Caller, String)> {
    if let Some(file) = &options.reach.token_file {
        let organisation = organisation(&remote::read_token(file)?).with_context(|| file.display().to_string())?;
        return Ok((Caller::File(file.clone()), organisation));
    }
    let asked = options.caller.as_deref().and_then(|caller| caller.split_once('@'));
    let (roles, organisation) = asked.with_context(|| {
        language.say(
            "say who sends: --as ROLE@ORGANISATION, such as secretariat@ml-mmeia, or --token FILE",
            "dites qui envoie : --as RÔLE@ORGANISATION, par exemple secretariat@ml-mmeia, ou --token FICHIER",
        )
    })?;
    let organisation = organisation.strip_prefix("partners/").unwrap_or(organisation);
    let roles = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    let (identity, person) = (Home::find()?.identity()?, options.person.clone());
    Ok((Caller::Local { identity, roles, person, language }, format!("partners/{organisation}")))
}

fn organisation(token: &str) -> Result<String> {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).context("this is no token")?;
    Ok(claims.org)
}

/// `toguna/outbox` in the folder where the user's programs keep their data.
fn user_folder(language: Language) -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    let data = data.with_context(|| {
        language.say("say with --outbox where to keep the rows", "dites par --outbox où garder les lignes")
    })?;
    Ok(data.join("toguna/outbox"))
}
