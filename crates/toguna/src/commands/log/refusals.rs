//! `toguna log refusals`: what the services refused to whom, and why.

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::{ListRefusalsRequest, Refusal as Entry, journal_service_client::JournalServiceClient};
use serde_json::{Map, Value};

use super::super::projections::{is_reason, message_json, moment, services_of};
use crate::{
    cli::Refusals,
    language::Language,
    output::{self, Page},
    services::refusal::Refusal,
    session::Session,
    words,
};

/// Refusals of a service that are shown where nobody says how many.
const SHOWN: usize = 100;
/// Refusals of one page.
const PAGE: usize = 500;
/// Signs of a pseudonym by which persons are told apart in a table.
const PSEUDONYM: usize = 8;

pub(super) async fn run(options: &Refusals, language: Language, as_json: bool) -> Result<()> {
    let session = Session::open(language)?;
    let mut journals = Vec::new();
    for service in services_of(&session, &options.of)? {
        match ask(&session, &service, options).await {
            Ok(entries) => journals.push((service, entries)),
            // Asked for all, a service without a log has nothing to say.
            Err(error) if options.of.service.is_none() && is_reason(&error, "UNKNOWN_METHOD") => {}
            Err(error) => return Err(error),
        }
    }
    if !as_json {
        return output::text(&text(&session, &journals, language)?);
    }
    let mut all = Map::new();
    for (service, entries) in &journals {
        let entries = entries.iter().map(|entry| message_json(entry, "toguna.log.v1.Refusal"));
        all.insert(service.clone(), Value::Array(entries.collect::<Result<_>>()?));
    }
    output::json(&all)
}

/// The newest entries of a service, page by page.
async fn ask(session: &Session, service: &str, options: &Refusals) -> Result<Vec<Entry>> {
    let mut client = JournalServiceClient::new(session.services.channel(service)?);
    let wanted = options.limit.map_or(SHOWN, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let organisation = options.organisation.as_deref().map(|id| format!("partners/{id}")).unwrap_or_default();
    let since = options
        .since
        .map(|since| prost_types::Timestamp { seconds: since.as_second(), nanos: since.subsec_nanosecond() });
    let (mut entries, mut page_token) = (Vec::new(), String::new());
    loop {
        let page_size = i32::try_from((wanted - entries.len()).min(PAGE)).context("a page is small")?;
        let organisation = organisation.clone();
        let asked =
            ListRefusalsRequest { page_size, page_token, organisation, since, ..ListRefusalsRequest::default() };
        let request = session.services.request(&session.auditor()?, asked)?;
        let answer = client.list_refusals(request).await.map_err(Refusal::from)?.into_inner();
        entries.extend(answer.refusals);
        page_token = answer.next_page_token;
        if page_token.is_empty() || entries.len() >= wanted {
            return Ok(entries);
        }
    }
}

fn text(session: &Session, journals: &[(String, Vec<Entry>)], language: Language) -> Result<String> {
    let mut page = Page::default();
    for (service, entries) in journals {
        page.heading(service.as_str());
        if entries.is_empty() {
            page.add(language.say("nothing was refused that is kept", "rien de ce qui est consigné n’a été refusé"));
            continue;
        }
        let header = language.say(
            ["Refused", "To", "Person", "Kind", "Reason", "Call", "Resource", "Values"],
            ["Refusé", "À", "Personne", "Nature", "Motif", "Appel", "Ressource", "Valeurs"],
        );
        let mut table = output::table(&header, 0..0);
        for entry in entries {
            table.add_row(row(session, entry, language)?);
        }
        page.add(table.to_string());
    }
    Ok(page.text().trim_start().to_owned())
}

fn row(session: &Session, entry: &Entry, language: Language) -> Result<[String; 8]> {
    let actor = entry.actor.clone().unwrap_or_default();
    let organisation = actor.organisation.trim_start_matches("partners/");
    let whose = entry.on_behalf_of.trim_start_matches("partners/");
    let to = if whose.is_empty() || whose == organisation {
        organisation.to_owned()
    } else {
        language.say(format!("{organisation} for {whose}"), format!("{organisation} pour {whose}"))
    };
    let reason = match entry.count {
        0 | 1 => entry.reason.clone(),
        count => format!("{} × {}", language.count(count), entry.reason),
    };
    let call = entry.method.rsplit('/').next().unwrap_or_default();
    let dry = if entry.validate_only { language.say(" (dry run)", " (à blanc)") } else { "" };
    let values = entry.values.iter().filter(|value| value.value != entry.resource);
    let values: Vec<_> =
        values.map(|value| format!("{} {}", words::field(language, &value.key), value.value)).collect();
    Ok([
        moment(entry.refused_at.as_ref())?,
        to,
        person(session, &actor.subject),
        words::named(language, entry.kind().as_str_name(), "REFUSAL_KIND_"),
        reason,
        format!("{call}{dry}"),
        entry.resource.clone(),
        values.join(", "),
    ])
}

/// The name of a person whom the local directory knows; otherwise the beginning of the pseudonym.
fn person(session: &Session, pseudonym: &str) -> String {
    session.person(pseudonym).unwrap_or_else(|| pseudonym.get(..PSEUDONYM).unwrap_or_default().to_owned())
}
