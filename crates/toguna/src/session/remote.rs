//! Services that run elsewhere, by their URLs.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::{cli::Reach, language::Language, local::stack::SERVICES, services::Services};

/// A machine on the way that forgets silent connections, and a line that is gone, are noticed so soon.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The services that are meant.
pub(super) fn services(options: &Reach, language: Language) -> Result<Services> {
    let addresses = addresses(&options.servers, language)?;
    let mut endpoints = Vec::new();
    for (name, url) in &addresses {
        endpoints.push((name.as_str(), url.as_str(), endpoint(url, options, language)?));
    }
    Ok(Services::over(endpoints, language))
}

/// Name and URL of each service, in an order that stays.
pub(crate) fn addresses(servers: &[String], language: Language) -> Result<Vec<(String, String)>> {
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
                format!("{server}\u{202f}: plusieurs serveurs se nomment, par exemple partnerships=https://…"),
            )
        })?;
        addresses.push((name.trim().to_owned(), url.trim().to_owned()));
    }
    addresses.sort();
    Ok(addresses)
}

/// The token in a file, as it is now.
pub(crate) fn read_token(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(text.trim().to_owned())
}

fn endpoint(url: &str, options: &Reach, language: Language) -> Result<Endpoint> {
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
