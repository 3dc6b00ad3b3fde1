use event_sourcing::{
    Correction, CorrectionError,
    testing::{Given, act, given, given_acts},
};

use super::*;

const OWNER: &str = "partners/ml";

fn description(title: &str) -> Description {
    Description { title: LocalizedText::official_fr(title), ..Description::default() }
}

fn register() -> InitiativeCommand {
    InitiativeCommand::Register {
        kind: InitiativeType::Project,
        responsible: OWNER.into(),
        description: description("Projets d’insertion"),
    }
}

fn registered() -> InitiativeEvent {
    InitiativeEvent::Registered {
        kind: InitiativeType::Project,
        responsible: OWNER.into(),
        description: description("Projets d’insertion"),
    }
}

fn owner() -> Act {
    act(OWNER).by("owner").with_role("focal_point")
}

fn verifier() -> Act {
    act("partners/icmpd").by("verifier").with_role("verifier")
}

fn insertion() -> Given<Initiative> {
    given_acts([(owner(), registered())])
}

fn from_source() -> Given<Initiative> {
    given_acts([(act("partners/icmpd").recorded_from_source_of(OWNER), registered())])
}

#[test]
fn a_contributor_enters_an_initiative_of_its_own_organisation() {
    given::<Initiative>([]).when(&register(), &act(OWNER).with_role("contributor")).then([registered()]);
}

#[test]
fn what_a_secretariat_enters_from_a_source_stays_unconfirmed() {
    let secretary = act("partners/icmpd").with_role("secretariat").recorded_from_source_of(OWNER);
    let past = given::<Initiative>([]).and(&register(), &secretary);
    assert!(!past.state().is_confirmed());
    assert!(past.and(&InitiativeCommand::Confirm, &owner()).state().is_confirmed());
}

#[test]
fn a_secretariat_does_not_enter_its_own_initiatives() {
    let refusal = MandateError::RoleRequired { roles: &["focal_point", "contributor"] };
    given::<Initiative>([]).when(&register(), &act(OWNER).with_role("secretariat")).then_refused(refusal.into());
}

#[test]
fn nobody_enters_an_initiative_as_another_s_act() {
    let refusal = MandateError::NotTheOwner { owner: OWNER.into() };
    let other = act("partners/fr").with_role("focal_point");
    given::<Initiative>([]).when(&register(), &other).then_refused(refusal.into());
}

#[test]
fn a_name_is_used_for_one_initiative() {
    insertion().when(&register(), &owner()).then_refused(InitiativeError::AlreadyExists);
}

#[test]
fn nothing_is_recorded_of_an_initiative_that_is_not_there() {
    let command = InitiativeCommand::RecordStatus { status: InitiativeStatus::Ongoing };
    given::<Initiative>([]).when(&command, &owner()).then_refused(InitiativeError::NotFound);
}

#[test]
fn only_its_own_organisation_confirms_it() {
    let source = owner().recorded_from_source_of(OWNER);
    let refusal = MandateError::OwnActRequired { organisation: OWNER.into() };
    from_source().when(&InitiativeCommand::Confirm, &source).then_refused(refusal.into());
    from_source().when(&InitiativeCommand::Confirm, &owner()).then([InitiativeEvent::Confirmed]);
    insertion().when(&InitiativeCommand::Confirm, &owner()).then_nothing();
}

#[test]
fn another_organisation_verifies_the_description_once() {
    let past = insertion().and(&InitiativeCommand::Verify, &verifier());
    assert_eq!(past.state().verification(), Verification::Verified);
    past.when(&InitiativeCommand::Verify, &verifier()).then_nothing();
}

#[test]
fn who_describes_an_initiative_does_not_verify_it() {
    let refusal = MandateError::VerifierIsReporter { owner: OWNER.into() };
    let same_organisation = act(OWNER).by("another").with_role("verifier");
    let same_person = act("partners/icmpd").by("owner").with_role("verifier");
    for act in [same_organisation, same_person] {
        insertion().when(&InitiativeCommand::Verify, &act).then_refused(refusal.clone().into());
        insertion().when(&InitiativeCommand::Return, &act).then_refused(refusal.clone().into());
    }
}

#[test]
fn a_source_does_not_verify() {
    let source = act("partners/ml").by("clerk").with_role("verifier").recorded_from_source_of("partners/icmpd");
    let refusal = MandateError::OwnActRequired { organisation: "partners/icmpd".into() };
    insertion().when(&InitiativeCommand::Verify, &source).then_refused(refusal.into());
}

