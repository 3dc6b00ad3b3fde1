//! The instrument's own rules in a request: what is left out takes the default of its scope.

use contracts::toguna::partnerships::events::v1::{
    self as pb, delay::Delay as DelayField, entry_into_force_rule::Rule as RuleField,
};
use service_runtime::Fields;

use super::organisations;
use crate::{
    codec::rule_from_proto,
    domain::agreement::{
        events::AgreementScope,
        terms::{AccessionRule, AmendmentRule, DEFAULT_NOTICE_MONTHS, EntryIntoForce, Terms},
    },
};

/// Longest delay and longest notice: whoever sends more has mistaken the unit.
const MAX_DAYS: u32 = 36_500;
const MAX_MONTHS: u32 = 1_200;

/// Reads the rules of an instrument of a scope.
pub(super) fn terms(fields: &mut Fields, sent: Option<&pb::AgreementTerms>, scope: AgreementScope) -> Terms {
    let sent = sent.cloned().unwrap_or_default();
    let notice = sent.denunciation_notice_months.unwrap_or(DEFAULT_NOTICE_MONTHS);
    at_most(fields, "terms.denunciation_notice_months", notice, MAX_MONTHS);
    Terms {
        entry_into_force: entry_into_force(fields, sent.entry_into_force.as_ref()),
        amendment: amendment(fields, &sent, scope),
        denunciation_notice_months: notice,
        accession: accession(fields, &sent),
    }
}

fn entry_into_force(fields: &mut Fields, sent: Option<&pb::EntryIntoForceRule>) -> EntryIntoForce {
    const FIELD: &str = "terms.entry_into_force";
    match sent.and_then(|rule| rule.rule.as_ref()) {
        None => {}
        Some(RuleField::OnSignature(rule)) => {
            organisations(fields, &format!("{FIELD}.on_signature.parties"), &rule.parties);
        }
        Some(RuleField::AfterConsents(rule)) => {
            at_least_one(fields, &format!("{FIELD}.after_consents.consents"), rule.consents);
            delay(fields, &format!("{FIELD}.after_consents.delay"), rule.delay);
        }
        Some(RuleField::AfterLastConsent(rule)) => {
            delay(fields, &format!("{FIELD}.after_last_consent.delay"), rule.delay);
        }
        Some(RuleField::OnDate(date)) => {
            fields.date(&format!("{FIELD}.on_date"), Some(date));
        }
    }
    rule_from_proto(sent).unwrap_or(EntryIntoForce::NotProvided)
}

fn amendment(fields: &mut Fields, sent: &pb::AgreementTerms, scope: AgreementScope) -> AmendmentRule {
    let read = |rule: pb::AmendmentRule| {
        Some(match rule {
            pb::AmendmentRule::Unspecified => AmendmentRule::default_of(scope),
            pb::AmendmentRule::AllParties => AmendmentRule::AllParties,
            pb::AmendmentRule::AcceptingParties => AmendmentRule::AcceptingParties,
            pb::AmendmentRule::AllAfterAcceptances => AmendmentRule::AllAfterAcceptances(sent.amendment_acceptances),
        })
    };
    let rule = fields.enumeration("terms.amendment", sent.amendment, read);
    match rule {
        AmendmentRule::AllAfterAcceptances(count) => at_least_one(fields, "terms.amendment_acceptances", count),
        AmendmentRule::AllParties | AmendmentRule::AcceptingParties if sent.amendment_acceptances != 0 => {
            fields.violation(
                "terms.amendment_acceptances",
                ("goes with `all_after_acceptances` only", "ne va qu’avec `all_after_acceptances`"),
            );
        }
        AmendmentRule::AllParties | AmendmentRule::AcceptingParties => {}
    }
    rule
}

fn accession(fields: &mut Fields, sent: &pb::AgreementTerms) -> AccessionRule {
    fields.enumeration("terms.accession", sent.accession, |rule| {
        Some(match rule {
            pb::AccessionRule::Unspecified | pb::AccessionRule::Closed => AccessionRule::Closed,
            pb::AccessionRule::Open => AccessionRule::Open,
        })
    })
}

fn delay(fields: &mut Fields, field: &str, sent: Option<pb::Delay>) {
    match sent.and_then(|delay| delay.delay) {
        None => {}
        Some(DelayField::Days(days)) => at_most(fields, &format!("{field}.days"), days, MAX_DAYS),
        Some(DelayField::FirstOfMonth(months)) => {
            let field = format!("{field}.first_of_month");
            at_least_one(fields, &field, months);
            at_most(fields, &field, months, MAX_MONTHS);
        }
    }
}

fn at_least_one(fields: &mut Fields, field: &str, number: u32) {
    if number == 0 {
        fields.violation(field, ("must be at least 1", "doit être au moins 1"));
    }
}

fn at_most(fields: &mut Fields, field: &str, number: u32, max: u32) {
    if number > max {
        fields.violation(field, (format!("must be at most {max}"), format!("doit être au plus {max}")));
    }
}
