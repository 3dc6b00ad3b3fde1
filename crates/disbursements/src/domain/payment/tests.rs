use event_sourcing::{
    Correction,
    testing::{Given, given},
};

use super::*;
use crate::domain::{authority::AuthorityError, contract::PaymentKind, money::MoneyError, testing::*};

fn request(euros: i64) -> Request {
    Request {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        contract: "contracts/t05-eutf-sah-ml-07-02".into(),
        implementer: IOM.into(),
        kind: PaymentKind::Balance,
        amount: eur(euros),
        first_day_of_costs: day("2018-03-01"),
        last_day_of_costs: day("2020-03-14"),
        costs_incurred: None,
    }
}

fn ask(request: Request) -> PaymentCommand {
    PaymentCommand::Request { request: Box::new(request), currency: Currency::EUR, deadlines: deadlines() }
}

fn implementer() -> Act {
    by(IOM, IMPLEMENTER)
}

fn requested() -> Given<Payment> {
    given([]).and(&ask(request(1_180_000)), &implementer())
}

fn initiated() -> Given<Payment> {
    requested().and(&PaymentCommand::Initiate, &trustee(FUND_MANAGER))
}

fn verify(euros: i64) -> PaymentCommand {
    PaymentCommand::Verify { accepted: eur(euros) }
}

fn verified() -> Given<Payment> {
    initiated().and(&verify(944_000), &trustee(PAYMENT_VERIFIER))
}

fn authorised() -> Given<Payment> {
    verified().and(&PaymentCommand::Authorise, &trustee(AUTHORISING_OFFICER))
}

fn disburse() -> PaymentCommand {
    PaymentCommand::Disburse { reference: "2021/77".into() }
}

fn disbursed() -> Given<Payment> {
    authorised().and(&disburse(), &trustee(ACCOUNTING_OFFICER).on("2021-03-15"))
}

#[test]
fn a_request_passes_five_persons_and_pays_what_was_accepted() {
    let payment = disbursed();
    let state = payment.state();
    assert_eq!(state.stage(), Stage::Disbursed);
    assert_eq!(state.disbursed(), Some((eur(944_000), Some(day("2021-03-15").into()))));
    let roles: Vec<&str> = state.steps().iter().map(|step| step.role).collect();
    assert_eq!(roles, [IMPLEMENTER, FUND_MANAGER, PAYMENT_VERIFIER, AUTHORISING_OFFICER, ACCOUNTING_OFFICER]);
    assert_eq!(state.paid().into_values().map(|line| line.value.amount).collect::<Vec<_>>(), [eur(944_000)]);
    assert_eq!(state.outflow().into_values().map(|line| line.value).collect::<Vec<_>>(), [eur(-944_000)]);
}

#[test]
fn nobody_takes_two_steps() {
    let someone_else = |act: Act, role: &str| Act { actor: Actor { roles: vec![role.into()], ..act.actor }, ..act };
    let twice = |earlier_role| PaymentError::SamePersonTwice { earlier_role };
    let initiator = trustee(FUND_MANAGER);
    initiated().when(&verify(1), &someone_else(initiator.clone(), PAYMENT_VERIFIER)).then_refused(twice(FUND_MANAGER));
    verified()
        .when(&PaymentCommand::Authorise, &someone_else(initiator.clone(), AUTHORISING_OFFICER))
        .then_refused(twice(FUND_MANAGER));
    authorised()
        .when(&disburse(), &someone_else(trustee(AUTHORISING_OFFICER), ACCOUNTING_OFFICER))
        .then_refused(twice(AUTHORISING_OFFICER));
    // The implementer's person, who now works for the trustee.
    let moved = Act { actor: Actor { organisation: TRUSTEE.into(), ..implementer().actor }, ..initiator };
    requested().when(&PaymentCommand::Initiate, &moved.with_role(FUND_MANAGER)).then_refused(twice(IMPLEMENTER));
}

#[test]
fn each_step_takes_its_role() {
    let refused = |payment: Given<Payment>, command, role| {
        payment.when(&command, &trustee("contributor")).then_refused(AuthorityError::RoleRequired { role }.into());
    };
    refused(requested(), PaymentCommand::Initiate, FUND_MANAGER);
    refused(initiated(), verify(1), PAYMENT_VERIFIER);
    refused(verified(), PaymentCommand::Authorise, AUTHORISING_OFFICER);
    refused(authorised(), disburse(), ACCOUNTING_OFFICER);
    given::<Payment>([])
        .when(&ask(request(1)), &by(IOM, FUND_MANAGER))
        .then_refused(AuthorityError::RoleRequired { role: IMPLEMENTER }.into());
}

