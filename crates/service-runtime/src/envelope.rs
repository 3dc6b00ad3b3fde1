//! What every command says beside its own fields: its id, what the caller saw, and the act that it records.

use contracts::toguna::{errors::v1::ErrorReason, log::v1 as pb};
use event_store::{Act, Actor, Basis, Certainty, ConsistencyToken, Date, PartialDate, Source};
use tonic::Status;
use uuid::Uuid;

use crate::{authorisation::Ground, fields::Fields, status};

const MAX_REASON: usize = 500;
const MAX_SOURCES: usize = 20;
const MAX_SOURCE_TEXT: usize = 500;
const MAX_TOKENS: usize = 16;
/// Agreements and plans name dates decades ahead; a year beyond that is a typing error.
const YEARS_AHEAD: i16 = 50;

/// Whose act a command records: by the message, or where it says nothing, the caller's own.
fn whose<'a>(act: &'a pb::Act, organisation: &'a str) -> &'a str {
    if act.on_behalf_of.is_empty() { organisation } else { &act.on_behalf_of }
}

/// Whether a command records its act from a source. Where it does not say so, the act of another is so recorded, and
/// where it says what nobody understands, it is no act.
fn is_from_source(act: &pb::Act, organisation: &str) -> bool {
    match pb::Basis::try_from(act.basis) {
        Ok(pb::Basis::Act) => false,
        Ok(pb::Basis::Unspecified) => whose(act, organisation) != organisation,
        Ok(pb::Basis::RecordedFromSource) | Err(_) => true,
    }
}

/// What the policies are asked of a command.
pub(crate) fn ground<'a>(act: &'a pb::Act, organisation: &'a str) -> Ground<'a> {
    Ground::Act { on_behalf_of: whose(act, organisation), from_source: is_from_source(act, organisation) }
}

/// The act of a command, with what the caller left out.
pub(crate) fn act(fields: &mut Fields, act: &pb::Act, actor: Actor, today: Date) -> Result<Act, Status> {
    let own = whose(act, &actor.organisation) == actor.organisation;
    let on_behalf_of =
        if own { actor.organisation.clone() } else { fields.organisation("act.on_behalf_of", &act.on_behalf_of) };
    if pb::Basis::try_from(act.basis).is_err() {
        fields.violation("act.basis", UNKNOWN);
    }
    let from_source = is_from_source(act, &actor.organisation);
    let basis = if from_source { Basis::RecordedFromSource } else { Basis::Act };
    if basis == Basis::Act && !own {
        return Err(status::refused(ErrorReason::ActsForAnother)
            .with("organisation", actor.organisation)
            .with("on_behalf_of", act.on_behalf_of.clone())
            .into());
    }
    if basis == Basis::RecordedFromSource && act.sources.is_empty() {
        fields.violation(
            "act.sources",
            (
                "must name at least one source of what is recorded for another organisation or from a publication",
                "doit nommer au moins une source de ce qui est consigné pour une autre organisation ou d’après une publication",
            ),
        );
    }
    Ok(Act {
        actor,
        on_behalf_of,
        basis,
        effective_on: effective_on(fields, act, today),
        sources: sources(fields, &act.sources),
        certainty: certainty(fields, act.certainty),
        reason: fields.optional_text("act.reason", &act.reason, MAX_REASON).unwrap_or_default(),
        today,
    })
}

const UNKNOWN: (&str, &str) = ("has an unknown value", "a une valeur inconnue");

fn effective_on(fields: &mut Fields, act: &pb::Act, today: Date) -> Option<PartialDate> {
    let date = fields.optional_date("act.effective_on", act.effective_on.as_ref())?;
    if date.parts().0 > today.year() + YEARS_AHEAD {
        fields.violation(
            "act.effective_on",
            (
                format!("lies more than {YEARS_AHEAD} years ahead"),
                format!("se situe à plus de {YEARS_AHEAD} ans dans l’avenir"),
            ),
        );
    }
    Some(date)
}

