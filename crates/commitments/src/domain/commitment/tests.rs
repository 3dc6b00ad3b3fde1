use event_sourcing::{
    Act, Correction, CorrectionError, LocalizedText, PartialDate, StreamName,
    testing::{Given, act, given, given_acts},
};

use super::*;
use crate::domain::{MandateError, PlanItemReference};

mod any_history;

const OWNER: &str = "partners/ml";
const SECRETARIAT: &str = "partners/icmpd";

fn name(text: &str) -> StreamName {
    text.parse().expect("a name")
}

fn date(text: &str) -> PartialDate {
    text.parse().expect("a date")
}

fn text(text: &str) -> LocalizedText {
    LocalizedText::official_fr(text)
}

fn place(plan: &str, item: &str) -> PlanItemReference {
    PlanItemReference { framework: name("frameworks/jvap"), plan: plan.into(), item: Some(item.into()) }
}

fn terms() -> Terms {
    Terms {
        owner: OWNER.into(),
        answers: place("valletta", "15"),
        text: text("Répondre aux demandes de documents de voyage"),
        due_on: Some(date("2018-12")),
        evidence_required: text("Statistiques consulaires"),
        agreements: vec![name("agreements/ml-eu-2016-communique")],
    }
}

fn cycle() -> StreamName {
    name("cycles/jvap-2018")
}

fn in_cycle(framework: Option<&str>) -> OpenCycle {
    OpenCycle { name: cycle(), framework: framework.map(name) }
}

fn submit() -> CommitmentCommand {
    CommitmentCommand::SubmitProgress { cycle: in_cycle(Some("frameworks/jvap")), text: text("Fait") }
}

fn register() -> CommitmentCommand {
    CommitmentCommand::Register { reference: None, secretariat: SECRETARIAT.into() }
}

fn lapse() -> CommitmentCommand {
    CommitmentCommand::Lapse { secretariat: SECRETARIAT.into() }
}

fn verify() -> CommitmentCommand {
    CommitmentCommand::VerifyProgress { cycle: cycle() }
}

fn send_back() -> CommitmentCommand {
    CommitmentCommand::ReturnProgress { cycle: cycle() }
}

fn owner() -> Act {
    act(OWNER).by("owner").with_role("focal_point")
}

fn secretary() -> Act {
    act(SECRETARIAT).by("secretary").with_role("secretariat")
}

fn verifier() -> Act {
    act(SECRETARIAT).by("verifier").with_role("verifier")
}

/// The owner's act with a document that proves it.
fn with_evidence(mut act: Act) -> Act {
    act.sources = act.clone().recorded_from_source_of(OWNER).sources;
    act
}

fn declared() -> Given<Commitment> {
    given([]).and(&CommitmentCommand::Declare(terms()), &owner())
}

fn registered() -> Given<Commitment> {
    declared().and(&register(), &secretary())
}

fn reported() -> Given<Commitment> {
    registered().and(&submit(), &owner())
}

fn from_source() -> Given<Commitment> {
    let source = act(SECRETARIAT).with_role("secretariat").recorded_from_source_of(OWNER);
    given([]).and(&CommitmentCommand::Declare(terms()), &source)
}

mod declaring {
    use super::*;

    #[test]
    fn a_contributor_declares_what_its_own_organisation_promises() {
        given::<Commitment>([])
            .when(&CommitmentCommand::Declare(terms()), &act(OWNER).with_role("contributor"))
            .then([CommitmentEvent::Declared(terms())]);
    }

    #[test]
    fn nobody_promises_for_another() {
        let refusal = MandateError::NotTheOwner { owner: OWNER.into() };
        let other = act("partners/fr").with_role("focal_point");
        given::<Commitment>([]).when(&CommitmentCommand::Declare(terms()), &other).then_refused(refusal.into());
    }

    #[test]
    fn a_promise_takes_a_focal_point_or_contributor() {
        let refusal = MandateError::RoleRequired { roles: &["focal_point", "contributor"] };
        let secretary = act(OWNER).with_role("secretariat");
        given::<Commitment>([]).when(&CommitmentCommand::Declare(terms()), &secretary).then_refused(refusal.into());
    }

    #[test]
    fn what_was_read_in_a_source_stays_unconfirmed_until_the_owner_confirms() {
        let past = from_source();
        assert!(!past.state().is_confirmed());
        let source = owner().recorded_from_source_of(OWNER);
        let refusal = MandateError::OwnActRequired { organisation: OWNER.into() };
        past.when(&CommitmentCommand::Confirm, &source).then_refused(refusal.into());
        assert!(past.and(&CommitmentCommand::Confirm, &owner()).state().is_confirmed());
    }

