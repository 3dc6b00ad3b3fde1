//! What funds decided, contracted, paid and recovered for a country.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use contracts::toguna::{
    oversight::v1::{
        Figure, GetPortfolioRequest, Portfolio, PortfolioFigures, PortfolioGroup, PortfolioLine,
        oversight_service_client::OversightServiceClient,
    },
    r#type::v1::{Date, LocalizedText, Money},
};
use serde::Serialize;
use tonic::codec::CompressionEncoding;

use crate::{
    language::{Language, decimal},
    output::{self, Page},
    records::{certainty, iso_date, time},
    services::refusal::Refusal,
    session::Session,
    words,
};

/// What is asked.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Query {
    pub(in crate::commands) country: String,
    pub(in crate::commands) fund: String,
    pub(in crate::commands) as_of: Option<Date>,
    pub(in crate::commands) known_at: Option<prost_types::Timestamp>,
    /// What the answer must have seen.
    pub(in crate::commands) tokens: Vec<String>,
}

impl Query {
    /// A country's portfolio today.
    pub(in crate::commands) fn of(country: &str, tokens: Vec<String>) -> Self {
        Self { country: country.to_owned(), fund: String::new(), as_of: None, known_at: None, tokens }
    }
}

/// The answer.
#[derive(Debug)]
pub(in crate::commands) struct Answer(Portfolio);

pub(in crate::commands) async fn ask(session: &Session, query: &Query) -> Result<Answer> {
    let request = GetPortfolioRequest {
        country_code: query.country.clone(),
        fund: query.fund.clone(),
        as_of: query.as_of,
        known_at: query.known_at,
        at_least_as_fresh: query.tokens.clone(),
    };
    let client = OversightServiceClient::new(session.services.channel("oversight")?);
    let client = client.accept_compressed(CompressionEncoding::Zstd);
    let answer = session.answer(async || {
        let request = session.services.request(&session.auditor()?, request.clone())?;
        Ok(client.clone().get_portfolio(request).await.map_err(Refusal::from)?.into_inner())
    });
    let answer = answer.await?;
    Ok(Answer(answer.portfolio.context("the answer is a portfolio")?))
}

impl From<Portfolio> for Answer {
    fn from(portfolio: Portfolio) -> Self {
        Self(portfolio)
    }
}

/// Sums by currency, in decimal notation.
type Amounts = BTreeMap<String, String>;

/// A portfolio as programs read it.
#[derive(Debug, Serialize)]
struct Json {
    country: String,
    fund: Option<String>,
    as_of: Option<String>,
    known_at: Option<String>,
    #[serde(flatten)]
    own: GroupJson,
    /// Decisions for several countries, at their whole amount: in no total of the country.
    regional: GroupJson,
    /// Units of XOF for one EUR, exactly; derived amounts are rounded half up, once, on the sum.
    parity: Option<String>,
    latest_source: Option<String>,
    logs: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct GroupJson {
    decisions: u32,
    /// Decided, gross: approved and top-ups.
    total: Amounts,
    /// The total in the other currency of the parity.
    derived: Amounts,
    #[serde(flatten)]
    figures: FiguresJson,
    lines: Vec<LineJson>,
}

#[derive(Debug, Serialize)]
struct FiguresJson {
    approved: Amounts,
    topped_up: Amounts,
    decommitted: Amounts,
    decided_net: Amounts,
    contracted: Amounts,
    cofinancing: Amounts,
    paid: Amounts,
    recovered: Amounts,
    certainty: String,
    unconfirmed: bool,
}

#[derive(Debug, Serialize)]
struct LineJson {
    decision: String,
    reference: String,
    title: Option<TitleJson>,
    window: String,
    strategic_objectives: Vec<String>,
    countries: Vec<String>,
    approved_on: Option<String>,
    decided: Amounts,
    derived: Amounts,
    #[serde(flatten)]
    figures: FiguresJson,
    latest_source: Option<String>,
}

#[derive(Debug, Serialize)]
struct TitleJson {
    fr: Option<String>,
    en: Option<String>,
}

impl Answer {
    /// For programs.
    pub(in crate::commands) fn to_json(&self) -> Result<impl Serialize + use<>> {
        let Self(portfolio) = self;
        let standpoint = portfolio.standpoint.clone().unwrap_or_default();
        Ok(Json {
            country: portfolio.country_code.clone(),
            fund: Some(portfolio.fund.clone()).filter(|fund| !fund.is_empty()),
            as_of: standpoint.as_of.as_ref().map(iso_date),
            known_at: standpoint.known_at.as_ref().map(time).transpose()?,
            own: group_json(portfolio.own.as_ref()),
            regional: group_json(portfolio.regional.as_ref()),
            parity: portfolio.parity.as_ref().and_then(|parity| parity.rate.as_ref()).map(|rate| rate.value.clone()),
            latest_source: standpoint.latest_source.as_ref().map(iso_date),
            logs: standpoint.logs.into_iter().map(|log| (log.log, log.position)).collect(),
        })
    }

