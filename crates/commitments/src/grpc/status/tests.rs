use std::collections::BTreeSet;

use contracts::reasons::REASONS;
use event_store::{PartialDate, StreamName};

use super::*;
use crate::domain::CommitmentStatus;

fn name(text: &str) -> StreamName {
    text.parse().expect("a name")
}

fn mandate_errors() -> Vec<MandateError> {
    vec![
        MandateError::RoleRequired { roles: &["secretariat"] },
        MandateError::NotTheOwner { owner: "partners/ml".into() },
        MandateError::OwnActRequired { organisation: "partners/ml".into() },
        MandateError::NotTheSecretariat { secretariat: "partners/icmpd".into() },
        MandateError::VerifierIsReporter { owner: "partners/ml".into() },
        MandateError::ReasonRequired,
    ]
}

fn framework_errors() -> Vec<FrameworkError> {
    let (plan, item) = (|| String::from("cadiz"), || String::from("9"));
    vec![
        FrameworkError::NotFound,
        FrameworkError::AlreadyExists,
        FrameworkError::PlanUnknown { plan: plan() },
        FrameworkError::PlanExists { plan: plan() },
        FrameworkError::ItemUnknown { plan: plan(), item: item() },
        FrameworkError::ItemExists { plan: plan(), item: item() },
        FrameworkError::NotLater { end: "2022-12-31".parse().expect("a day") },
    ]
}

fn commitment_errors() -> Vec<CommitmentError> {
    let cycle = || name("cycles/jvap-2018");
    let date: PartialDate = "2018-12".parse().expect("a date");
    vec![
        CommitmentError::NotFound,
        CommitmentError::AlreadyExists,
        CommitmentError::Unconfirmed { owner: "partners/ml".into() },
        CommitmentError::NotRegistered,
        CommitmentError::Closed { status: CommitmentStatus::Fulfilled },
        CommitmentError::CycleNotOpen { cycle: cycle() },
        CommitmentError::CycleOfAnotherFramework {
            cycle_framework: name("frameworks/jvap"),
            framework: name("frameworks/rabat-process"),
        },
        CommitmentError::ReportStands { cycle: cycle() },
        CommitmentError::NoPendingReport { cycle: cycle() },
        CommitmentError::EvidenceMissing,
        CommitmentError::DateNotLater { due_on: date },
        CommitmentError::NotYetDue { due_on: Some(date) },
        CommitmentError::NotYetDue { due_on: None },
    ]
}

fn indicator_errors() -> Vec<IndicatorError> {
    vec![
        IndicatorError::NotFound,
        IndicatorError::DefinitionUnknown { definition: 3, latest: 2 },
        IndicatorError::CountTooSmall { smallest_count: 5 },
        IndicatorError::TargetCopiesValue,
        IndicatorError::ValueUnknown { version: 3 },
        IndicatorError::NotYourValue { version: 3 },
        IndicatorError::RestatementChangesNothing,
        IndicatorError::NoOpenRestatement { version: 4 },
        IndicatorError::SamePerson,
    ]
}

fn boxed<R: Refusal>(refusals: Vec<R>) -> impl Iterator<Item = Box<dyn Refusal>> {
    refusals.into_iter().map(|refusal| Box::new(refusal) as Box<dyn Refusal>)
}

fn all() -> Vec<Box<dyn Refusal>> {
    let responsible = || String::from("partners/ml");
    let agreement = || name("agreements/ml-eu-2016-communique");
    boxed(mandate_errors())
        .chain(boxed(framework_errors()))
        .chain(boxed(mandate_errors().into_iter().map(FrameworkError::from).collect()))
        .chain(boxed(vec![CycleError::NotFound, CycleError::AlreadyExists]))
        .chain(boxed(mandate_errors().into_iter().map(CycleError::from).collect()))
        .chain(boxed(commitment_errors()))
        .chain(boxed(mandate_errors().into_iter().map(CommitmentError::from).collect()))
        .chain(boxed(vec![
            InitiativeError::NotFound,
            InitiativeError::AlreadyExists,
            InitiativeError::Unconfirmed { responsible: responsible() },
        ]))
        .chain(boxed(mandate_errors().into_iter().map(InitiativeError::from).collect()))
        .chain(boxed(indicator_errors()))
        .chain(boxed(mandate_errors().into_iter().map(IndicatorError::from).collect()))
        .chain(boxed(vec![
            AgreementStandingError::Unknown { agreement: agreement() },
            AgreementStandingError::Terminated { agreement: agreement() },
        ]))
        .collect()
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

#[test]
fn every_text_finds_the_values_that_it_speaks_of() {
    for refusal in all() {
        let (reason, values) = (refusal.reason(), refusal.values());
        for key in placeholders(reason.en).chain(placeholders(reason.fr)) {
            let given = values.iter().any(|(name, _)| *name == key);
            // The resource itself is added where the refusal is told.
            assert!(given || key == "resource", "{} speaks of {key}", reason.name);
        }
    }
}

#[test]
fn every_reason_of_this_service_is_given() {
    let package = "toguna.commitments.v1";
    let given: BTreeSet<_> = all()
        .iter()
        .map(|refusal| refusal.reason())
        .filter(|reason| reason.package == package)
        .map(|reason| reason.name)
        .collect();
    let defined: BTreeSet<_> =
        REASONS.iter().filter(|reason| reason.package == package).map(|reason| reason.name).collect();
    assert_eq!(given, defined);
}