    #[test]
    fn a_contributor_does_not_confirm() {
        let refusal = MandateError::RoleRequired { roles: &["focal_point"] };
        let contributor = act(OWNER).with_role("contributor");
        from_source().when(&CommitmentCommand::Confirm, &contributor).then_refused(refusal.into());
    }

    #[test]
    fn what_its_owner_declared_needs_no_confirmation() {
        assert!(declared().state().is_confirmed());
        declared().when(&CommitmentCommand::Confirm, &owner()).then_nothing();
    }

    #[test]
    fn a_name_is_used_for_one_promise() {
        declared().when(&CommitmentCommand::Declare(terms()), &owner()).then_refused(CommitmentError::AlreadyExists);
    }

    #[test]
    fn nothing_is_said_of_a_promise_that_is_not_there() {
        given::<Commitment>([]).when(&register(), &secretary()).then_refused(CommitmentError::NotFound);
    }
}

mod registering {
    use super::*;

    #[test]
    fn the_secretariat_enters_a_promise_even_one_that_nobody_confirmed() {
        assert_eq!(declared().state().status(), CommitmentStatus::Proposed);
        let command = CommitmentCommand::Register { reference: Some("ML-15".into()), secretariat: SECRETARIAT.into() };
        let past = from_source().and(&command, &secretary());
        assert_eq!(past.state().status(), CommitmentStatus::Endorsed);
        assert!(!past.state().is_confirmed());
        past.when(&command, &secretary()).then_nothing();
    }

    #[test]
    fn only_the_framework_s_own_secretariat_enters_it() {
        let refusal = MandateError::NotTheSecretariat { secretariat: SECRETARIAT.into() };
        let other = act("partners/ecowas").with_role("secretariat");
        declared().when(&register(), &other).then_refused(refusal.into());
        let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
        declared().when(&register(), &owner()).then_refused(refusal.into());
    }

    #[test]
    fn a_withdrawn_promise_is_not_entered() {
        let past = declared().and(&CommitmentCommand::Withdraw, &owner().because("changed policy"));
        let refusal = CommitmentError::Closed { status: CommitmentStatus::Withdrawn };
        past.when(&register(), &secretary()).then_refused(refusal);
    }

    #[test]
    fn it_is_migrated_to_another_plan_and_the_old_link_stays_readable() {
        let migrate = CommitmentCommand::Migrate {
            plan: "cadiz".into(),
            item: Some("9".into()),
            secretariat: SECRETARIAT.into(),
        };
        let past = registered().and(&migrate, &secretary().on("2022-12-14"));
        let terms = past.state().terms().expect("it was declared");
        assert_eq!(terms.event.answers, place("cadiz", "9"));
        assert_eq!(past.state().answered_before(), [place("valletta", "15")]);
        past.when(&migrate, &owner()).then_nothing();
        let before = past.history().state_as_of("2022-12-13".parse().expect("a day"));
        assert_eq!(before.terms().expect("it was declared").event.answers, place("valletta", "15"));
    }

    #[test]
    fn nobody_else_migrates_it_and_a_closed_one_stays_where_it_is() {
        let migrate = CommitmentCommand::Migrate { plan: "cadiz".into(), item: None, secretariat: SECRETARIAT.into() };
        let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
        registered().when(&migrate, &verifier()).then_refused(refusal.into());
        let past = registered().and(&CommitmentCommand::Fulfil, &owner());
        let refusal = CommitmentError::Closed { status: CommitmentStatus::Fulfilled };
        past.when(&migrate, &secretary()).then_refused(refusal);
    }

    #[test]
    fn it_may_rest_on_one_more_agreement() {
        let agreement = name("agreements/ml-bim-2015");
        let link = CommitmentCommand::LinkAgreement { agreement: agreement.clone(), secretariat: SECRETARIAT.into() };
        registered().when(&link, &owner()).then([CommitmentEvent::AgreementLinked { agreement }]);
        registered().and(&link, &secretary()).when(&link, &owner()).then_nothing();
        let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
        registered().when(&link, &verifier()).then_refused(refusal.into());
    }

    #[test]
    fn a_refusal_is_noted_on_it_by_whoever_reads_of_it() {
        let incident = CommitmentCommand::NoteIncident { text: text("Refus des laissez-passer de l’UE") };
        let past = registered().and(&incident, &secretary().recorded_from_source_of(OWNER).on("2016-12-29"));
        assert_eq!(past.state().incidents()[0].act.on_behalf_of, OWNER);
        let roles: &[&str] = &["focal_point", "contributor", "secretariat", "verifier"];
        let refusal = MandateError::RoleRequired { roles };
        registered().when(&incident, &act("partners/eu").with_role("observer")).then_refused(refusal.into());
    }