    /// For spreadsheets: one line a decision and currency.
    pub(in crate::commands) fn to_rows(&self) -> Vec<Vec<String>> {
        let header = [
            "group",
            "decision",
            "reference",
            "title_fr",
            "title_en",
            "approved_on",
            "currency",
            "decided",
            "contracted",
            "cofinancing",
            "paid",
            "recovered",
            "certainty",
            "unconfirmed",
            "latest_source",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for (group, name) in [(&self.0.own, "own"), (&self.0.regional, "regional")] {
            rows.extend(group.iter().flat_map(|group| &group.lines).flat_map(|line| csv_rows(name, line)));
        }
        rows
    }

    /// For people.
    pub(in crate::commands) fn to_text(&self, language: Language) -> Result<String> {
        let Self(portfolio) = self;
        let country = &portfolio.country_code;
        let mut page = Page::default();
        page.add(language.say(
            format!("Portfolio of {country}, decisions of its own"),
            format!("Portefeuille de {country}, décisions propres"),
        ));
        page.add(super::standpoint(language, portfolio.standpoint.as_ref())?);
        page.add(group_text(language, portfolio.own.as_ref()));
        if portfolio.regional.as_ref().is_some_and(|group| !group.lines.is_empty()) {
            page.heading(language.say(
                "Decisions for several countries, at their whole amount; in no total above",
                "Décisions pour plusieurs pays, pour leur montant entier ; dans aucun total ci-dessus",
            ));
            page.add(group_text(language, portfolio.regional.as_ref()));
        }
        page.add(words::legend(language));
        page.add(language.say(
            "1 EUR = 655.957 XOF exactly; XOF derived from the sum, rounded half up. * translation of ours.",
            "1 EUR = 655,957 XOF exactement ; XOF calculés sur la somme, arrondis au plus près. * traduction par nos soins.",
        ));
        Ok(page.text())
    }
}

fn group_json(group: Option<&PortfolioGroup>) -> GroupJson {
    let group = group.cloned().unwrap_or_default();
    let total = group.total.unwrap_or_default();
    let decided = total.decided_gross.clone().unwrap_or_default();
    GroupJson {
        decisions: group.decisions,
        total: amounts(&decided.amounts),
        derived: amounts(&decided.derived),
        figures: figures_json(&total),
        lines: group.lines.iter().map(line_json).collect(),
    }
}

fn line_json(line: &PortfolioLine) -> LineJson {
    let figures = line.figures.clone().unwrap_or_default();
    let decided = figures.decided_gross.clone().unwrap_or_default();
    LineJson {
        decision: line.decision.clone(),
        reference: line.reference.clone(),
        title: line.title.as_ref().map(title_json),
        window: line.window.clone(),
        strategic_objectives: line.strategic_objectives.clone(),
        countries: line.country_codes.clone(),
        approved_on: line.approved_on.as_ref().map(iso_date),
        decided: amounts(&decided.amounts),
        derived: amounts(&decided.derived),
        figures: figures_json(&figures),
        latest_source: line.latest_source.as_ref().map(iso_date),
    }
}

fn title_json(title: &LocalizedText) -> TitleJson {
    TitleJson {
        fr: title.fr.as_ref().map(|wording| wording.text.clone()),
        en: title.en.as_ref().map(|wording| wording.text.clone()),
    }
}

fn figures_json(figures: &PortfolioFigures) -> FiguresJson {
    let of = |figure: &Option<Figure>| amounts(figure.as_ref().map_or(&[], |figure| &figure.amounts));
    let decided = figures.decided_gross.clone().unwrap_or_default();
    FiguresJson {
        approved: of(&figures.approved),
        topped_up: of(&figures.topped_up),
        decommitted: of(&figures.decommitted),
        decided_net: of(&figures.decided_net),
        contracted: of(&figures.contracted),
        cofinancing: of(&figures.cofinancing),
        paid: of(&figures.paid),
        recovered: of(&figures.recovered),
        certainty: certainty(decided.certainty()),
        unconfirmed: decided.unconfirmed,
    }
}

fn amounts(amounts: &[Money]) -> Amounts {
    amounts.iter().map(|it| (it.currency_code.clone(), decimal(&it.currency_code, it.minor_units))).collect()
}

fn csv_rows(group: &str, line: &PortfolioLine) -> Vec<Vec<String>> {
    let line = line_json(line);
    let title = line.title.unwrap_or(TitleJson { fr: None, en: None });
    let in_currency = |amounts: &Amounts, currency: &String| amounts.get(currency).cloned().unwrap_or_default();
    let row = |currency: &String| {
        vec![
            group.to_owned(),
            line.decision.clone(),
            line.reference.clone(),
            title.fr.clone().unwrap_or_default(),
            title.en.clone().unwrap_or_default(),
            line.approved_on.clone().unwrap_or_default(),
            currency.clone(),
            in_currency(&line.decided, currency),
            in_currency(&line.figures.contracted, currency),
            in_currency(&line.figures.cofinancing, currency),
            in_currency(&line.figures.paid, currency),
            in_currency(&line.figures.recovered, currency),
            line.figures.certainty.clone(),
            line.figures.unconfirmed.to_string(),
            line.latest_source.clone().unwrap_or_default(),
        ]
    };
    // Co-financing may be in a currency in which nothing was decided.
    let currencies = [&line.decided, &line.figures.contracted, &line.figures.cofinancing, &line.figures.paid];
    let currencies: std::collections::BTreeSet<&String> = currencies.into_iter().flat_map(BTreeMap::keys).collect();
    currencies.into_iter().map(row).collect()
}

fn group_text(language: Language, group: Option<&PortfolioGroup>) -> String {
    let group = group.cloned().unwrap_or_default();
    let header = language.say(
        ["Reference", "Title", "Approved", "Decided", "Contracted", "Paid"],
        ["Référence", "Intitulé", "Approuvé", "Décidé", "Contracté", "Payé"],
    );
    let mut table = output::table(&header, 3..6);
    for line in &group.lines {
        let figures = line.figures.clone().unwrap_or_default();
        table.add_row([
            if line.reference.is_empty() { line.decision.clone() } else { line.reference.clone() },
            words::text(language, line.title.as_ref()),
            words::date(language, line.approved_on.as_ref()),
            words::figure(language, figures.decided_gross.as_ref()),
            words::figure(language, figures.contracted.as_ref()),
            words::figure(language, figures.paid.as_ref()),
        ]);
    }
    let total = group.total.unwrap_or_default();
    let derived = |figure: &Option<Figure>| {
        let derived = figure.as_ref().map_or(&[][..], |figure| &figure.derived);
        if derived.is_empty() { String::new() } else { words::amounts(language, derived) }
    };
    let count = language.count(group.decisions.into());
    let decisions = match (group.decisions, language) {
        (1, Language::En) => "1 decision".to_owned(),
        (0 | 1, Language::Fr) => format!("{count} décision"),
        (_, Language::En) => format!("{count} decisions"),
        (_, Language::Fr) => format!("{count} décisions"),
    };
    table.add_row([
        decisions,
        String::new(),
        String::new(),
        words::figure(language, total.decided_gross.as_ref()),
        words::figure(language, total.contracted.as_ref()),
        words::figure(language, total.paid.as_ref()),
    ]);
    let derived = [&total.decided_gross, &total.contracted, &total.paid].map(derived);
    if derived.iter().any(|amount| !amount.is_empty()) {
        let [decided, contracted, paid] = derived;
        table.add_row([String::new(), String::new(), "=".to_owned(), decided, contracted, paid]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests;
