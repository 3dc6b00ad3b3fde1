use event_sourcing::Correction;

use super::*;
use crate::domain::{
    condition::Condition,
    money::{Currency, MoneyError},
    standing::{Citation, CitationError},
};

fn suspended_agreement(since: &str) -> Citations {
    let condition = Some(Condition::Suspended { since: day(since) });
    Citations { agreements: vec![Citation { subject: "agreements/ml-eu".into(), condition }], commitments: Vec::new() }
}

fn raise(euros: i64) -> ContractCommand {
    ride(Rider { fund_share_change: Some(eur(euros)), ..Rider::default() })
}

#[test]
fn no_more_is_paid_than_the_funds_share() {
    let act = trustee(ACCOUNTING_OFFICER);
    let paid = signed().and(&pay(PAYMENT, PaymentKind::PreFinancing, eur(5_900_000)), &act);
    paid.when(&pay("payments/iom-2", PaymentKind::Interim, cents(590_000_001)), &act)
        .then_refused(ContractError::ExceedsAmount { amount: cents(590_000_001), available: eur(5_900_000) });
    let record = RecordKey { stream: "payments/iom-2".into(), version: 5 };
    let all = Paid { kind: PaymentKind::Interim, amount: eur(5_900_000) };
    paid.when(&pay("payments/iom-2", PaymentKind::Interim, eur(5_900_000)), &act)
        .then([ContractEvent::PaymentSet { record, paid: all }]);
}

#[test]
fn a_request_is_compared_with_what_is_left() {
    let contract = signed().state().clone();
    assert_eq!(contract.check_room(eur(11_800_000)), Ok(()));
    let refusal = ContractError::ExceedsAmount { amount: eur(11_800_001), available: eur(11_800_000) };
    assert_eq!(contract.check_room(eur(11_800_001)), Err(refusal));
}

#[test]
fn what_was_recovered_can_be_paid_again() {
    let (payer, officer) = (trustee(ACCOUNTING_OFFICER), trustee(AUTHORISING_OFFICER));
    let order = ContractCommand::OrderRecovery {
        order: "RO-1".into(),
        cause: RecoveryCause::IneligibleCosts,
        amount: eur(45_000),
    };
    let back = ContractCommand::ReceiveRecovery { order: "RO-1".into(), amount: eur(45_000) };
    let contract = signed()
        .and(&pay(PAYMENT, PaymentKind::Interim, eur(11_800_000)), &payer)
        .and(&order, &officer)
        .and(&back, &payer);
    assert_eq!(contract.state().available(), eur(45_000));
    assert_eq!(contract.state().receipts().values().map(|line| line.value).collect::<Vec<_>>(), [eur(45_000)]);
}

#[test]
fn only_what_is_not_paid_is_decommitted() {
    let paid = signed().and(&pay(PAYMENT, PaymentKind::Interim, eur(11_564_000)), &trustee(ACCOUNTING_OFFICER));
    let decommit = |amount| ContractCommand::Decommit { amount };
    paid.when(&decommit(cents(23_600_001)), &authority())
        .then_refused(ContractError::ExceedsReleasable { amount: cents(23_600_001), available: eur(236_000) });
    let released = paid.and(&decommit(eur(236_000)), &authority());
    assert_eq!((released.state().fund_share(), released.state().available()), (eur(11_564_000), eur(0)));
    let drawn: i64 = released.state().draws().values().map(|line| line.value.minor_units()).sum();
    assert_eq!(drawn, eur(11_564_000).minor_units());
}

#[test]
fn a_rider_raises_and_lowers_within_what_is_paid() {
    let paid = signed().and(&pay(PAYMENT, PaymentKind::Interim, eur(11_000_000)), &trustee(ACCOUNTING_OFFICER));
    paid.when(&raise(-800_001), &authority())
        .then_refused(ContractError::ExceedsReleasable { amount: eur(800_001), available: eur(800_000) });
    assert_eq!(paid.clone().and(&raise(-800_000), &authority()).state().available(), eur(0));
    assert_eq!(paid.and(&raise(76_233), &authority()).state().fund_share(), eur(11_876_233));
}

#[test]
fn a_rider_that_changes_nothing_is_nothing() {
    signed().when(&ride(Rider::default()), &authority()).then_nothing();
}

#[test]
fn a_rider_replaces_what_it_names_and_leaves_the_rest() {
    let period = Period::between(day("2017-05-19"), day("2021-03-14"));
    let rider = Rider { cofinancing: Some(Vec::new()), period: Some(period), ..Rider::default() };
    let state = signed().and(&ride(rider), &authority()).state().clone();
    assert_eq!((state.cofinancing(), state.period()), (&[][..], period));
    assert_eq!(state.fund_share(), eur(11_800_000));
}

#[test]
fn a_rider_speaks_the_contracts_currency() {
    let francs = ride(Rider { fund_share_change: Some(xof(1)), ..Rider::default() });
    let refusal = MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF };
    signed().when(&francs, &authority()).then_refused(refusal.into());
}

