use event_sourcing::{
    LocalizedText,
    testing::{Given, given, given_acts},
};

use super::*;
use crate::domain::{
    authority::AuthorityError,
    condition::Condition,
    mirror::RecordKey,
    money::MoneyError,
    standing::{Citation, CitationError},
    testing::*,
};

fn proposal() -> Proposal {
    Proposal {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        reference: "T05-EUTF-SAH-ML-07".into(),
        title: LocalizedText::official_en("Migration governance"),
        window: "SAH".into(),
        strategic_objectives: vec!["SO3".into()],
        country_codes: vec!["ML".into()],
        amount: eur(15_000_000),
        implementers: vec!["partners/aecid".into(), IOM.into()],
        agreements: Vec::new(),
        commitments: Vec::new(),
    }
}

fn propose(proposal: Proposal, citations: Citations) -> DecisionCommand {
    DecisionCommand::Propose { proposal: Box::new(proposal), fund: Box::new(constitution()), citations }
}

fn cited(subject: &str, condition: Option<Condition>) -> Vec<Citation> {
    vec![Citation { subject: subject.into(), condition }]
}

fn on_a_document() -> Act {
    with_document(trustee(FUND_MANAGER), ACTION_DOCUMENT)
}

fn committee(organisation: &str) -> Act {
    with_document(by(organisation, COMMITTEE_MEMBER), MINUTES)
}

fn approve(euros: i64) -> DecisionCommand {
    DecisionCommand::Approve { amount: eur(euros), seat: Some(Seat::Chair) }
}

fn top_up(euros: i64) -> DecisionCommand {
    DecisionCommand::TopUp { amount: eur(euros), seat: Some(Seat::Member) }
}

fn proposed() -> Given<Decision> {
    given_acts([(on_a_document(), DecisionEvent::Proposed(Box::new(proposal())))])
}

fn approved() -> Given<Decision> {
    proposed().and(&approve(15_000_000), &committee(TRUSTEE))
}

fn draws(contract: &str, amount: Money) -> DecisionCommand {
    let line = Line { value: amount, effective_on: Some(day("2018-01-01").into()) };
    DecisionCommand::MirrorDraws { contract: contract.into(), lines: Lines::from([(1, line)]) }
}

fn draw_set(contract: &str, amount: Money) -> DecisionEvent {
    DecisionEvent::DrawSet { record: RecordKey { stream: contract.into(), version: 1 }, amount }
}

#[test]
fn a_decision_is_proposed_on_an_action_document() {
    given::<Decision>([])
        .when(&propose(proposal(), Citations::default()), &on_a_document())
        .then([DecisionEvent::Proposed(Box::new(proposal()))]);
    given::<Decision>([])
        .when(&propose(proposal(), Citations::default()), &trustee(FUND_MANAGER))
        .then_refused(DecisionError::ActionDocumentRequired);
}

#[test]
fn a_decision_is_proposed_by_the_trustee_once() {
    let act = with_document(by(SPAIN, FUND_MANAGER), ACTION_DOCUMENT);
    let refusal = AuthorityError::ActOfAnother { organisation: SPAIN.into(), expected: TRUSTEE.into() };
    given::<Decision>([]).when(&propose(proposal(), Citations::default()), &act).then_refused(refusal.into());
    proposed()
        .when(&propose(proposal(), Citations::default()), &on_a_document())
        .then_refused(DecisionError::AlreadyProposed);
}

#[test]
fn a_decision_belongs_to_a_window_and_a_currency_of_its_fund() {
    let elsewhere = Proposal { window: "HOA".into(), ..proposal() };
    let refusal = DecisionError::WindowUnknown { window: "HOA".into(), fund: FUND.into() };
    given::<Decision>([]).when(&propose(elsewhere, Citations::default()), &on_a_document()).then_refused(refusal);
    let in_francs = Proposal { amount: xof(1), ..proposal() };
    let refusal = MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF };
    given::<Decision>([])
        .when(&propose(in_francs, Citations::default()), &on_a_document())
        .then_refused(refusal.into());
}

#[test]
fn a_decision_rests_on_agreements_and_commitments_that_are_there() {
    let since = day("2019-01-01");
    let agreement = |condition| Citations { agreements: cited("agreements/x", condition), ..Citations::default() };
    let commitment = |condition| Citations { commitments: cited("commitments/x", condition), ..Citations::default() };
    let refused = |citations, refusal: CitationError| {
        given::<Decision>([]).when(&propose(proposal(), citations), &on_a_document()).then_refused(refusal.into());
    };
    let (x, y) = (String::from("agreements/x"), String::from("commitments/x"));
    refused(agreement(None), CitationError::AgreementUnknown { agreement: x.clone() });
    refused(agreement(Some(Condition::Ended { since })), CitationError::AgreementTerminated { agreement: x, since });
    refused(commitment(None), CitationError::CommitmentUnknown { commitment: y.clone() });
    refused(commitment(Some(Condition::Ended { since })), CitationError::CommitmentWithdrawn { commitment: y, since });
    for condition in [Condition::Operating, Condition::Suspended { since }] {
        given::<Decision>([])
            .when(&propose(proposal(), agreement(Some(condition))), &on_a_document())
            .then([DecisionEvent::Proposed(Box::new(proposal()))]);
    }
}

