//! The chain of a contract: from the agreement to the last payment and the values measured.

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::Basis;
use contracts::toguna::oversight::v1::{
    ChainAgreement, ChainCommitment, ContractChain, CountedRecord, Figure, GetContractChainRequest, Measurement,
    oversight_service_client::OversightServiceClient,
};
use tonic::codec::CompressionEncoding;

use super::known_at;
use crate::{
    cli::{View, wire_date},
    language::Language,
    output::{self, Page},
    records::{certainty, iso_date},
    services::refusal::Refusal,
    session::Session,
    words,
};

pub(super) async fn ask(session: &Session, contract: &str, view: &View) -> Result<ContractChain> {
    let request = GetContractChainRequest {
        contract: contract.to_owned(),
        as_of: view.as_of.map(wire_date),
        known_at: known_at(view),
        at_least_as_fresh: Vec::new(),
    };
    let client = OversightServiceClient::new(session.services.channel("oversight")?);
    let client = client.accept_compressed(CompressionEncoding::Zstd);
    let answer = session.answer(async || {
        let request = session.services.request(&session.auditor()?, request.clone())?;
        Ok(client.clone().get_contract_chain(request).await.map_err(Refusal::from)?.into_inner())
    });
    let answer = answer.await?;
    answer.chain.context("the answer is a chain")
}

