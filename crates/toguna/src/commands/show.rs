//! `toguna show`: one resource, its events, its sources, and who corrected what.

use anyhow::{Context as _, Result, bail};
use contracts::toguna::log::v1::{ReplayFilter, ReplayLogRequest};
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, SerializeOptions, Value};
use serde::Serialize;
use serde_json::json;

use super::replay::{
    self,
    reading::{Reading, Stretch},
};
use crate::{
    cli::{Show, wire_date},
    language::Language,
    output::{self, Page},
    records::{Event, Source},
    services::{self, refusal::Refusal},
    session::Session,
};

pub(super) mod describe;

pub(super) async fn run(options: &Show, language: Language, as_json: bool) -> Result<()> {
    let session = Session::reach(&options.reach, language)?;
    let method = query(&options.resource, language)?;
    let state = state(&session, &method, options).await?;
    let service = services::owner(method.parent_service().package_name()).to_owned();
    let filter = ReplayFilter { stream: options.resource.clone(), ..ReplayFilter::default() };
    let request = ReplayLogRequest { filter: Some(filter), ..ReplayLogRequest::default() };
    let mut events = Vec::new();
    let reading = Reading::of(&session, &service, request);
    let read = reading.run(|stretch: Stretch| {
        for link in stretch.events {
            events.push(Event::read(&link.record)?);
        }
        Ok(())
    });
    read.await?;
    let (sources, corrections) = (sources(&events), corrections(&session, &events)?);
    if as_json {
        let options = SerializeOptions::new().use_proto_field_name(true);
        let state = state.serialize_with_options(serde_json::value::Serializer, &options)?;
        return output::json(
            &json!({ "state": state, "events": events, "sources": sources, "corrections": corrections }),
        );
    }
    let mut page = Page::default();
    page.add(options.resource.as_str());
    page.add(describe::message(&state, language));
    page.heading(language.say("Events", "Événements"));
    for event in &events {
        page.add(replay::line(event));
    }
    if !corrections.is_empty() {
        page.heading("Corrections");
        for correction in &corrections {
            page.add(format!("  {}", correction.line(language)));
        }
    }
    page.heading("Sources");
    for source in sources {
        page.add(format!("  {}", source_line(source)));
    }
    output::text(&page.text())
}

/// The query that answers for a resource: `GetDecision` for `decisions/…`.
fn query(resource: &str, language: Language) -> Result<MethodDescriptor> {
    let category = resource.split('/').next().unwrap_or_default();
    let mut name = String::from("Get");
    for word in category.strip_suffix('s').unwrap_or(category).split('-') {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        name.push_str(&first.to_uppercase());
        name.push_str(rest);
    }
    let gives_one =
        |method: &MethodDescriptor| method.name() == name && method.input().get_field_by_name("name").is_some();
    let found = services::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>()).find(gives_one);
    found.filter(|_| resource.contains('/')).with_context(|| {
        language.say(
            format!(
                "{resource:?} is no resource: write decisions/…, agreements/…, commitments/…, partners/… and the like"
            ),
            format!(
                "{resource:?} n’est pas une ressource : écrivez decisions/…, agreements/…, commitments/…, partners/…"
            ),
        )
    })
}

async fn state(session: &Session, method: &MethodDescriptor, options: &Show) -> Result<DynamicMessage> {
    let mut request = DynamicMessage::new(method.input());
    request.set_field_by_name("name", Value::String(options.resource.clone()));
    if let Some(date) = options.as_of {
        let Some(field) = method.input().get_field_by_name("as_of") else {
            bail!("{} has no as_of", method.full_name())
        };
        let kind = field.kind();
        let descriptor = kind.as_message().context("a date is a message")?;
        let mut as_of = DynamicMessage::new(descriptor.clone());
        as_of.transcode_from(&wire_date(date))?;
        request.set_field(&field, Value::Message(as_of));
    }
    let answer = session.answer(async || {
        let answer = session.services.call(method, &session.auditor()?, &request).await?;
        Ok(answer.map_err(Refusal::from)?)
    });
    let answer = answer.await?;
    // The resource is the answer's first field; etag and token stand beside it.
    let field = answer.descriptor().get_field(1).context("an answer to a query has the resource")?;
    answer.get_field(&field).as_message().cloned().context("a resource is a message")
}

fn sources(events: &[Event]) -> Vec<&Source> {
    let mut sources: Vec<&Source> = Vec::new();
    for source in events.iter().flat_map(|event| &event.sources) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

fn source_line(source: &Source) -> String {
    let date = source.issued_on.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
    let place = if source.location.is_empty() { String::new() } else { format!(" — {}", source.location) };
    format!("{} ({}, {}{date}){place}", source.title, source.kind, source.issuer)
}

/// A mistaken record, what a person proposed in its place, and whether a second one confirmed it.
#[derive(Debug, Serialize)]
struct Correction {
    mistaken_version: u64,
    proposal_version: u64,
    reason: String,
    proposed_by: Person,
    proposed_at: String,
    confirmed_by: Option<Person>,
    confirmed_at: Option<String>,
}

/// A person, as the log knows them, and by name where the directory beside the log does.
#[derive(Debug, Serialize)]
struct Person {
    pseudonym: String,
    name: Option<String>,
    organisation: String,
}

impl Person {
    fn of(session: &Session, event: &Event) -> Self {
        let pseudonym = event.actor.subject.clone();
        Self { name: session.person(&pseudonym), pseudonym, organisation: event.actor.organisation.clone() }
    }

    fn said(&self) -> String {
        let short = self.pseudonym.get(..12).unwrap_or(&self.pseudonym);
        self.name.clone().unwrap_or_else(|| format!("{short}… ({})", self.organisation))
    }
}

impl Correction {
    fn line(&self, language: Language) -> String {
        let (version, reason, by) = (self.mistaken_version, &self.reason, self.proposed_by.said());
        match &self.confirmed_by {
            Some(second) => language.say(
                format!("version {version}: proposed by {by}, confirmed by {}: {reason}", second.said()),
                format!("version {version} : proposée par {by}, confirmée par {} : {reason}", second.said()),
            ),
            None => language.say(
                format!("version {version}: proposed by {by}, not confirmed: {reason}"),
                format!("version {version} : proposée par {by}, non confirmée : {reason}"),
            ),
        }
    }
}

fn corrections(session: &Session, events: &[Event]) -> Result<Vec<Correction>> {
    let number = |event: &Event, field: &str| {
        let value = event.payload.get_field_by_name(field).and_then(|value| value.as_u64());
        value.with_context(|| format!("{} has {field}", event.r#type))
    };
    let mut corrections: Vec<Correction> = Vec::new();
    for event in events {
        match event.r#type.as_str() {
            "toguna.log.v1.CorrectionProposed" => corrections.push(Correction {
                mistaken_version: number(event, "mistaken_version")?,
                proposal_version: event.version,
                reason: event.reason.clone(),
                proposed_by: Person::of(session, event),
                proposed_at: event.recorded_at.clone(),
                confirmed_by: None,
                confirmed_at: None,
            }),
            "toguna.log.v1.RecordCorrected" => {
                let proposal = number(event, "proposal_version")?;
                if let Some(correction) = corrections.iter_mut().find(|it| it.proposal_version == proposal) {
                    correction.confirmed_by = Some(Person::of(session, event));
                    correction.confirmed_at = Some(event.recorded_at.clone());
                }
            }
            _ => {}
        }
    }
    Ok(corrections)
}

#[cfg(test)]
mod tests;