#[test]
fn a_contract_suspended_alone_holds_costs_after_that_day_until_it_is_resumed() {
    let suspended = signed().and(&ContractCommand::Suspend, &authority().on("2022-11-21"));
    let payable = |contract: &Given<Contract>, last, on| {
        contract.state().check_payable(CONTRACT, day(last), day(on), &Citations::default(), Some(Approval::Own))
    };
    assert_eq!(payable(&suspended, "2022-11-20", "2023-01-15"), Ok(()));
    let refusal = ContractError::Suspended { since: day("2022-11-21") };
    assert_eq!(payable(&suspended, "2022-11-21", "2023-01-15"), Err(refusal));
    suspended.when(&ContractCommand::Suspend, &authority().on("2022-12-01")).then_nothing();
    let resumed = suspended.and(&ContractCommand::Resume, &authority().on("2023-03-01"));
    assert_eq!(payable(&resumed, "2022-11-21", "2023-03-01"), Ok(()));
    resumed.when(&ContractCommand::Resume, &authority().on("2023-04-01")).then_nothing();
}

#[test]
fn a_suspended_agreement_holds_costs_after_that_day_unless_the_contract_was_cleared() {
    let since = "2022-11-21";
    let contract = signed();
    let citations = suspended_agreement(since);
    assert_eq!(
        contract.state().check_payable(CONTRACT, day("2022-11-20"), day("2023-01-15"), &citations, Some(Approval::Own)),
        Ok(())
    );
    let agreement = String::from("agreements/ml-eu");
    let refusal = CitationError::AgreementSuspended { agreement: agreement.clone(), since: day(since) };
    let held =
        contract.state().check_payable(CONTRACT, day("2022-11-21"), day("2023-01-15"), &citations, Some(Approval::Own));
    assert_eq!(held, Err(refusal.into()));
    let command = ContractCommand::Clear { fund: FUND.into(), trustee: TRUSTEE.into(), agreements: vec![agreement] };
    let cleared = contract.and(&command, &trustee(AUTHORISING_OFFICER).because("staff must be paid"));
    assert_eq!(
        cleared.state().check_payable(CONTRACT, day("2022-11-21"), day("2023-01-15"), &citations, Some(Approval::Own)),
        Ok(())
    );
}

#[test]
fn nothing_is_paid_on_the_word_of_a_publication() {
    let payable = |approval| {
        let (contract, day) = (signed().state().clone(), day("2018-01-01"));
        contract.check_payable(CONTRACT, day, day, &Citations::default(), approval)
    };
    let decision = ML_07.to_owned();
    assert_eq!(payable(Some(Approval::Own)), Ok(()));
    let refusal = ContractError::DecisionUnconfirmed { decision: decision.clone() };
    assert_eq!(payable(Some(Approval::Published)), Err(refusal));
    assert_eq!(payable(None), Err(ContractError::DecisionNotApproved { decision }));
}

#[test]
fn an_ended_agreement_leaves_earlier_costs_payable() {
    let condition = Some(Condition::Ended { since: day("2023-06-01") });
    let citations = Citations {
        agreements: vec![Citation { subject: "agreements/ml-eu".into(), condition }],
        commitments: Vec::new(),
    };
    let contract = signed();
    assert_eq!(
        contract.state().check_payable(CONTRACT, day("2023-05-31"), day("2024-01-01"), &citations, Some(Approval::Own)),
        Ok(())
    );
    let refusal = CitationError::AgreementTerminated { agreement: "agreements/ml-eu".into(), since: day("2023-06-01") };
    let held =
        contract.state().check_payable(CONTRACT, day("2023-06-01"), day("2024-01-01"), &citations, Some(Approval::Own));
    assert_eq!(held, Err(refusal.into()));
}

#[test]
fn a_correction_keeps_the_share_over_what_is_paid() {
    let paid = signed().and(&pay(PAYMENT, PaymentKind::Interim, eur(5_900_000)), &trustee(ACCOUNTING_OFFICER));
    let signed_at = |fund_share| {
        let right = ContractEvent::Signed(Box::new(Terms { fund_share, ..terms() }));
        paid.history().corrected(&Correction { mistaken_version: 1, right, effective_on: None }).check()
    };
    assert_eq!(signed_at(eur(5_900_000)), Ok(()));
    let refusal = ContractError::ExceedsAmount { amount: eur(5_900_000), available: eur(5_899_999) };
    assert_eq!(signed_at(eur(5_899_999)), Err(refusal));
}

#[test]
fn a_corrected_signature_draws_on_its_own_record_and_keeps_the_deadline() {
    let contract = signed();
    let right = ContractEvent::Signed(Box::new(Terms { fund_share: eur(11_000_000), ..terms() }));
    let late = Some("2022-01-10".parse().expect("a date"));
    let corrected = contract.history().corrected(&Correction { mistaken_version: 1, right, effective_on: late });
    assert_eq!(corrected.draws().get(&1).map(|line| (line.value, line.effective_on)), Some((eur(11_000_000), late)));
    assert!(matches!(corrected.check_deadlines(deadlines()), Err(ContractError::ContractingDeadlinePassed { .. })));
    assert_eq!(contract.state().check_deadlines(deadlines()), Ok(()));
}