    #[test]
    fn its_date_is_extended_and_not_brought_forward() {
        let extend = |due| CommitmentCommand::ExtendDueDate { due_on: date(due) };
        let past = registered().and(&extend("2020"), &owner());
        past.when(&extend("2020"), &owner()).then_nothing();
        let refusal = CommitmentError::DateNotLater { due_on: date("2020") };
        past.when(&extend("2019-06-30"), &owner()).then_refused(refusal);
        let refusal = MandateError::NotTheOwner { owner: OWNER.into() };
        past.when(&extend("2021"), &secretary()).then_refused(refusal.into());
    }
}

mod reporting {
    use super::*;

    #[test]
    fn progress_is_noted_at_any_time() {
        let note = CommitmentCommand::NoteProgress { text: text("Mission consulaire") };
        let past = registered().and(&note, &owner().recorded_from_source_of(OWNER));
        assert_eq!(past.state().status(), CommitmentStatus::InProgress);
        let closed = past.and(&CommitmentCommand::Fulfil, &owner());
        closed.when(&note, &owner()).then([CommitmentEvent::ProgressNoted { text: text("Mission consulaire") }]);
        let refusal = MandateError::NotTheOwner { owner: OWNER.into() };
        registered().when(&note, &verifier()).then_refused(refusal.into());
    }

    #[test]
    fn progress_is_submitted_in_an_open_cycle() {
        let past = reported();
        assert_eq!(past.state().status(), CommitmentStatus::Reported);
        assert_eq!(past.state().report(&cycle()).map(Report::status), Some(ReportStatus::Submitted));
    }

    #[test]
    fn a_closed_or_unknown_cycle_takes_no_reports() {
        let command = CommitmentCommand::SubmitProgress { cycle: in_cycle(None), text: text("Fait") };
        registered().when(&command, &owner()).then_refused(CommitmentError::CycleNotOpen { cycle: cycle() });
    }

    #[test]
    fn another_framework_s_cycle_takes_no_reports_of_this_one() {
        let cycle = in_cycle(Some("frameworks/rabat-process"));
        let command = CommitmentCommand::SubmitProgress { cycle, text: text("Fait") };
        registered().when(&command, &owner()).then_refused(CommitmentError::CycleOfAnotherFramework {
            cycle_framework: name("frameworks/rabat-process"),
            framework: name("frameworks/jvap"),
        });
    }

    #[test]
    fn a_report_is_the_owner_s_own_act() {
        let source = secretary().recorded_from_source_of(OWNER);
        let refusal = MandateError::OwnActRequired { organisation: OWNER.into() };
        registered().when(&submit(), &source).then_refused(refusal.into());
    }

    #[test]
    fn only_what_is_in_the_register_and_confirmed_is_reported_on() {
        declared().when(&submit(), &owner()).then_refused(CommitmentError::NotRegistered);
        let refusal = CommitmentError::Unconfirmed { owner: OWNER.into() };
        from_source().and(&register(), &secretary()).when(&submit(), &owner()).then_refused(refusal);
    }

    #[test]
    fn what_is_closed_is_not_reported_on() {
        let past = registered().and(&CommitmentCommand::Fulfil, &owner());
        let refusal = CommitmentError::Closed { status: CommitmentStatus::Fulfilled };
        past.when(&submit(), &owner()).then_refused(refusal);
    }

    #[test]
    fn a_report_stands_until_it_is_returned() {
        let refusal = CommitmentError::ReportStands { cycle: cycle() };
        reported().when(&submit(), &owner()).then_refused(refusal.clone());
        let returned = reported().and(&send_back(), &verifier().because("no evidence"));
        assert_eq!(returned.state().status(), CommitmentStatus::Returned);
        let verified = returned.and(&submit(), &with_evidence(owner())).and(&verify(), &verifier());
        assert_eq!(verified.state().status(), CommitmentStatus::Verified);
        verified.when(&submit(), &owner()).then_refused(refusal);
    }

    #[test]
    fn evidence_is_added_to_a_report_that_awaits_its_verdict() {
        let attach = CommitmentCommand::AttachEvidence { cycle: cycle() };
        reported().when(&attach, &owner()).then_refused(CommitmentError::EvidenceMissing);
        let past = reported().and(&attach, &with_evidence(owner()));
        assert_eq!(past.state().report(&cycle()).map(|report| report.evidence.len()), Some(1));
        let refusal = CommitmentError::NoPendingReport { cycle: cycle() };
        registered().when(&attach, &with_evidence(owner())).then_refused(refusal.clone());
        let verified = past.and(&verify(), &verifier());
        verified.when(&attach, &with_evidence(owner())).then_refused(refusal);
    }
}

