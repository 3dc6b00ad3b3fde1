//! What a publication cannot do to a fund, whoever enters it: each test is a way in which somebody might try.

use event_sourcing::{
    Act,
    testing::{Given, given, given_acts},
};

use super::{
    authority::{
        AuthorityError, COMMITTEE_CHAIR, COMMITTEE_MEMBER, CONTRACTING_AUTHORITY, DONOR, FUND_MANAGER,
        PAYMENT_VERIFIER, SECRETARIAT,
    },
    contract::{
        Contract, ContractCommand, ContractError, ContractEvent, Grounds, PaymentKind, RecoveryCause, Rider, Terms,
    },
    contribution::{Contribution, ContributionCommand, ContributionEvent, Pledge},
    decision::{ACTION_DOCUMENT, Approval, Decision, DecisionCommand, DecisionError, DecisionEvent, MINUTES, Proposal},
    fund::{Deadlines, Fund, FundCommand, FundEvent, Seat},
    mirror::RecordKey,
    payment::{Payment, PaymentCommand, PaymentEvent, Request},
    standing::Citations,
    testing::*,
};

const STRANGER: &str = "partners/stranger";

/// What the fund manager of another organisation enters of what one published.
fn read_by_a_stranger(organisation: &str) -> Act {
    by(STRANGER, FUND_MANAGER).recorded_from_source_of(organisation)
}

/// Whatever the trustee itself may have published, entered by whoever may enter anything.
fn entered_of(organisation: &str) -> [Act; 3] {
    let secretary = by(TRUSTEE, SECRETARIAT).recorded_from_source_of(organisation);
    let fund_manager = trustee(FUND_MANAGER).recorded_from_source_of(organisation);
    [read_by_a_stranger(organisation), secretary, fund_manager]
}

fn own_act(organisation: &str) -> AuthorityError {
    AuthorityError::OwnActRequired { organisation: organisation.into() }
}

/// The refusal of a record that only the trustee enters.
fn not_the_trustee() -> AuthorityError {
    AuthorityError::ActOfAnother { organisation: STRANGER.into(), expected: TRUSTEE.into() }
}

fn fund() -> Given<Fund> {
    given_acts([(trustee(FUND_MANAGER).on("2015-11-12"), FundEvent::Established(constitution()))])
}

fn proposal() -> Proposal {
    Proposal {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        window: "SAH".into(),
        amount: eur(1_000),
        ..Proposal::default()
    }
}

fn propose() -> DecisionCommand {
    DecisionCommand::Propose {
        proposal: Box::new(proposal()),
        fund: Box::new(constitution()),
        citations: Citations::default(),
    }
}

fn approve() -> DecisionCommand {
    DecisionCommand::Approve { amount: eur(1_000), seat: Some(Seat::Chair) }
}

fn proposed() -> Given<Decision> {
    given::<Decision>([]).and(&propose(), &with_document(trustee(FUND_MANAGER), ACTION_DOCUMENT))
}

fn pledge() -> Pledge {
    Pledge { fund: FUND.into(), donor: SPAIN.into(), amount: eur(9_000) }
}

fn certificate() -> ContributionEvent {
    ContributionEvent::Certified { amount: eur(9_000), reference: String::new() }
}

fn terms() -> Terms {
    Terms {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        decision: ML_07.into(),
        implementer: IOM.into(),
        fund_share: eur(1_000),
        ..Terms::default()
    }
}

fn grounds(approval: Approval) -> Box<Grounds> {
    Box::new(Grounds { fund: constitution(), approval: Some(approval) })
}

fn sign() -> ContractCommand {
    let terms = Box::new(terms());
    ContractCommand::Sign { terms, grounds: grounds(Approval::Own), citations: Citations::default() }
}

fn signed() -> Given<Contract> {
    given::<Contract>([]).and(&sign(), &trustee(CONTRACTING_AUTHORITY).on("2017-05-19"))
}

#[test]
fn no_fund_is_set_up_and_no_deadline_moves_by_a_publication() {
    let later = Deadlines { contracting: day("2024-12-31"), ..deadlines() };
    for act in entered_of(TRUSTEE) {
        given::<Fund>([]).when(&FundCommand::Establish(constitution()), &act).then_refused(own_act(TRUSTEE).into());
        fund().when(&FundCommand::AmendDeadlines(later), &act).then_refused(own_act(TRUSTEE).into());
    }
}

#[test]
fn nobody_takes_a_seat_or_loses_one_by_a_publication() {
    let give = FundCommand::GiveSeat { member: STRANGER.into(), seat: Seat::Member };
    let end = FundCommand::EndSeat { member: SPAIN.into() };
    let seated =
        fund().and(&FundCommand::GiveSeat { member: SPAIN.into(), seat: Seat::Member }, &trustee(FUND_MANAGER));
    for act in entered_of(TRUSTEE) {
        seated.when(&give, &act).then_refused(own_act(TRUSTEE).into());
        seated.when(&end, &act).then_refused(own_act(TRUSTEE).into());
    }
}

