//! `toguna token`: a token of the local stack's own issuer.

use anyhow::{Context as _, Result, anyhow};
use jiff::SignedDuration;
use serde_json::json;

use crate::{cli::Token, language::Language, local::home::Home, output};

pub(super) fn run(options: &Token, language: Language, as_json: bool) -> Result<()> {
    let (roles, organisation) = options.caller.split_once('@').with_context(|| {
        language.say(
            "write ROLE@ORGANISATION, such as focal_point@ml-mmeia",
            "écrivez RÔLE@ORGANISATION : focal_point@ml-mmeia",
        )
    })?;
    let organisation = organisation.strip_prefix("partners/").unwrap_or(organisation);
    let roles: Vec<&str> = roles.split(',').filter(|role| !role.is_empty()).collect();
    let home = Home::find()?;
    home.make()?;
    let valid = SignedDuration::from_hours(options.hours.into());
    let token = home.identity()?.token_of(&roles, &format!("partners/{organisation}"), &options.person, valid)?;
    let token = token.map_err(|refused| {
        let (caller, person) = (&options.caller, &options.person);
        anyhow!("{caller}, {person}{} {}", language.say(":", "\u{202f}:"), refused.say(language))
    })?;
    if as_json { output::json(&json!({ "token": token })) } else { output::text(&token) }
}