#[test]
fn what_was_read_in_a_source_is_confirmed_before_it_is_verified() {
    let refusal = InitiativeError::Unconfirmed { responsible: OWNER.into() };
    from_source().when(&InitiativeCommand::Verify, &verifier()).then_refused(refusal);
}

#[test]
fn a_returned_description_says_why() {
    let refusal = MandateError::ReasonRequired;
    insertion().when(&InitiativeCommand::Return, &verifier()).then_refused(refusal.into());
    let why = verifier().because("no place is named");
    insertion().when(&InitiativeCommand::Return, &why).then([InitiativeEvent::Returned]);
}

#[test]
fn a_new_description_awaits_verification_again() {
    let revise = InitiativeCommand::Revise { description: description("Projets de réinsertion") };
    let past = insertion().and(&InitiativeCommand::Verify, &verifier()).and(&revise, &owner());
    assert_eq!(past.state().verification(), Verification::Pending);
    past.when(&revise, &owner()).then_nothing();
}

#[test]
fn its_status_is_the_latest_by_date_whatever_the_order_of_recording() {
    let status = |status| InitiativeCommand::RecordStatus { status };
    let past = insertion()
        .and(&status(InitiativeStatus::Completed), &owner().on("2018-12-31"))
        .and(&status(InitiativeStatus::Ongoing), &owner().on("2016"));
    assert_eq!(past.state().status(), Some(InitiativeStatus::Completed));
}

#[test]
fn budget_lines_and_milestones_are_kept_with_who_says_so() {
    let line = BudgetLine {
        line: "Budget spécial d’investissement (BSI)".into(),
        amount: Money { currency: "XOF".into(), minor_units: 1 },
        period: Period::default(),
        funder: Some(OWNER.into()),
    };
    let text = LocalizedText::official_fr("72 projets");
    let past = insertion()
        .and(&InitiativeCommand::RecordBudgetLine(line.clone()), &owner())
        .and(&InitiativeCommand::RecordMilestone { text: text.clone() }, &owner().recorded_from_source_of(OWNER));
    assert_eq!(past.state().budget()[0].event, line);
    assert_eq!(past.state().milestones()[0].event, text);
    assert_eq!(past.state().milestones()[0].act.basis, Basis::RecordedFromSource);
}

#[test]
fn a_correction_does_not_make_the_verifier_the_one_responsible() {
    let past = insertion().and(&InitiativeCommand::Verify, &verifier());
    let right = InitiativeEvent::Registered {
        kind: InitiativeType::Project,
        responsible: "partners/icmpd".into(),
        description: description("Projets d’insertion"),
    };
    let correction = Correction { mistaken_version: 1, right, effective_on: None };
    let refusal = MandateError::VerifierIsReporter { owner: "partners/icmpd".into() };
    let proposed = past.history().propose_correction(correction, &owner().because("a slip"));
    assert_eq!(proposed, Err(CorrectionError::BreaksRule(refusal.into())));
}

#[test]
fn what_is_corrected_after_it_was_confirmed_or_verified_is_neither() {
    let right = InitiativeEvent::Registered {
        kind: InitiativeType::Project,
        responsible: OWNER.into(),
        description: description("Tout autre chose"),
    };
    let confirmed = from_source().and(&InitiativeCommand::Confirm, &owner());
    let corrected = confirmed.and_corrected(1, right.clone());
    assert!(!corrected.state().is_confirmed());
    assert!(corrected.and(&InitiativeCommand::Confirm, &owner()).state().is_confirmed());

    let verified = insertion().and(&InitiativeCommand::Verify, &verifier());
    let corrected = verified.and_corrected(1, right);
    assert_eq!(corrected.state().verification(), Verification::Pending);
    let again = corrected.and(&InitiativeCommand::Verify, &verifier());
    assert_eq!(again.state().verification(), Verification::Verified);
}

#[test]
fn what_others_describe_from_a_source_waits_for_whoever_is_responsible() {
    let secretary = act("partners/icmpd").with_role("secretariat").recorded_from_source_of(OWNER);
    let revise = InitiativeCommand::Revise { description: description("Ce qu’on en dit") };
    let revised = insertion().and(&revise, &secretary);
    assert!(!revised.state().is_confirmed());
    let refusal = InitiativeError::Unconfirmed { responsible: OWNER.into() };
    revised.when(&InitiativeCommand::Verify, &verifier()).then_refused(refusal);
    let confirmed = revised.and(&InitiativeCommand::Confirm, &owner());
    confirmed.when(&InitiativeCommand::Verify, &verifier()).then([InitiativeEvent::Verified]);
}
