//! The instrument's own rules, on the wire and in the log alike.

use contracts::toguna::partnerships::events::v1::{
    self as pb, delay::Delay as DelayField, entry_into_force_rule::Rule as RuleField,
};
use event_store::{DecodeError, date_from_proto, date_to_proto};

use super::value::required;
use crate::domain::agreement::terms::{AccessionRule, AmendmentRule, Delay, EntryIntoForce, Terms};

/// The rules as they are stored: whatever a request may leave to a default is said.
pub(crate) fn terms_to_proto(terms: &Terms) -> pb::AgreementTerms {
    let (amendment, amendment_acceptances) = match terms.amendment {
        AmendmentRule::AllParties => (pb::AmendmentRule::AllParties, 0),
        AmendmentRule::AcceptingParties => (pb::AmendmentRule::AcceptingParties, 0),
        AmendmentRule::AllAfterAcceptances(count) => (pb::AmendmentRule::AllAfterAcceptances, count),
    };
    let accession = match terms.accession {
        AccessionRule::Closed => pb::AccessionRule::Closed,
        AccessionRule::Open => pb::AccessionRule::Open,
    };
    pb::AgreementTerms {
        entry_into_force: rule_to_proto(&terms.entry_into_force),
        amendment: amendment.into(),
        amendment_acceptances,
        denunciation_notice_months: Some(terms.denunciation_notice_months),
        accession: accession.into(),
    }
}

/// The rules as they were stored.
pub(crate) fn terms_from_proto(terms: &pb::AgreementTerms) -> Result<Terms, DecodeError> {
    let amendment = match terms.amendment() {
        pb::AmendmentRule::Unspecified => return Err(DecodeError::Missing("amendment")),
        pb::AmendmentRule::AllParties => AmendmentRule::AllParties,
        pb::AmendmentRule::AcceptingParties => AmendmentRule::AcceptingParties,
        pb::AmendmentRule::AllAfterAcceptances => AmendmentRule::AllAfterAcceptances(terms.amendment_acceptances),
    };
    let accession = match terms.accession() {
        pb::AccessionRule::Unspecified => return Err(DecodeError::Missing("accession")),
        pb::AccessionRule::Closed => AccessionRule::Closed,
        pb::AccessionRule::Open => AccessionRule::Open,
    };
    let notice = required("denunciation_notice_months", terms.denunciation_notice_months)?;
    let entry_into_force = rule_from_proto(terms.entry_into_force.as_ref())?;
    Ok(Terms { entry_into_force, amendment, denunciation_notice_months: notice, accession })
}

fn rule_to_proto(rule: &EntryIntoForce) -> Option<pb::EntryIntoForceRule> {
    let rule = match rule {
        EntryIntoForce::NotProvided => return None,
        EntryIntoForce::OnSignature { parties, others } => {
            RuleField::OnSignature(pb::OnSignature { parties: parties.clone(), others: *others })
        }
        EntryIntoForce::AfterConsents { consents, delay } => {
            RuleField::AfterConsents(pb::AfterConsents { consents: *consents, delay: delay_to_proto(*delay) })
        }
        EntryIntoForce::AfterLastConsent { delay } => {
            RuleField::AfterLastConsent(pb::AfterLastConsent { delay: delay_to_proto(*delay) })
        }
        EntryIntoForce::OnDate(date) => RuleField::OnDate(date_to_proto(*date)),
    };
    Some(pb::EntryIntoForceRule { rule: Some(rule) })
}

/// The rule for entry into force; unset: none.
pub(crate) fn rule_from_proto(rule: Option<&pb::EntryIntoForceRule>) -> Result<EntryIntoForce, DecodeError> {
    Ok(match rule.and_then(|rule| rule.rule.as_ref()) {
        None => EntryIntoForce::NotProvided,
        Some(RuleField::OnSignature(rule)) => {
            EntryIntoForce::OnSignature { parties: rule.parties.clone(), others: rule.others }
        }
        Some(RuleField::AfterConsents(rule)) => {
            EntryIntoForce::AfterConsents { consents: rule.consents, delay: delay_from_proto(rule.delay) }
        }
        Some(RuleField::AfterLastConsent(rule)) => {
            EntryIntoForce::AfterLastConsent { delay: delay_from_proto(rule.delay) }
        }
        Some(RuleField::OnDate(date)) => EntryIntoForce::OnDate(date_from_proto(date)?),
    })
}

fn delay_to_proto(delay: Delay) -> Option<pb::Delay> {
    let delay = match delay {
        Delay::None => return None,
        Delay::Days(days) => DelayField::Days(days),
        Delay::FirstOfMonth(months) => DelayField::FirstOfMonth(months),
    };
    Some(pb::Delay { delay: Some(delay) })
}

fn delay_from_proto(delay: Option<pb::Delay>) -> Delay {
    match delay.and_then(|delay| delay.delay) {
        None => Delay::None,
        Some(DelayField::Days(days)) => Delay::Days(days),
        Some(DelayField::FirstOfMonth(months)) => Delay::FirstOfMonth(months),
    }
}
