//! `toguna report`: what oversight folds from all three logs.

use anyhow::{Context as _, Result};
use contracts::toguna::oversight::v1::{ContractChain, Scoreboard, Standpoint};
use jiff::Timestamp;
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde::Serialize;

use crate::{
    cli::{Report, View, wire_date},
    language::Language,
    output,
    records::{iso_date, time},
    services,
    session::Session,
    words,
};

pub(super) mod chain;
pub(super) mod portfolio;
pub(super) mod scoreboard;

pub(super) async fn run(report: &Report, language: Language, as_json: bool) -> Result<()> {
    let (Report::Portfolio { view, .. } | Report::Chain { view, .. } | Report::Scoreboard { view, .. }) = report;
    let session = Session::reach(&view.reach, language)?;
    match report {
        Report::Portfolio { country, fund, view } => {
            let query = portfolio::Query {
                fund: fund.clone().unwrap_or_default(),
                ..portfolio::Query::of(country, Vec::new())
            };
            let query = portfolio::Query { as_of: view.as_of.map(wire_date), known_at: known_at(view), ..query };
            show_portfolio(&portfolio::ask(&session, &query).await?, form(view, as_json), language)
        }
        Report::Chain { contract, view } => {
            show_chain(&chain::ask(&session, contract, view).await?, form(view, as_json), language)
        }
        Report::Scoreboard { framework, view } => {
            show_scoreboard(&scoreboard::ask(&session, framework, view).await?, form(view, as_json), language)
        }
    }
}

pub(super) fn show_portfolio(portfolio: &portfolio::Answer, form: Form, language: Language) -> Result<()> {
    match form {
        Form::Json => output::json(&portfolio.to_json()?),
        Form::Csv => output::csv(portfolio.to_rows()),
        Form::Text => output::text(&portfolio.to_text(language)?),
    }
}

pub(super) fn show_chain(chain: &ContractChain, form: Form, language: Language) -> Result<()> {
    match form {
        Form::Json => output::json(&proto_json(chain, "toguna.oversight.v1.ContractChain")?),
        Form::Csv => output::csv(chain::to_rows(chain)),
        Form::Text => output::text(&chain::to_text(chain, language)?),
    }
}

pub(super) fn show_scoreboard(scoreboard: &Scoreboard, form: Form, language: Language) -> Result<()> {
    match form {
        Form::Json => output::json(&proto_json(scoreboard, "toguna.oversight.v1.Scoreboard")?),
        Form::Csv => output::csv(scoreboard::to_rows(scoreboard)),
        Form::Text => output::text(&scoreboard::to_text(scoreboard, language)?),
    }
}

#[derive(Clone, Copy)]
pub(super) enum Form {
    Json,
    Csv,
    Text,
}

pub(super) fn form(view: &View, as_json: bool) -> Form {
    match (view.csv, as_json) {
        (true, _) => Form::Csv,
        (false, true) => Form::Json,
        (false, false) => Form::Text,
    }
}

fn known_at(view: &View) -> Option<prost_types::Timestamp> {
    view.known_at.map(wire_time)
}

fn wire_time(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// A report as JSON: the fields of its message, by their names in `proto/`.
fn proto_json(message: &impl Message, name: &str) -> Result<impl Serialize> {
    let descriptor = services::pool().get_message_by_name(name).with_context(|| format!("there is no {name}"))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// From where a report is seen, in a line.
fn standpoint(language: Language, standpoint: Option<&Standpoint>) -> Result<String> {
    let Some(standpoint) = standpoint else { return Ok(String::new()) };
    let as_of = words::date(language, standpoint.as_of.as_ref());
    let logs = standpoint.logs.iter().map(|log| format!("{} {}", log.log, log.position)).collect::<Vec<_>>().join(", ");
    let source = standpoint.latest_source.as_ref().map_or_else(|| "—".to_owned(), iso_date);
    Ok(match standpoint.known_at.as_ref().map(time).transpose()? {
        None => language.say(
            format!("As of {as_of}, as known now. Latest source: {source}. Logs read up to: {logs}."),
            format!("Situation au {as_of}, selon l’état actuel des journaux. Dernière source : {source}. Lus jusqu’à : {logs}."),
        ),
        Some(known_at) => language.say(
            format!("As of {as_of}, as known at {known_at}. Latest source: {source}. Logs read up to: {logs}."),
            format!("Situation au {as_of}, telle que connue le {known_at}. Dernière source : {source}. Lus jusqu’à : {logs}."),
        ),
    })
}