#[test]
fn the_implementer_asks_for_itself_and_approves_nothing() {
    let refusal = AuthorityError::ActOfAnother { organisation: TRUSTEE.into(), expected: IOM.into() };
    given::<Payment>([]).when(&ask(request(1)), &by(TRUSTEE, IMPLEMENTER)).then_refused(refusal.into());
    let own = || PaymentError::OwnRequest { organisation: IOM.into() };
    requested().when(&PaymentCommand::Initiate, &by(IOM, FUND_MANAGER)).then_refused(own());
    initiated().when(&verify(1), &by(IOM, PAYMENT_VERIFIER)).then_refused(own());
    verified().when(&PaymentCommand::Authorise, &by(IOM, AUTHORISING_OFFICER)).then_refused(own());
    authorised().when(&disburse(), &by(IOM, ACCOUNTING_OFFICER)).then_refused(own());
    requested().when(&PaymentCommand::Reject, &by(IOM, FUND_MANAGER)).then_refused(own());
}

#[test]
fn the_trustee_opens_orders_and_pays() {
    let refused = |payment: Given<Payment>, command, role| {
        let refusal = AuthorityError::ActOfAnother { organisation: SPAIN.into(), expected: TRUSTEE.into() };
        payment.when(&command, &by(SPAIN, role)).then_refused(refusal.into());
    };
    refused(requested(), PaymentCommand::Initiate, FUND_MANAGER);
    refused(verified(), PaymentCommand::Authorise, AUTHORISING_OFFICER);
    refused(authorised(), disburse(), ACCOUNTING_OFFICER);
}

#[test]
fn no_step_is_taken_from_a_publication() {
    let refusal = |organisation: &str| AuthorityError::OwnActRequired { organisation: organisation.into() };
    given::<Payment>([]).when(&ask(request(1)), &published(IOM)).then_refused(refusal(IOM).into());
    initiated().when(&verify(1), &published(TRUSTEE)).then_refused(refusal(TRUSTEE).into());
    authorised().when(&disburse(), &published(TRUSTEE)).then_refused(refusal(TRUSTEE).into());
}

#[test]
fn steps_come_in_their_order() {
    let refused = |payment: &Given<Payment>, command, act: Act| {
        let stage = payment.state().stage();
        payment.when(&command, &act).then_refused(PaymentError::OutOfTurn { stage });
    };
    refused(&requested(), PaymentCommand::Authorise, trustee(AUTHORISING_OFFICER));
    refused(&initiated(), disburse(), trustee(ACCOUNTING_OFFICER));
    refused(&disbursed(), disburse(), trustee(ACCOUNTING_OFFICER));
    refused(&disbursed(), PaymentCommand::Reject, trustee(ACCOUNTING_OFFICER).because("late"));
    given::<Payment>([])
        .when(&PaymentCommand::Initiate, &trustee(FUND_MANAGER))
        .then_refused(PaymentError::NotRequested);
    requested().when(&ask(request(1)), &implementer()).then_refused(PaymentError::AlreadyRequested);
}

#[test]
fn no_more_is_accepted_than_was_asked_for() {
    initiated()
        .when(&verify(1_180_001), &trustee(PAYMENT_VERIFIER))
        .then_refused(PaymentError::ExceedsRequested { accepted: eur(1_180_001), requested: eur(1_180_000) });
    initiated().when(&verify(0), &trustee(PAYMENT_VERIFIER)).then_refused(MoneyError::NotPositive.into());
}

#[test]
fn costs_end_with_the_funds_activities() {
    let late = Request { last_day_of_costs: day("2026-01-01"), ..request(1) };
    given::<Payment>([]).when(&ask(late), &implementer()).then_refused(PaymentError::CostsAfterEndOfActivities {
        period_end: day("2026-01-01"),
        end_of_activities: day("2025-12-31"),
    });
}

#[test]
fn amounts_are_in_the_funds_currency() {
    let mismatch = MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF };
    let refused = |request: Request| {
        given::<Payment>([]).when(&ask(request), &implementer()).then_refused(mismatch.into());
    };
    refused(Request { amount: xof(1), ..request(1) });
    refused(Request { costs_incurred: Some(xof(1)), ..request(1) });
    let francs = PaymentCommand::Verify { accepted: xof(1) };
    initiated().when(&francs, &trustee(PAYMENT_VERIFIER)).then_refused(mismatch.into());
}

