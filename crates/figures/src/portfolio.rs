//! What funds decided, contracted, paid and recovered for a country.

use std::collections::HashMap;

use contracts::toguna::{disbursements::events::v1 as events, oversight::v1 as pb, r#type::v1::Date};

use crate::{
    Clocks, Facts, TooLarge,
    amounts::Amounts,
    events::disbursements::Disbursement,
    evidence::Evidence,
    money::parity,
    view::{LogView, View},
};

/// Whose portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortfolioScope {
    /// ISO 3166-1 alpha-2 code of the country.
    pub country_code: String,
    /// Only this fund, `funds/…`; `None`: all.
    pub fund: Option<String>,
}

/// The portfolio of a country.
pub fn portfolio(facts: &Facts, scope: &PortfolioScope, clocks: Clocks) -> Result<pb::Portfolio, TooLarge> {
    let view = View::new(facts, clocks);
    let mut lines = decisions(view.disbursements, scope);
    let by_contract = contracts(view.disbursements, &mut lines);
    payments(view.disbursements, &by_contract, &mut lines);
    lines.retain(|line| !line.amounts.is_empty());
    lines.sort_by(|a, b| (&a.proposed.reference, a.decision).cmp(&(&b.proposed.reference, b.decision)));

    let evidence: Evidence = lines.iter().map(|line| line.amounts.evidence()).collect();
    let alone = |line: &Line<'_>| line.proposed.country_codes.iter().all(|code| *code == scope.country_code);
    let (own, regional): (Vec<_>, Vec<_>) = lines.into_iter().partition(alone);
    Ok(pb::Portfolio {
        standpoint: Some(view.standpoint(&evidence)),
        country_code: scope.country_code.clone(),
        fund: scope.fund.clone().unwrap_or_default(),
        own: Some(group(&own)?),
        regional: Some(group(&regional)?),
        parity: Some(parity()),
    })
}

/// One decision, being added up.
struct Line<'a> {
    decision: &'a str,
    proposed: &'a events::DecisionProposed,
    approved_on: Option<Date>,
    amounts: Amounts,
}

/// The decisions that are for the country, alone or with others, with what was decided.
fn decisions<'a>(log: LogView<'a, Disbursement>, scope: &PortfolioScope) -> Vec<Line<'a>> {
    let in_scope = |proposed: &&events::DecisionProposed| {
        proposed.country_codes.contains(&scope.country_code)
            && scope.fund.as_ref().is_none_or(|fund| *fund == proposed.fund)
    };
    log.streams("decisions")
        .filter_map(|decision| {
            let proposed = proposed(log, decision).filter(in_scope)?;
            let (amounts, approved_on) = Amounts::decided(log, decision);
            Some(Line { decision, proposed, approved_on, amounts })
        })
        .collect()
}

/// What a decision is about.
pub(crate) fn proposed<'a>(log: LogView<'a, Disbursement>, decision: &str) -> Option<&'a events::DecisionProposed> {
    log.known(decision).find_map(|seen| match seen.fact() {
        Disbursement::DecisionProposed(event) => Some(event),
        _ => None,
    })
}

/// What a contract is about.
pub(crate) fn signed<'a>(log: LogView<'a, Disbursement>, contract: &str) -> Option<&'a events::ContractSigned> {
    log.known(contract).find_map(|seen| match seen.fact() {
        Disbursement::ContractSigned(event) => Some(event),
        _ => None,
    })
}

/// Adds what was contracted and recovered, and tells which contract belongs to which line.
fn contracts<'a>(log: LogView<'a, Disbursement>, lines: &mut [Line<'a>]) -> HashMap<&'a str, usize> {
    let by_decision: HashMap<_, _> = lines.iter().enumerate().map(|(index, line)| (line.decision, index)).collect();
    let mut by_contract = HashMap::new();
    for contract in log.streams("contracts") {
        let line = signed(log, contract).and_then(|signed| by_decision.get(signed.decision.as_str()).copied());
        if let Some(line) = line {
            lines[line].amounts.absorb(&Amounts::contracted(log, contract));
            by_contract.insert(contract, line);
        }
    }
    by_contract
}

/// Adds what was paid.
fn payments(log: LogView<'_, Disbursement>, by_contract: &HashMap<&str, usize>, lines: &mut [Line<'_>]) {
    for seen in log.streams("payments").flat_map(|payment| log.counted(payment)) {
        if let Disbursement::PaymentDisbursed(event) = seen.fact()
            && let Some(line) = by_contract.get(event.contract.as_str())
        {
            lines[*line].amounts.paid.add(&event.amount, seen, false);
        }
    }
}

fn group(lines: &[Line<'_>]) -> Result<pb::PortfolioGroup, TooLarge> {
    let mut total = Amounts::default();
    for line in lines {
        total.absorb(&line.amounts);
    }
    let approved = lines.iter().filter(|line| !line.amounts.approved.is_empty()).count();
    Ok(pb::PortfolioGroup {
        decisions: u32::try_from(approved).unwrap_or(u32::MAX),
        total: Some(total.figures()?),
        lines: lines.iter().map(Line::report).collect::<Result<_, _>>()?,
    })
}

impl Line<'_> {
    fn report(&self) -> Result<pb::PortfolioLine, TooLarge> {
        let (proposed, evidence) = (self.proposed, self.amounts.evidence());
        Ok(pb::PortfolioLine {
            decision: self.decision.into(),
            fund: proposed.fund.clone(),
            reference: proposed.reference.clone(),
            title: proposed.title.clone(),
            window: proposed.window.clone(),
            strategic_objectives: proposed.strategic_objectives.clone(),
            country_codes: proposed.country_codes.clone(),
            approved_on: self.approved_on,
            figures: Some(self.amounts.figures()?),
            certainty: evidence.certainty().into(),
            unconfirmed: evidence.unconfirmed(),
            latest_source: evidence.latest_source(),
        })
    }
}

#[cfg(test)]
mod tests;
