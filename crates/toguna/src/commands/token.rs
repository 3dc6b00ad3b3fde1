//! `toguna token`: a token of the local stack's own issuer.

use anyhow::{Context as _, Result};
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
    // Persons of different organisations are different persons, whatever they are called.
    let person = format!("{}@{organisation}", options.person);
    let valid = SignedDuration::from_hours(options.hours.into());
    let token = home.identity()?.token(&roles, &format!("partners/{organisation}"), &person, valid)?;
    if as_json { output::json(&json!({ "token": token })) } else { output::text(&token) }
}
