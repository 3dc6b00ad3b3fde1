//! What callers can ask: each request becomes a command, or a read of the log or of the read models.

mod contract;
mod contribution;
mod correction;
mod decision;
mod fund;
mod payment;
mod status;

use contracts::toguna::{
    disbursements::v1::{
        contract_service_server::ContractServiceServer, contribution_service_server::ContributionServiceServer,
        correction_service_server::CorrectionServiceServer, decision_service_server::DecisionServiceServer,
        fund_service_server::FundServiceServer, payment_service_server::PaymentServiceServer,
    },
    r#type::v1 as types,
};
use event_store::{LivePool, Log};
use service_runtime::{Calls, Fields, Parts, limited};

use crate::domain::money::{Currency, Money};

/// Texts of one line: titles, subjects.
const MAX_TEXT: usize = 500;
/// References and codes.
const MAX_CODE: usize = 64;
/// Elements of a list in a request.
const MAX_ELEMENTS: usize = 100;

/// Answers the calls of this service.
#[derive(Clone)]
pub struct Disbursements {
    /// Verifies them.
    pub calls: Calls,
    /// Decides them.
    pub log: Log,
    /// Answers lists.
    pub lists: LivePool,
}

impl Disbursements {
    /// Serves all of it.
    pub fn serve(self, parts: &mut Parts) {
        parts.serve(limited!(FundServiceServer::new(self.clone())));
        parts.serve(limited!(ContributionServiceServer::new(self.clone())));
        parts.serve(limited!(DecisionServiceServer::new(self.clone())));
        parts.serve(limited!(ContractServiceServer::new(self.clone())));
        parts.serve(limited!(PaymentServiceServer::new(self.clone())));
        parts.serve(limited!(CorrectionServiceServer::new(self)));
    }
}

/// What a list is narrowed to; empty: nothing.
fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// An amount of whatever sign.
fn signed_amount(fields: &mut Fields, field: &str, sent: Option<&types::Money>) -> Money {
    let (code, minor_units) = fields.money(field, sent);
    let currency: Currency = code.parse().unwrap_or_default();
    Money::new(currency, minor_units).unwrap_or_else(|| {
        let limit = Money::MAX_MINOR_UNITS;
        fields.violation(
            format!("{field}.minor_units"),
            (format!("must be within ±{limit}"), format!("doit être compris entre ±{limit}")),
        );
        Money::default()
    })
}

/// An amount of more than nothing.
fn amount(fields: &mut Fields, field: &str, sent: Option<&types::Money>) -> Money {
    let amount = signed_amount(fields, field, sent);
    if sent.is_some_and(|sent| sent.minor_units <= 0) {
        fields.violation(format!("{field}.minor_units"), ("must be more than nothing", "doit être supérieur à zéro"));
    }
    amount
}

/// A published reference: capitals and digits in groups between hyphens. Empty: there is none.
fn reference(fields: &mut Fields, field: &str, text: &str) -> String {
    let is_group =
        |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !text.is_empty() && (text.len() > MAX_CODE || !text.split('-').all(is_group)) {
        fields.violation(
            field,
            (
                "must be groups of capitals and digits between hyphens, such as `T05-EUTF-SAH-ML-07`",
                "doit être des groupes de capitales et de chiffres entre traits d’union, comme `T05-EUTF-SAH-ML-07`",
            ),
        );
    }
    text.to_owned()
}

/// A list of names of a category, each once.
fn names(fields: &mut Fields, field: &str, sent: &[String], category: &str) -> Vec<String> {
    list(fields, field, sent, |fields, path, text| fields.name(path, text, category).to_string())
}

/// A list of codes, each once.
fn codes(fields: &mut Fields, field: &str, sent: &[String]) -> Vec<String> {
    list(fields, field, sent, |fields, path, text| fields.text(path, text, MAX_CODE))
}

fn list<'a, T: PartialEq>(
    fields: &mut Fields,
    field: &str,
    sent: &'a [String],
    read: impl Fn(&mut Fields, &str, &'a str) -> T,
) -> Vec<T> {
    fields.at_most(field, sent.len(), MAX_ELEMENTS);
    let mut elements = Vec::new();
    for (index, text) in sent.iter().take(MAX_ELEMENTS).enumerate() {
        let element = read(fields, &format!("{field}[{index}]"), text);
        if !elements.contains(&element) {
            elements.push(element);
        }
    }
    elements
}