#[test]
fn a_file_goes_back_with_a_reason_and_is_asked_for_anew() {
    let verifier = trustee(PAYMENT_VERIFIER);
    initiated().when(&PaymentCommand::Return, &verifier).then_refused(PaymentError::ReasonRequired);
    let returned = initiated().and(&PaymentCommand::Return, &verifier.clone().because("no invoices"));
    assert_eq!(returned.state().stage(), Stage::Returned);
    let again = returned.and(&ask(request(1_000_000)), &implementer());
    assert_eq!((again.state().stage(), again.state().accepted()), (Stage::Requested, None));
    let paid = again
        .and(&PaymentCommand::Initiate, &trustee(FUND_MANAGER))
        .and(&verify(1_000_000), &verifier)
        .and(&PaymentCommand::Authorise, &trustee(AUTHORISING_OFFICER))
        .and(&disburse(), &trustee(ACCOUNTING_OFFICER));
    assert_eq!(paid.state().disbursed().map(|(amount, _)| amount), Some(eur(1_000_000)));
}

#[test]
fn whoever_acted_before_a_return_keeps_the_role() {
    let officer = trustee(AUTHORISING_OFFICER).because("too much");
    let again = verified().and(&PaymentCommand::Return, &officer).and(&ask(request(1)), &implementer());
    let other_role = officer.with_role(FUND_MANAGER);
    again
        .when(&PaymentCommand::Initiate, &other_role)
        .then_refused(PaymentError::SamePersonTwice { earlier_role: AUTHORISING_OFFICER });
}

#[test]
fn a_returned_request_stays_with_its_contract() {
    let returned = requested().and(&PaymentCommand::Return, &trustee(FUND_MANAGER).because("wrong contract"));
    let elsewhere = Request { contract: "contracts/other".into(), ..request(1) };
    returned.when(&ask(elsewhere), &implementer()).then_refused(PaymentError::AlreadyRequested);
}

#[test]
fn a_rejected_request_is_over() {
    let rejected = authorised().and(&PaymentCommand::Reject, &trustee(ACCOUNTING_OFFICER).because("fraud"));
    rejected
        .when(&disburse(), &trustee(ACCOUNTING_OFFICER))
        .then_refused(PaymentError::OutOfTurn { stage: Stage::Rejected });
    rejected.when(&ask(request(1)), &implementer()).then_refused(PaymentError::AlreadyRequested);
}

#[test]
fn a_correction_pays_no_more_than_was_accepted() {
    let paid = disbursed();
    let paid_as = |amount| {
        let right = PaymentEvent::Disbursed {
            fund: FUND.into(),
            contract: request(1).contract,
            amount,
            reference: "2021/77".into(),
        };
        paid.history().corrected(&Correction { mistaken_version: 5, right, effective_on: None }).check()
    };
    assert_eq!(paid_as(eur(943_000)), Ok(()));
    let refusal = PaymentError::ExceedsRequested { accepted: eur(944_001), requested: eur(944_000) };
    assert_eq!(paid_as(eur(944_001)), Err(refusal));
    assert_eq!(paid_as(eur(0)), Err(MoneyError::NotPositive.into()));
}

#[test]
fn amounts_that_are_corrected_are_checked_and_ordered_anew_before_they_are_paid() {
    let accepted = PaymentEvent::Verified { accepted: eur(1_180_000) };
    let raised = authorised().and_corrected(3, accepted.clone());
    assert_eq!(raised.state().stage(), Stage::Verified);
    raised
        .when(&disburse(), &trustee(ACCOUNTING_OFFICER))
        .then_refused(PaymentError::OutOfTurn { stage: Stage::Verified });
    let ordered = raised.and(&PaymentCommand::Authorise, &trustee(AUTHORISING_OFFICER));
    assert_eq!(ordered.and(&disburse(), &trustee(ACCOUNTING_OFFICER)).state().stage(), Stage::Disbursed);

    let asked = authorised().and_corrected(1, PaymentEvent::Requested(request(2_000_000)));
    assert_eq!(asked.state().stage(), Stage::Initiated);
    let checked = asked.and(&verify(1_500_000), &trustee(PAYMENT_VERIFIER));
    assert_eq!((checked.state().stage(), checked.state().accepted()), (Stage::Verified, Some(eur(1_500_000))));

    let paid = disbursed().and_corrected(3, accepted);
    assert_eq!(paid.state().stage(), Stage::Disbursed, "what is paid is paid");
}