#[test]
fn the_committee_approves_on_its_minute() {
    proposed()
        .when(&approve(15_000_000), &committee(TRUSTEE))
        .then([DecisionEvent::Approved { amount: eur(15_000_000) }]);
    let without = by(TRUSTEE, COMMITTEE_CHAIR);
    proposed().when(&approve(15_000_000), &without).then_refused(DecisionError::MinuteRequired);
}

#[test]
fn an_observer_and_a_stranger_never_decide() {
    for seat in [Some(Seat::Observer), None] {
        let refusal = DecisionError::NotACommitteeMember { organisation: "partners/mli".into(), fund: FUND.into() };
        proposed()
            .when(&DecisionCommand::Approve { amount: eur(1), seat }, &committee("partners/mli"))
            .then_refused(refusal);
    }
}

#[test]
fn deciding_takes_the_role() {
    let act = with_document(trustee(FUND_MANAGER), MINUTES);
    proposed().when(&approve(1), &act).then_refused(AuthorityError::RoleRequired { role: COMMITTEE_MEMBER }.into());
}

#[test]
fn who_implements_or_benefits_does_not_approve() {
    let refusal = DecisionError::OwnRequest { organisation: IOM.into() };
    proposed().when(&approve(1), &committee(IOM)).then_refused(refusal);
}

#[test]
fn who_proposed_does_not_approve() {
    let act = with_document(on_a_document().with_role(COMMITTEE_CHAIR), MINUTES);
    proposed().when(&approve(1), &act).then_refused(DecisionError::SamePerson { earlier_role: FUND_MANAGER });
}

#[test]
fn a_decision_is_approved_once_then_topped_up() {
    approved().when(&approve(1), &committee(TRUSTEE)).then_refused(DecisionError::AlreadyApproved);
    proposed().when(&top_up(1), &committee(TRUSTEE)).then_refused(DecisionError::NotApproved);
    let raised = approved().and(&top_up(5_000_000), &committee(TRUSTEE));
    assert_eq!(raised.state().ceiling(), eur(20_000_000));
}

#[test]
fn a_published_approval_stands_unconfirmed_until_the_committee_confirms_it() {
    let minute = with_document(published(TRUSTEE), MINUTES);
    let published = proposed().and(&approve(15_000_000), &minute);
    assert_eq!(published.state().approval(), Some(Approval::Published));
    assert_eq!(published.state().ceiling(), eur(15_000_000));
    let confirm = DecisionCommand::Confirm { seat: Some(Seat::Chair) };
    published
        .when(&confirm, &minute)
        .then_refused(AuthorityError::OwnActRequired { organisation: TRUSTEE.into() }.into());
    published.when(&confirm, &committee(TRUSTEE)).then([DecisionEvent::ApprovalConfirmed]);
    let confirmed = published.and(&confirm, &committee(TRUSTEE));
    assert_eq!(confirmed.state().approval(), Some(Approval::Own));
    confirmed.when(&confirm, &committee(TRUSTEE)).then_nothing();
}

#[test]
fn a_published_top_up_needs_confirming_too() {
    let raised = approved().and(&top_up(1), &with_document(published(TRUSTEE), MINUTES));
    assert_eq!(raised.state().approval(), Some(Approval::Published));
}

#[test]
fn what_is_corrected_after_the_committee_confirmed_it_is_not_what_the_committee_confirmed() {
    let minute = with_document(published(TRUSTEE), MINUTES);
    let (confirm, seat) = (DecisionCommand::Confirm { seat: Some(Seat::Chair) }, committee(TRUSTEE));
    let confirmed = proposed().and(&approve(15_000_000), &minute).and(&confirm, &seat);
    let raised = confirmed.clone().and_corrected(2, DecisionEvent::Approved { amount: eur(90_000_000) });
    assert_eq!(raised.state().approval(), Some(Approval::Published));
    let again = raised.and(&confirm, &seat);
    assert_eq!((again.state().approval(), again.state().ceiling()), (Some(Approval::Own), eur(90_000_000)));

    let topped_up = confirmed.and(&top_up(1), &minute).and(&confirm, &seat);
    assert_eq!(topped_up.state().approval(), Some(Approval::Own));
    let raised = topped_up.and_corrected(4, DecisionEvent::ToppedUp { amount: eur(90_000_000) });
    assert_eq!(raised.state().approval(), Some(Approval::Published));
}