mod verifying {
    use super::*;

    #[test]
    fn a_report_without_the_evidence_required_is_not_verified() {
        reported().when(&verify(), &verifier()).then_refused(CommitmentError::EvidenceMissing);
    }

    #[test]
    fn where_no_evidence_is_required_none_is_missing() {
        let terms = Terms { evidence_required: LocalizedText::default(), ..terms() };
        given::<Commitment>([])
            .and(&CommitmentCommand::Declare(terms), &owner())
            .and(&register(), &secretary())
            .and(&submit(), &owner())
            .when(&verify(), &verifier())
            .then([CommitmentEvent::ProgressVerified { cycle: cycle() }]);
    }

    #[test]
    fn who_reports_does_not_verify_or_return() {
        let refusal = MandateError::VerifierIsReporter { owner: OWNER.into() };
        let same_organisation = act(OWNER).by("another").with_role("verifier").because("no evidence");
        let same_person = act(SECRETARIAT).by("owner").with_role("verifier").because("no evidence");
        for act in [same_organisation, same_person] {
            reported().when(&verify(), &act).then_refused(refusal.clone().into());
            reported().when(&send_back(), &act).then_refused(refusal.clone().into());
        }
    }

    #[test]
    fn a_source_neither_verifies_nor_returns() {
        let source = verifier().recorded_from_source_of("partners/iom");
        let refusal = MandateError::OwnActRequired { organisation: "partners/iom".into() };
        reported().when(&verify(), &source).then_refused(refusal.into());
    }

    #[test]
    fn it_takes_a_verifier() {
        let refusal = MandateError::RoleRequired { roles: &["verifier"] };
        reported().when(&verify(), &secretary()).then_refused(refusal.into());
    }

    #[test]
    fn a_return_says_why() {
        reported().when(&send_back(), &verifier()).then_refused(MandateError::ReasonRequired.into());
    }

    #[test]
    fn only_a_report_that_awaits_it_gets_a_verdict() {
        let refusal = CommitmentError::NoPendingReport { cycle: cycle() };
        registered().when(&verify(), &verifier()).then_refused(refusal.clone());
        registered().when(&send_back(), &verifier().because("no evidence")).then_refused(refusal);
    }
}

mod ending {
    use super::*;

    fn partly() -> CommitmentCommand {
        CommitmentCommand::PartlyFulfil { outstanding: text("Deux consulats sur cinq") }
    }

    #[test]
    fn the_owner_keeps_it_keeps_it_in_part_or_takes_it_back() {
        registered().when(&CommitmentCommand::Fulfil, &owner()).then([CommitmentEvent::Fulfilled]);
        let outstanding = text("Deux consulats sur cinq");
        registered().when(&partly(), &owner()).then([CommitmentEvent::PartlyFulfilled { outstanding }]);
        let why = owner().because("changed policy");
        registered().when(&CommitmentCommand::Withdraw, &why).then([CommitmentEvent::Withdrawn]);
    }

    #[test]
    fn nobody_else_does_and_no_source_stands_in_for_the_owner() {
        for command in [CommitmentCommand::Fulfil, partly(), CommitmentCommand::Withdraw] {
            let refusal = MandateError::NotTheOwner { owner: OWNER.into() };
            registered().when(&command, &secretary().because("why")).then_refused(refusal.into());
            let source = owner().recorded_from_source_of(OWNER).because("why");
            let refusal = MandateError::OwnActRequired { organisation: OWNER.into() };
            registered().when(&command, &source).then_refused(refusal.into());
        }
    }

    #[test]
    fn a_withdrawal_says_why() {
        let refusal = MandateError::ReasonRequired;
        registered().when(&CommitmentCommand::Withdraw, &owner()).then_refused(refusal.into());
    }

    #[test]
    fn what_the_owner_never_confirmed_it_can_take_back_but_not_have_kept() {
        let refusal = CommitmentError::Unconfirmed { owner: OWNER.into() };
        from_source().when(&CommitmentCommand::Fulfil, &owner()).then_refused(refusal.clone());
        from_source().when(&partly(), &owner()).then_refused(refusal);
        let why = owner().because("never promised");
        from_source().when(&CommitmentCommand::Withdraw, &why).then([CommitmentEvent::Withdrawn]);
    }

