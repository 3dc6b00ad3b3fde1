//! Where a submission goes, who sends it, and where it is kept.

use std::{env, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use jiff::SignedDuration;
use serde::Deserialize;
use tonic::{
    codec::CompressionEncoding,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};

use crate::{
    cli::Submit,
    language::Language,
    local::{home::Home, identity::Identity, stack::SERVICES},
    services::Services,
    session::Session,
};

/// A machine on the way that forgets silent connections, and a line that is gone, are noticed so soon.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

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
        let compression = CompressionEncoding::Zstd;
        if options.servers.is_empty() {
            let session = Session::open(language)?;
            let (caller, organisation) = local_caller(options, session.identity, language)?;
            let outbox =
                options.outbox.clone().map_or_else(|| Home::find().map(|home| home.folder().join("outbox")), Ok);
            let services = session.services.compressed(compression);
            return Ok(Self { services, organisation, target: "local".to_owned(), outbox: outbox?, caller });
        }
        let file = options
            .token_file
            .clone()
            .with_context(|| language.say("say with --token who sends", "dites par --token qui envoie"))?;
        let addresses = addresses(&options.servers, language)?;
        let mut endpoints = Vec::new();
        for (name, url) in &addresses {
            endpoints.push((name.as_str(), url.as_str(), endpoint(url, options, language)?));
        }
        let services = Services::over(endpoints, language).compressed(compression);
        let target = addresses.iter().map(|(name, url)| format!("{name}={url}")).collect::<Vec<_>>().join(",");
        let outbox = options.outbox.clone().map_or_else(|| user_folder(language), Ok)?;
        let token = read_token(&file)?;
        let organisation = organisation(&token).with_context(|| file.display().to_string())?;
        Ok(Self { services, organisation, target, outbox, caller: Caller::File(file) })
    }

    /// The token of this moment: a file may be given a new one while a submission is under way.
    pub fn token(&self) -> Result<String> {
        match &self.caller {
            Caller::File(file) => {
                let token = read_token(file)?;
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

fn local_caller(options: &Submit, identity: Identity, language: Language) -> Result<(Caller, String)> {
    if let Some(file) = &options.token_file {
        let organisation = organisation(&read_token(file)?).with_context(|| file.display().to_string())?;
        return Ok((Caller::File(file.clone()), organisation));
    }
    let caller = options.caller.as_deref().and_then(|caller| caller.split_once('@'));
    let (roles, organisation) = caller.with_context(|| {
        language.say(
            "say who sends: --as ROLE@ORGANISATION, such as secretariat@ml-mmeia, or --token FILE",
            "dites qui envoie : --as RÔLE@ORGANISATION, par exemple secretariat@ml-mmeia, ou --token FICHIER",
        )
    })?;
    let organisation = organisation.strip_prefix("partners/").unwrap_or(organisation);
    let roles = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    let person = options.person.clone();
    Ok((Caller::Local { identity, roles, person, language }, format!("partners/{organisation}")))
}

fn read_token(file: &PathBuf) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(text.trim().to_owned())
}

fn organisation(token: &str) -> Result<String> {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).context("this is no token")?;
    Ok(claims.org)
}

/// Name and URL of each service, sorted by name.
fn addresses(servers: &[String], language: Language) -> Result<Vec<(String, String)>> {
    if let [one] = servers
        && !one.split("://").next().unwrap_or_default().contains('=')
    {
        return Ok(SERVICES.iter().map(|name| ((*name).to_owned(), one.clone())).collect());
    }
    let mut addresses = Vec::new();
    for server in servers {
        let (name, url) = server.split_once('=').with_context(|| {
            language.say(
                format!("{server}: several servers are named, such as partnerships=https://…"),
                format!("{server} : plusieurs serveurs se nomment, par exemple partnerships=https://…"),
            )
        })?;
        addresses.push((name.trim().to_owned(), url.trim().to_owned()));
    }
    addresses.sort();
    Ok(addresses)
}

fn endpoint(url: &str, options: &Submit, language: Language) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| url.to_owned())?;
    let endpoint = endpoint
        .connect_timeout(Duration::from_secs(20))
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    let Some(ca) = &options.ca else {
        bail!(language.say("say with --ca which certificates to trust", "dites par --ca à quels certificats se fier"));
    };
    let pem = fs::read(ca).with_context(|| ca.display().to_string())?;
    Ok(endpoint.tls_config(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))?)
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