/// For spreadsheets: one line a record of the chain.
pub(super) fn to_rows(chain: &ContractChain) -> Vec<Vec<String>> {
    let header =
        ["link", "resource", "event", "effective_on", "on_behalf_of", "certainty", "log", "position", "reason"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let agreements = chain.agreements.iter().flat_map(|it| it.records.iter().map(|record| ("agreement", record)));
    let commitments = chain.commitments.iter().flat_map(|it| it.records.iter().map(|record| ("commitment", record)));
    let decision = chain.decision.iter().flat_map(|it| it.records.iter().map(|record| ("decision", record)));
    let contract = chain.contract.iter().flat_map(|it| it.records.iter().map(|record| ("contract", record)));
    let payments = chain.payments.iter().filter_map(|it| it.record.as_ref().map(|record| ("payment", record)));
    let values = chain.measurements.iter().flat_map(|it| it.values.iter().filter_map(|value| value.record.as_ref()));
    let values = values.map(|record| ("value", record));
    let records = agreements.chain(commitments).chain(decision).chain(contract).chain(payments).chain(values);
    rows.extend(records.map(|(link, record)| row(link, record)));
    rows
}

fn row(link: &str, record: &CountedRecord) -> Vec<String> {
    let provenance = record.provenance.clone().unwrap_or_default();
    vec![
        link.to_owned(),
        record.stream.clone(),
        event(record).to_owned(),
        provenance.effective_on.as_ref().map(iso_date).unwrap_or_default(),
        provenance.on_behalf_of.clone(),
        certainty(provenance.certainty()),
        record.log.clone(),
        record.position.to_string(),
        provenance.reason,
    ]
}

fn event(record: &CountedRecord) -> &str {
    record.r#type.rsplit('.').next().unwrap_or_default()
}

/// For people.
pub(super) fn to_text(chain: &ContractChain, language: Language) -> Result<String> {
    let mut page = Page::default();
    page.add(super::standpoint(language, chain.standpoint.as_ref())?);
    let values = chain.measurements.iter().map(|it| measurement(it, language)).collect();
    let links = [
        (language.say("Agreements", "Accords"), agreements(chain, language)),
        (language.say("Commitments", "Engagements politiques"), commitments(chain, language)),
        (language.say("Decision", "Décision"), decision(chain, language)),
        (language.say("Contract", "Contrat"), contract(chain, language)),
        (language.say("Payments", "Paiements"), payments(chain, language)),
        (language.say("Values", "Valeurs"), values),
    ];
    for (title, lines) in links {
        page.heading(title);
        if lines.is_empty() {
            page.add(language.say("  none", "  néant"));
        }
        for line in lines {
            page.add(format!("  {line}"));
        }
    }
    page.heading(words::legend(language));
    Ok(page.text())
}

fn agreements(chain: &ContractChain, language: Language) -> Vec<String> {
    let line = |it: &ChainAgreement| {
        let phase = words::named(language, it.phase().as_str_name(), "AGREEMENT_PHASE_");
        let nature = words::named(language, it.nature().as_str_name(), "AGREEMENT_NATURE_");
        format!("{}  {} ({phase}, {nature})", it.agreement, words::text(language, it.title.as_ref()))
    };
    chain.agreements.iter().map(line).collect()
}

fn commitments(chain: &ContractChain, language: Language) -> Vec<String> {
    let line = |it: &ChainCommitment| {
        let status = words::named(language, it.status().as_str_name(), "COMMITMENT_STATUS_");
        format!("{}  {} ({}, {status})", it.commitment, words::text(language, it.text.as_ref()), it.owner)
    };
    chain.commitments.iter().map(line).collect()
}

fn decision(chain: &ContractChain, language: Language) -> Vec<String> {
    let Some(it) = &chain.decision else { return Vec::new() };
    let title = words::text(language, it.title.as_ref());
    vec![
        format!("{}  {} {title}", it.decision, it.reference),
        amount(language, language.say("decided", "décidé"), it.decided_gross.as_ref()),
    ]
}

fn contract(chain: &ContractChain, language: Language) -> Vec<String> {
    let Some(it) = &chain.contract else { return Vec::new() };
    let state = words::named(language, it.state().as_str_name(), "CONTRACT_STATE_");
    let period = words::period(language, it.period.as_ref());
    vec![
        format!("{}  {} {}", it.contract, it.reference, words::text(language, it.title.as_ref())),
        format!("{}, {period} ({state})", it.implementer),
        amount(language, language.say("contracted", "contracté"), it.contracted.as_ref()),
        amount(language, language.say("co-financing", "cofinancement"), it.cofinancing.as_ref()),
        amount(language, language.say("paid", "payé"), it.paid.as_ref()),
        amount(language, language.say("recovered", "recouvré"), it.recovered.as_ref()),
    ]
}

fn amount(language: Language, what: &str, figure: Option<&Figure>) -> String {
    let derived = figure.map_or(&[][..], |figure| &figure.derived);
    let amount = words::figure(language, figure);
    if derived.is_empty() {
        format!("{what:<14} {amount}")
    } else {
        format!("{what:<14} {amount}  = {}", words::amounts(language, derived))
    }
}

fn payments(chain: &ContractChain, language: Language) -> Vec<String> {
    if chain.payments.is_empty() {
        return Vec::new();
    }
    let header =
        language.say(["Payment", "Kind", "Date", "Amount", "", ""], ["Paiement", "Nature", "Date", "Montant", "", ""]);
    let mut table = output::table(&header, 3..5);
    for it in &chain.payments {
        let provenance = it.record.as_ref().and_then(|record| record.provenance.clone()).unwrap_or_default();
        table.add_row([
            it.payment.clone(),
            words::named(language, it.kind().as_str_name(), "PAYMENT_KIND_"),
            words::date(language, provenance.effective_on.as_ref()),
            words::money(language, it.amount.as_ref()),
            words::money(language, it.derived.as_ref()),
            words::marks(provenance.certainty(), provenance.basis() == Basis::RecordedFromSource),
        ]);
    }
    table.lines().collect()
}

/// One indicator's values of one subject: all of them, also where they contradict each other.
pub(super) fn measurement(it: &Measurement, language: Language) -> String {
    let definition = it.definition.clone().unwrap_or_default();
    let title = words::text(language, definition.title.as_ref());
    let unit = words::plain(language, definition.unit.as_ref());
    let values: Vec<String> = it.values.iter().map(|value| quantity(value.value.as_ref(), language)).collect();
    let values = values.join(" / ");
    let conflict =
        if it.conflicting { language.say(" (conflicting: all stand)", " (en conflit : toutes demeurent)") } else { "" };
    format!("{} {title}: {values} {unit}{conflict}  {}", definition.code, it.subject)
}

fn quantity(quantity: Option<&contracts::toguna::commitments::events::v1::Quantity>, language: Language) -> String {
    use contracts::toguna::commitments::events::v1::Qualifier;
    let Some(quantity) = quantity else { return "—".to_owned() };
    let value = quantity.value.as_ref().map_or_else(|| "—".to_owned(), |value| words::number(language, &value.value));
    match quantity.qualifier() {
        Qualifier::Unspecified | Qualifier::Exact => value,
        Qualifier::About => format!("≈ {value}"),
        Qualifier::AtLeast => format!("≥ {value}"),
        Qualifier::InWords => format!("« {} »", words::plain(language, quantity.words.as_ref())),
    }
}