    #[test]
    fn it_ends_once() {
        let kept = registered().and(&CommitmentCommand::Fulfil, &owner());
        kept.when(&CommitmentCommand::Fulfil, &owner()).then_nothing();
        let refusal = CommitmentError::Closed { status: CommitmentStatus::Fulfilled };
        kept.when(&CommitmentCommand::Withdraw, &owner().because("why")).then_refused(refusal.clone());
        kept.when(&lapse(), &secretary().today("2026-11-23")).then_refused(refusal);
    }

    #[test]
    fn the_secretariat_finds_that_it_lapsed_after_its_date() {
        let early = secretary().today("2018-12-31");
        let refusal = CommitmentError::NotYetDue { due_on: Some(date("2018-12")) };
        registered().when(&lapse(), &early).then_refused(refusal);
        let late = secretary().today("2019-01-01");
        registered().when(&lapse(), &late).then([CommitmentEvent::Lapsed]);
        registered().and(&lapse(), &late).when(&lapse(), &late).then_nothing();
    }

    #[test]
    fn what_has_no_date_does_not_lapse() {
        let terms = Terms { due_on: None, ..terms() };
        let past = given::<Commitment>([]).and(&CommitmentCommand::Declare(terms), &owner());
        past.when(&lapse(), &secretary()).then_refused(CommitmentError::NotYetDue { due_on: None });
    }
}

mod correcting {
    use super::*;

    fn owned_by(owner: &str) -> CommitmentEvent {
        CommitmentEvent::Declared(Terms { owner: owner.into(), ..terms() })
    }

    fn refusal_of(past: &Given<Commitment>, right: CommitmentEvent) -> Option<CommitmentError> {
        let correction = Correction { mistaken_version: 1, right, effective_on: None };
        match past.history().propose_correction(correction, &owner().because("a slip")) {
            Err(CorrectionError::BreaksRule(refusal)) => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn the_verifier_does_not_become_the_owner() {
        let verified = registered().and(&submit(), &with_evidence(owner())).and(&verify(), &verifier());
        let refusal = MandateError::VerifierIsReporter { owner: SECRETARIAT.into() };
        assert_eq!(refusal_of(&verified, owned_by(SECRETARIAT)), Some(refusal.into()));
    }

    #[test]
    fn what_one_partner_kept_does_not_become_another_s_promise() {
        let kept = declared().and(&CommitmentCommand::Fulfil, &owner());
        let refusal = MandateError::NotTheOwner { owner: "partners/ne".into() };
        assert_eq!(refusal_of(&kept, owned_by("partners/ne")), Some(refusal.into()));
        let refusal = MandateError::NotTheOwner { owner: "partners/ne".into() };
        assert_eq!(refusal_of(&reported(), owned_by("partners/ne")), Some(refusal.into()));
    }

    #[test]
    fn evidence_is_not_required_after_the_verdict() {
        let none = Terms { evidence_required: LocalizedText::default(), ..terms() };
        let verified = given_acts([
            (owner(), CommitmentEvent::Declared(none)),
            (secretary(), CommitmentEvent::Registered { reference: None }),
            (owner(), CommitmentEvent::ProgressSubmitted { cycle: cycle(), text: text("Fait") }),
            (verifier(), CommitmentEvent::ProgressVerified { cycle: cycle() }),
        ]);
        assert_eq!(refusal_of(&verified, owned_by(OWNER)), Some(CommitmentError::EvidenceMissing));
    }

    #[test]
    fn what_is_corrected_after_it_was_confirmed_is_not_what_was_confirmed() {
        let from_source = act(SECRETARIAT).recorded_from_source_of(OWNER);
        let confirmed = given_acts::<Commitment>([(from_source, CommitmentEvent::Declared(terms()))])
            .and(&CommitmentCommand::Confirm, &owner());
        assert!(confirmed.state().is_confirmed());
        let other = Terms { text: text("Tout autre chose"), ..terms() };
        let corrected = confirmed.and_corrected(1, CommitmentEvent::Declared(other));
        assert!(!corrected.state().is_confirmed());
        assert!(corrected.and(&CommitmentCommand::Confirm, &owner()).state().is_confirmed());
    }

    #[test]
    fn a_report_that_is_corrected_after_it_was_verified_awaits_a_verdict_again() {
        let verified = registered().and(&submit(), &with_evidence(owner())).and(&verify(), &verifier());
        let other = CommitmentEvent::ProgressSubmitted { cycle: cycle(), text: text("Dix fois plus") };
        let corrected = verified.and_corrected(3, other);
        assert_eq!(corrected.state().status(), CommitmentStatus::Reported);
        let again = corrected.and(&verify(), &verifier());
        assert_eq!(again.state().status(), CommitmentStatus::Verified);
    }
}