fn certainty(fields: &mut Fields, value: i32) -> Certainty {
    match pb::Certainty::try_from(value) {
        Ok(pb::Certainty::Unspecified | pb::Certainty::Exact) => Certainty::Exact,
        Ok(pb::Certainty::Inferred) => Certainty::Inferred,
        Ok(pb::Certainty::Illustrative) => Certainty::Illustrative,
        Err(_) => {
            fields.violation("act.certainty", UNKNOWN);
            Certainty::Exact
        }
    }
}

fn sources(fields: &mut Fields, sources: &[pb::Source]) -> Vec<Source> {
    fields.at_most("act.sources", sources.len(), MAX_SOURCES);
    let few = sources.iter().take(MAX_SOURCES).enumerate();
    few.map(|(index, sent)| source(fields, &format!("act.sources[{index}]"), sent)).collect()
}

fn source(fields: &mut Fields, path: &str, sent: &pb::Source) -> Source {
    let title = fields.text(&format!("{path}.title"), &sent.title, MAX_SOURCE_TEXT);
    let mut optional = |name: &str, text: &str| {
        fields.optional_text(&format!("{path}.{name}"), text, MAX_SOURCE_TEXT).unwrap_or_default()
    };
    let kind = optional("kind", &sent.kind);
    let issuer = optional("issuer", &sent.issuer);
    let language_code = optional("language_code", &sent.language_code);
    let location = optional("location", &sent.location);
    if !matches!(sent.sha256.len(), 0 | 32) {
        fields.violation(
            format!("{path}.sha256"),
            ("must be empty or 32 bytes long", "doit être vide ou longue de 32 octets"),
        );
    }
    Source {
        title,
        kind,
        issuer,
        issued_on: fields.optional_date(&format!("{path}.issued_on"), sent.issued_on.as_ref()),
        language_code,
        location,
        sha256: sent.sha256.as_slice().try_into().ok(),
    }
}

/// The caller's id of a command.
pub(crate) fn request_id(fields: &mut Fields, text: &str) -> Uuid {
    uuid(text).unwrap_or_else(|| {
        let problem = (
            "must be a UUID of your own, the same when you send it again",
            "doit être un UUID de votre choix, le même à chaque renvoi",
        );
        fields.violation("request_id", problem);
        Uuid::nil()
    })
}

/// The undertaking that a command says it belongs to.
pub(crate) fn correlation_id(fields: &mut Fields, metadata: Option<&str>) -> Option<Uuid> {
    let id = uuid(metadata?);
    if id.is_none() {
        fields.violation("metadata correlation-id", ("must be a UUID", "doit être un UUID"));
    }
    id
}

fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| !id.is_nil())
}

/// The version that the caller saw.
pub(crate) fn expected_version(fields: &mut Fields, etag: &str) -> Option<u64> {
    if etag.is_empty() {
        return None;
    }
    let quoted = etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let version = quoted.and_then(|digits| digits.parse().ok());
    if version.map(crate::call::etag).as_deref() != Some(etag) {
        let problem = (
            "must be empty or an etag as an answer gave it, quotes included",
            "doit être vide ou un etag tel qu’une réponse l’a donné, guillemets droits compris",
        );
        fields.violation("etag", problem);
        return None;
    }
    version
}

/// What the call must have seen.
pub(crate) fn tokens(fields: &mut Fields, texts: &[String]) -> Vec<ConsistencyToken> {
    fields.at_most("at_least_as_fresh", texts.len(), MAX_TOKENS);
    let mut tokens = Vec::new();
    for (index, text) in texts.iter().take(MAX_TOKENS).enumerate() {
        match text.parse() {
            Ok(token) => tokens.push(token),
            Err(_) => fields.violation(
                format!("at_least_as_fresh[{index}]"),
                ("is not a consistency token", "n’est pas un jeton de cohérence"),
            ),
        }
    }
    tokens
}

#[cfg(test)]
mod tests;
