//! `toguna log`: where the logs and their copies stand, and what was refused.

mod refusals;

use anyhow::{Context as _, Result, bail};
use contracts::toguna::operations::v1::{
    GetLogStatusRequest, LogStatus, RelayState, RelayStatus, operations_service_client::OperationsServiceClient,
};
use serde_json::{Map, Value};

use super::projections::{is_reason, message_json, moment, services_of};
use crate::{
    cli::Log,
    language::Language,
    local::hex,
    output::{self, Page},
    services::refusal::Refusal,
    session::Session,
    words,
};

pub(super) async fn run(log: &Log, language: Language, as_json: bool) -> Result<()> {
    let options = match log {
        Log::Status(options) => options,
        Log::Refusals(options) => return refusals::run(options, language, as_json).await,
    };
    let session = Session::open(language)?;
    let mut statuses = Vec::new();
    for service in services_of(&session, options)? {
        match ask(&session, &service).await {
            Ok(status) => statuses.push(status),
            // Asked for all, a service without a log has nothing to say.
            Err(error) if options.service.is_none() && is_reason(&error, "NO_LOG") => {}
            Err(error) => return Err(error),
        }
    }
    if as_json {
        let each =
            |status: &LogStatus| Ok((status.log.clone(), message_json(status, "toguna.operations.v1.LogStatus")?));
        output::json(&statuses.iter().map(each).collect::<Result<Map<String, Value>>>()?)?;
    } else {
        output::text(&text(&statuses, language)?)?;
    }
    let troubled = |status: &&LogStatus| relay_state(status) == RelayState::Retrying;
    let troubled: Vec<_> = statuses.iter().filter(troubled).map(|status| status.log.as_str()).collect();
    if !troubled.is_empty() {
        let logs = troubled.join(", ");
        bail!(language.say(
            format!("the copy of {logs} cannot be kept for now"),
            format!("la copie de {logs} ne peut être tenue à jour pour l’instant"),
        ));
    }
    Ok(())
}

async fn ask(session: &Session, service: &str) -> Result<LogStatus> {
    let mut client = OperationsServiceClient::new(session.services.channel(service)?);
    let request = session.services.request(&session.administrator()?, GetLogStatusRequest {})?;
    let answer = client.get_log_status(request).await.map_err(Refusal::from)?.into_inner();
    answer.status.context("the answer is a status")
}

fn relay_state(status: &LogStatus) -> RelayState {
    status.relay.as_ref().map_or(RelayState::Unspecified, RelayStatus::state)
}

fn text(statuses: &[LogStatus], language: Language) -> Result<String> {
    let mut page = Page::default();
    let header = language.say(
        ["Log", "Head", "Recorded", "Published", "Copy", "Compared", "up to", "Remade", "Epoch"],
        ["Journal", "Tête", "Enregistré", "Publié", "Copie", "Comparé", "jusqu’à", "Refaite", "Époque"],
    );
    let mut table = output::table(&header, 1..2);
    for status in statuses {
        let relay = status.relay.clone().unwrap_or_default();
        table.add_row([
            status.log.clone(),
            language.count(status.head),
            moment(status.recorded_at.as_ref())?,
            language.count(relay.published),
            words::named(language, relay.state().as_str_name(), "RELAY_STATE_"),
            moment(relay.audited_at.as_ref())?,
            language.count(relay.audited_to),
            language.count(relay.rebuilds),
            hex(&status.epoch)[..8].to_owned(),
        ]);
    }
    page.add(table.to_string());
    for status in statuses {
        if let Some(relay) = status.relay.as_ref().filter(|relay| !relay.error.is_empty()) {
            page.add(format!("{}: {}", status.log, relay.error));
        }
        for epoch in status.epochs.iter().skip(1) {
            let (after, at) = (language.count(epoch.began_after), moment(epoch.began_at.as_ref())?);
            page.add(language.say(
                format!("{}: restored to position {after} at {at}", status.log),
                format!("{}\u{202f}: restauré à la position {after} le {at}", status.log),
            ));
        }
    }
    Ok(page.text())
}