#[test]
fn a_published_approval_names_a_member_and_a_minute() {
    let refusal = DecisionError::NotACommitteeMember { organisation: "partners/mli".into(), fund: FUND.into() };
    proposed()
        .when(&DecisionCommand::Approve { amount: eur(1), seat: None }, &published("partners/mli"))
        .then_refused(refusal);
    proposed().when(&approve(1), &published(TRUSTEE)).then_refused(DecisionError::MinuteRequired);
}

#[test]
fn the_contracts_of_ml_07_fill_the_decision_and_one_cent_more_is_refused() {
    let act = trustee(FUND_MANAGER);
    let filled = approved()
        .and(&draws("contracts/aecid", eur(3_200_000)), &act)
        .and(&draws("contracts/iom", eur(11_800_000)), &act);
    assert_eq!(filled.state().available(), eur(0));
    assert_eq!(
        filled.state().draws(),
        [("contracts/aecid".into(), eur(3_200_000)), ("contracts/iom".into(), eur(11_800_000))]
    );
    filled
        .when(&draws("contracts/third", cents(1)), &act)
        .then_refused(DecisionError::ExceedsCeiling { share: cents(1), available: eur(0) });
}

#[test]
fn what_a_contract_gives_back_can_be_drawn_again() {
    let act = trustee(FUND_MANAGER);
    approved()
        .and(&draws("contracts/iom", eur(15_000_000)), &act)
        .and(&draws("contracts/iom", eur(14_764_000)), &act)
        .when(&draws("contracts/third", eur(236_000)), &act)
        .then([draw_set("contracts/third", eur(236_000))]);
}

#[test]
fn nothing_is_drawn_on_what_is_not_approved() {
    proposed()
        .when(&draws("contracts/iom", cents(1)), &trustee(FUND_MANAGER))
        .then_refused(DecisionError::ExceedsCeiling { share: cents(1), available: eur(0) });
}

#[test]
fn only_what_no_contract_draws_is_decommitted() {
    let officer = trustee(AUTHORISING_OFFICER);
    let decommit = |amount| DecisionCommand::Decommit { amount };
    let drawn = approved().and(&draws("contracts/iom", eur(11_800_000)), &officer);
    drawn
        .when(&decommit(cents(320_000_001)), &officer)
        .then_refused(DecisionError::ExceedsReleasable { amount: cents(320_000_001), available: eur(3_200_000) });
    let released = drawn.clone().and(&decommit(eur(3_200_000)), &officer);
    assert_eq!((released.state().ceiling(), released.state().available()), (eur(11_800_000), eur(0)));
    proposed().when(&decommit(eur(1)), &officer).then_refused(DecisionError::NotApproved);
    drawn
        .when(&decommit(eur(1)), &trustee(FUND_MANAGER))
        .then_refused(AuthorityError::RoleRequired { role: AUTHORISING_OFFICER }.into());
}

#[test]
fn a_correction_keeps_the_ceiling_over_what_is_drawn() {
    let drawn = approved().and(&draws("contracts/iom", eur(11_800_000)), &trustee(FUND_MANAGER));
    let approved_at = |amount| {
        let right = DecisionEvent::Approved { amount };
        let correction = event_sourcing::Correction { mistaken_version: 2, right, effective_on: None };
        drawn.history().corrected(&correction).check()
    };
    assert_eq!(approved_at(eur(11_800_000)), Ok(()));
    let refusal = DecisionError::ExceedsCeiling { share: eur(11_800_000), available: eur(11_799_999) };
    assert_eq!(approved_at(eur(11_799_999)), Err(refusal));
    assert_eq!(approved_at(eur(-1)), Err(MoneyError::NotPositive.into()));
}

#[test]
fn a_published_amount_is_noted_with_its_source_and_stays_out_of_every_total() {
    let note = DecisionCommand::NotePublishedAmount(PublishedAmount {
        subject: "Diaspora 2".into(),
        amount: eur(4_672_897),
        published_equivalent: xof(3_060_747_535),
    });
    approved().when(&note, &trustee(FUND_MANAGER)).then_refused(DecisionError::SourceRequired);
    let press = with_document(trustee(FUND_MANAGER), "press");
    let noted = approved().and(&note, &press);
    assert_eq!(noted.state().ceiling(), approved().state().ceiling());
    assert_eq!(noted.state().published_amounts().len(), 1);
    noted.when(&note, &press).then_nothing();
    noted
        .when(&note, &with_document(by(SPAIN, "focal_point"), "press"))
        .then_refused(AuthorityError::RoleRequired { role: FUND_MANAGER }.into());
}

#[test]
fn nothing_can_be_asked_of_a_decision_that_is_not_there() {
    given::<Decision>([]).when(&approve(1), &committee(TRUSTEE)).then_refused(DecisionError::NotProposed);
}