#[test]
fn a_seat_a_deadline_and_cash_that_a_log_holds_from_a_source_alone_do_not_count() {
    let later = Deadlines { contracting: day("2024-12-31"), ..deadlines() };
    let source = RecordKey { stream: "contributions/es".into(), version: 3 };
    let given_seat = |member: &str| FundEvent::SeatGiven { member: member.into(), seat: Seat::Member };
    let past = given_acts::<Fund>([
        (trustee(FUND_MANAGER), FundEvent::Established(constitution())),
        (trustee(FUND_MANAGER), given_seat(SPAIN)),
        (read_by_a_stranger(TRUSTEE), given_seat(STRANGER)),
        (read_by_a_stranger(TRUSTEE), FundEvent::SeatEnded { member: SPAIN.into() }),
        (read_by_a_stranger(TRUSTEE), FundEvent::DeadlinesAmended(later)),
        (read_by_a_stranger(TRUSTEE), FundEvent::CashMovementSet { source, amount: eur(9_000) }),
    ]);
    let state = past.state();
    assert_eq!(state.seat_of(STRANGER, day("2021-01-01")), None);
    assert_eq!(state.seat_of(SPAIN, day("2021-01-01")), Some(Seat::Member));
    assert_eq!(state.constitution().map(|fund| fund.deadlines), Ok(deadlines()));
    assert_eq!(state.available(), eur(0));
    let command = FundCommand::GiveSeat { member: STRANGER.into(), seat: Seat::Member };
    past.when(&command, &trustee(FUND_MANAGER)).then([given_seat(STRANGER)]);
}

#[test]
fn no_cash_comes_in_by_a_publication() {
    let pledged = given_acts::<Contribution>([(by(SPAIN, DONOR), ContributionEvent::Pledged(pledge()))]);
    let certify = ContributionCommand::Certify { amount: eur(9_000), reference: String::new() };
    let receive =
        ContributionCommand::Receive { trustee: TRUSTEE.into(), amount: eur(9_000), reference: String::new() };
    for act in entered_of(SPAIN) {
        pledged.when(&certify, &act).then_refused(own_act(SPAIN).into());
    }
    let certified = pledged.and(&certify, &by(SPAIN, DONOR));
    for act in entered_of(TRUSTEE) {
        certified.when(&receive, &act).then_refused(own_act(TRUSTEE).into());
    }
}

#[test]
fn a_certificate_and_a_receipt_that_a_log_holds_from_a_source_alone_do_not_count() {
    let receipt = ContributionEvent::Received { amount: eur(9_000), reference: String::new() };
    let past = given_acts::<Contribution>([
        (by(SPAIN, DONOR), ContributionEvent::Pledged(pledge())),
        (read_by_a_stranger(SPAIN), certificate()),
        (read_by_a_stranger(TRUSTEE), receipt),
    ]);
    let state = past.state();
    assert_eq!((state.certified(), state.received()), (eur(0), eur(0)));
    assert!(state.receipts().is_empty());
}

#[test]
fn what_a_fund_published_is_entered_by_its_trustee_alone() {
    let document = |act| with_document(act, ACTION_DOCUMENT);
    given::<Decision>([])
        .when(&propose(), &document(read_by_a_stranger(TRUSTEE)))
        .then_refused(not_the_trustee().into());
    proposed()
        .when(&approve(), &with_document(read_by_a_stranger(TRUSTEE), MINUTES))
        .then_refused(not_the_trustee().into());
    given::<Contract>([]).when(&sign(), &read_by_a_stranger(TRUSTEE)).then_refused(not_the_trustee().into());
    for act in &entered_of(TRUSTEE)[1..] {
        given::<Decision>([])
            .when(&propose(), &document(act.clone()))
            .then([DecisionEvent::Proposed(Box::new(proposal()))]);
        given::<Contract>([]).when(&sign(), act).then([ContractEvent::Signed(Box::new(terms()))]);
    }
}

