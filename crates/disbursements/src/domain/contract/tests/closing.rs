use super::*;
use crate::domain::{authority::AuthorityError, money::MoneyError};

fn officer() -> Act {
    trustee(AUTHORISING_OFFICER)
}

fn payer() -> Act {
    trustee(ACCOUNTING_OFFICER)
}

fn prefinanced(euros: i64) -> Given<Contract> {
    signed().and(&pay(PAYMENT, PaymentKind::PreFinancing, eur(euros)), &payer())
}

fn clear(euros: i64) -> ContractCommand {
    ContractCommand::ClearPrefinancing { amount: eur(euros) }
}

fn order(cause: RecoveryCause, euros: i64) -> ContractCommand {
    ContractCommand::OrderRecovery { order: "RO-1".into(), cause, amount: eur(euros) }
}

fn receive(euros: i64) -> ContractCommand {
    ContractCommand::ReceiveRecovery { order: "RO-1".into(), amount: eur(euros) }
}

fn beyond(amount: i64, available: i64) -> ContractError {
    ContractError::ExceedsRecoverable { amount: eur(amount), available: eur(available) }
}

#[test]
fn the_sums_of_the_iom_contract_close_in_both_currencies() {
    let contract = signed()
        .and(&pay("payments/iom-1", PaymentKind::PreFinancing, eur(5_900_000)), &payer())
        .and(&pay("payments/iom-2", PaymentKind::PreFinancing, eur(4_720_000)), &payer())
        .and(&clear(10_620_000), &officer())
        .and(&pay("payments/iom-3", PaymentKind::Balance, eur(944_000)), &payer())
        .and(&ContractCommand::DeclareCostsIneligible { amount: eur(236_000), payment: None }, &officer())
        .and(&ContractCommand::Decommit { amount: eur(236_000) }, &authority());
    let state = contract.state();
    assert_eq!((state.paid(), state.fund_share()), (eur(11_564_000), eur(11_564_000)));
    assert_eq!((state.ineligible(), state.available()), (eur(236_000), eur(0)));
    contract.when(&ContractCommand::Close, &authority()).then([ContractEvent::Closed]);

    let francs = |euros: i64| {
        eur(euros).at_parity_in(crate::domain::money::Currency::XOF).map(Money::minor_units).unwrap_or_default()
    };
    assert_eq!([944_000, 236_000, 11_800_000].map(francs), [619_223_408, 154_805_852, 7_740_292_600]);
    assert_eq!([5_900_000, 4_720_000, 944_000, 236_000].map(francs).iter().sum::<i64>(), francs(11_800_000));
}

#[test]
fn pre_financing_stays_open_until_cleared_or_recovered() {
    let contract = prefinanced(5_900_000).and(&clear(4_366_000), &officer());
    assert_eq!(contract.state().open_prefinancing(), eur(1_534_000));
    contract
        .when(&clear(1_534_001), &officer())
        .then_refused(ContractError::ExceedsOpenPrefinancing { amount: eur(1_534_001), available: eur(1_534_000) });
    contract
        .when(&ContractCommand::Close, &authority())
        .then_refused(ContractError::PrefinancingNotCleared { amount: eur(1_534_000) });
    let recovered = contract
        .and(&order(RecoveryCause::UnspentPrefinancing, 1_534_000), &officer())
        .and(&receive(1_534_000), &payer());
    recovered.when(&ContractCommand::Close, &authority()).then([ContractEvent::Closed]);
}

#[test]
fn what_is_asked_back_as_unspent_is_not_cleared_as_spent() {
    let asked = prefinanced(100).and(&order(RecoveryCause::UnspentPrefinancing, 60), &officer());
    asked
        .when(&clear(41), &officer())
        .then_refused(ContractError::ExceedsOpenPrefinancing { amount: eur(41), available: eur(40) });
}

#[test]
fn no_more_is_asked_back_than_was_paid_and_no_more_received_than_asked() {
    let paid = signed().and(&pay(PAYMENT, PaymentKind::Interim, eur(100)), &payer());
    paid.when(&order(RecoveryCause::IneligibleCosts, 101), &officer()).then_refused(beyond(101, 100));
    paid.when(&order(RecoveryCause::UnspentPrefinancing, 1), &officer()).then_refused(beyond(1, 0));
    let asked = paid.and(&order(RecoveryCause::IneligibleCosts, 45), &officer());
    asked.when(&receive(46), &payer()).then_refused(beyond(46, 45));
    let half = asked.and(&receive(20), &payer());
    half.when(&receive(26), &payer()).then_refused(beyond(26, 25));
    half.when(&ContractCommand::Close, &authority())
        .then_refused(ContractError::RecoveriesNotSettled { amount: eur(25) });
}

#[test]
fn an_order_has_a_reference_of_its_own() {
    let asked = prefinanced(100).and(&order(RecoveryCause::IneligibleCosts, 1), &officer());
    asked
        .when(&order(RecoveryCause::IneligibleCosts, 1), &officer())
        .then_refused(ContractError::RecoveryOrderExists { order: "RO-1".into() });
    prefinanced(100)
        .when(&receive(1), &payer())
        .then_refused(ContractError::RecoveryOrderUnknown { order: "RO-1".into() });
}

#[test]
fn orders_and_receipts_are_for_different_roles() {
    prefinanced(100)
        .when(&order(RecoveryCause::IneligibleCosts, 1), &payer())
        .then_refused(AuthorityError::RoleRequired { role: AUTHORISING_OFFICER }.into());
    prefinanced(100)
        .when(&receive(1), &officer())
        .then_refused(AuthorityError::RoleRequired { role: ACCOUNTING_OFFICER }.into());
}

#[test]
fn who_orders_does_not_take_in() {
    let both = officer().with_role(ACCOUNTING_OFFICER);
    prefinanced(100)
        .and(&order(RecoveryCause::IneligibleCosts, 1), &both)
        .when(&receive(1), &both)
        .then_refused(ContractError::SamePersonTwice { earlier_role: AUTHORISING_OFFICER });
}

#[test]
fn a_payment_that_came_back_is_not_corrected_away() {
    let back = prefinanced(100).and(&order(RecoveryCause::IneligibleCosts, 60), &officer()).and(&receive(60), &payer());
    back.when(&pay(PAYMENT, PaymentKind::PreFinancing, eur(59)), &payer()).then_refused(beyond(60, 59));
}

#[test]
fn a_closed_contract_takes_nothing_more() {
    let closed = signed().and(&ContractCommand::Close, &authority());
    closed.when(&ContractCommand::Close, &authority()).then_nothing();
    closed.when(&ContractCommand::Decommit { amount: eur(1) }, &authority()).then_refused(ContractError::Closed);
    let payable = closed.state().check_payable(
        CONTRACT,
        day("2018-01-01"),
        day("2018-01-01"),
        &Citations::default(),
        Some(Approval::Own),
    );
    assert_eq!(payable, Err(ContractError::Closed));
}

#[test]
fn amounts_are_more_than_nothing() {
    for command in [ContractCommand::Decommit { amount: eur(0) }, ContractCommand::Decommit { amount: eur(-1) }] {
        signed().when(&command, &authority()).then_refused(MoneyError::NotPositive.into());
    }
    prefinanced(1).when(&clear(0), &officer()).then_refused(MoneyError::NotPositive.into());
    prefinanced(1)
        .when(&order(RecoveryCause::IneligibleCosts, 0), &officer())
        .then_refused(MoneyError::NotPositive.into());
    let ineligible = ContractCommand::DeclareCostsIneligible { amount: eur(0), payment: None };
    prefinanced(1).when(&ineligible, &officer()).then_refused(MoneyError::NotPositive.into());
}

#[test]
fn nothing_can_be_asked_of_a_contract_that_is_not_signed() {
    given::<Contract>([]).when(&ContractCommand::Close, &authority()).then_refused(ContractError::NotSigned);
}