#[test]
fn a_contract_that_was_published_is_payable_once_the_contracting_authority_signed_it_too() {
    let payable = |contract: &Given<Contract>| {
        let day = day("2018-01-01");
        let cited = Citations::default();
        contract.state().check_payable("contracts/iom", day, day, &cited, Some(Approval::Own))
    };
    let unconfirmed = || Err(ContractError::Unconfirmed { contract: "contracts/iom".into() });
    let published = given::<Contract>([]).and(&sign(), &published(TRUSTEE).on("2017-05-19"));
    assert_eq!(payable(&published), unconfirmed());

    let authority = trustee(CONTRACTING_AUTHORITY).on("2017-05-19");
    published.when(&sign(), &authority.clone().on("2017-05-20")).then_refused(ContractError::AlreadySigned);
    let other = Box::new(Terms { fund_share: eur(999), ..terms() });
    let other =
        ContractCommand::Sign { terms: other, grounds: grounds(Approval::Own), citations: Citations::default() };
    published.when(&other, &authority).then_refused(ContractError::AlreadySigned);
    let on_a_publication = ContractCommand::Sign {
        terms: Box::new(terms()),
        grounds: grounds(Approval::Published),
        citations: Citations::default(),
    };
    published
        .when(&on_a_publication, &authority)
        .then_refused(ContractError::DecisionUnconfirmed { decision: ML_07.into() });
    let same_person = by(TRUSTEE, SECRETARIAT).with_role(CONTRACTING_AUTHORITY).on("2017-05-19");
    published.when(&sign(), &same_person).then_refused(ContractError::SamePersonTwice { earlier_role: SECRETARIAT });

    published.when(&sign(), &authority).then([ContractEvent::SignatureConfirmed]);
    let confirmed = published.and(&sign(), &authority);
    assert_eq!(payable(&confirmed), Ok(()));
    let draws: Vec<_> = confirmed.state().draws().values().map(|line| line.value).collect();
    assert_eq!(draws, [eur(1_000)], "it is one contract");
    confirmed.when(&sign(), &authority).then_refused(ContractError::AlreadySigned);
    let raised = Terms { fund_share: eur(2_000), ..terms() };
    let corrected = confirmed.and_corrected(1, ContractEvent::Signed(Box::new(raised)));
    assert_eq!(payable(&corrected), unconfirmed(), "what was corrected since is not what was signed");
}

#[test]
fn no_contract_is_changed_held_or_ended_by_a_publication() {
    let rider = Rider { fund_share_change: Some(cents(-1)), ..Rider::default() };
    let (order, amount) = (String::from("RO-1"), eur(1));
    for command in [
        ContractCommand::Ride { rider, grounds: grounds(Approval::Own) },
        ContractCommand::Decommit { amount },
        ContractCommand::Suspend,
        ContractCommand::Resume,
        ContractCommand::Close,
        ContractCommand::ClearPrefinancing { amount },
        ContractCommand::DeclareCostsIneligible { amount, payment: None },
        ContractCommand::OrderRecovery { order: order.clone(), cause: RecoveryCause::IneligibleCosts, amount },
        ContractCommand::ReceiveRecovery { order, amount },
    ] {
        for act in entered_of(TRUSTEE) {
            signed().when(&command, &act).then_refused(own_act(TRUSTEE).into());
        }
    }
}

#[test]
fn no_decision_is_released_by_a_publication() {
    let approved = proposed().and(&approve(), &with_document(trustee(COMMITTEE_CHAIR), MINUTES));
    for act in entered_of(TRUSTEE) {
        approved.when(&DecisionCommand::Decommit { amount: eur(1) }, &act).then_refused(own_act(TRUSTEE).into());
    }
}

#[test]
fn who_entered_what_the_committee_published_does_not_confirm_it() {
    let entered = with_document(by(TRUSTEE, SECRETARIAT).recorded_from_source_of(TRUSTEE), MINUTES);
    let published = proposed().and(&approve(), &entered);
    let confirm = DecisionCommand::Confirm { seat: Some(Seat::Chair) };
    let same_person = with_document(by(TRUSTEE, SECRETARIAT).with_role(COMMITTEE_MEMBER), MINUTES);
    published.when(&confirm, &same_person).then_refused(DecisionError::SamePerson { earlier_role: SECRETARIAT });
    published
        .when(&confirm, &with_document(trustee(COMMITTEE_MEMBER), MINUTES))
        .then([DecisionEvent::ApprovalConfirmed]);
}

#[test]
fn who_entered_a_proposal_from_its_publication_does_not_approve_it() {
    let entered = with_document(trustee(FUND_MANAGER).recorded_from_source_of(TRUSTEE), ACTION_DOCUMENT);
    let same_person = with_document(trustee(FUND_MANAGER).with_role(COMMITTEE_MEMBER), MINUTES);
    given::<Decision>([])
        .and(&propose(), &entered)
        .when(&approve(), &same_person)
        .then_refused(DecisionError::SamePerson { earlier_role: FUND_MANAGER });
}

#[test]
fn a_payment_is_checked_by_the_trustees_verifier_and_by_no_other_organisations() {
    let request = Request {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        contract: "contracts/iom".into(),
        implementer: IOM.into(),
        kind: PaymentKind::Balance,
        amount: eur(1),
        first_day_of_costs: day("2018-03-01"),
        last_day_of_costs: day("2020-03-14"),
        costs_incurred: None,
    };
    let initiated = given::<Payment>([PaymentEvent::Requested(request), PaymentEvent::Initiated]);
    for command in [PaymentCommand::Verify { accepted: eur(1) }, PaymentCommand::Reject, PaymentCommand::Return] {
        initiated
            .when(&command, &by(STRANGER, PAYMENT_VERIFIER).because("so it is"))
            .then_refused(not_the_trustee().into());
    }
}
