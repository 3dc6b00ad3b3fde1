use event_sourcing::testing::{Given, given};

use super::*;
use crate::domain::testing::*;

fn pledge() -> Pledge {
    Pledge { fund: FUND.into(), donor: SPAIN.into(), amount: eur(9_000_000) }
}

fn pledge_it(pledge: Pledge) -> ContributionCommand {
    ContributionCommand::Pledge { pledge, currency: Currency::EUR, trustee: TRUSTEE.into() }
}

fn pledged() -> Given<Contribution> {
    given([ContributionEvent::Pledged(pledge())])
}

fn certify(amount: Money) -> ContributionCommand {
    ContributionCommand::Certify { amount, reference: "CERT-1".into() }
}

fn receive(amount: Money) -> ContributionCommand {
    ContributionCommand::Receive { trustee: TRUSTEE.into(), amount, reference: String::new() }
}

fn certified() -> Given<Contribution> {
    pledged().and(&certify(eur(6_000_000)), &by(SPAIN, DONOR))
}

#[test]
fn a_donor_pledges_certifies_and_its_money_is_received() {
    given::<Contribution>([])
        .when(&pledge_it(pledge()), &by(SPAIN, DONOR))
        .then([ContributionEvent::Pledged(pledge())]);
    let received = certified().and(&receive(eur(3_000_000)), &trustee(ACCOUNTING_OFFICER)).state().clone();
    assert_eq!((received.certified(), received.received()), (eur(6_000_000), eur(3_000_000)));
    assert_eq!(received.receipts().values().map(|line| line.value).collect::<Vec<_>>(), [eur(3_000_000)]);
}

#[test]
fn a_pledge_alone_lets_nothing_be_received() {
    pledged()
        .when(&receive(eur(1)), &trustee(ACCOUNTING_OFFICER))
        .then_refused(ContributionError::ExceedsCertified { amount: eur(1), available: eur(0) });
}

#[test]
fn no_more_is_received_than_certified_unless_there_is_a_new_certificate() {
    let act = trustee(ACCOUNTING_OFFICER);
    let half = certified().and(&receive(eur(4_000_000)), &act);
    half.when(&receive(cents(200_000_001)), &act)
        .then_refused(ContributionError::ExceedsCertified { amount: cents(200_000_001), available: eur(2_000_000) });
    let more = half.and(&certify(cents(1)), &by(SPAIN, DONOR)).and(&receive(cents(200_000_001)), &act);
    assert_eq!(more.state().received(), more.state().certified());
}

#[test]
fn a_donor_speaks_for_itself_alone() {
    let expected = SPAIN.to_owned();
    pledged()
        .when(&certify(eur(1)), &by("partners/fra", DONOR))
        .then_refused(AuthorityError::ActOfAnother { organisation: "partners/fra".into(), expected }.into());
    pledged()
        .when(&certify(eur(1)), &by(SPAIN, ACCOUNTING_OFFICER))
        .then_refused(AuthorityError::RoleRequired { role: DONOR }.into());
}

#[test]
fn money_is_received_by_the_trustee_and_not_by_the_donor() {
    let refusal = AuthorityError::ActOfAnother { organisation: SPAIN.into(), expected: TRUSTEE.into() };
    certified().when(&receive(eur(1)), &by(SPAIN, ACCOUNTING_OFFICER)).then_refused(refusal.into());
}

#[test]
fn a_published_pledge_can_be_entered() {
    given::<Contribution>([])
        .when(&pledge_it(pledge()), &published(SPAIN))
        .then([ContributionEvent::Pledged(pledge())]);
}

#[test]
fn a_contribution_is_pledged_once_and_before_all_else() {
    pledged().when(&pledge_it(pledge()), &by(SPAIN, DONOR)).then_refused(ContributionError::AlreadyPledged);
    given::<Contribution>([]).when(&certify(eur(1)), &by(SPAIN, DONOR)).then_refused(ContributionError::NotPledged);
}

#[test]
fn amounts_are_in_the_funds_currency_and_more_than_nothing() {
    let mismatch = MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF };
    let in_francs = Pledge { amount: xof(1), ..pledge() };
    given::<Contribution>([]).when(&pledge_it(in_francs), &by(SPAIN, DONOR)).then_refused(mismatch.into());
    pledged().when(&certify(xof(1)), &by(SPAIN, DONOR)).then_refused(mismatch.into());
    pledged().when(&certify(eur(0)), &by(SPAIN, DONOR)).then_refused(MoneyError::NotPositive.into());
    certified().when(&receive(eur(-1)), &trustee(ACCOUNTING_OFFICER)).then_refused(MoneyError::NotPositive.into());
}

#[test]
fn a_correction_keeps_receipts_within_certificates() {
    let received = certified().and(&receive(eur(3_000_000)), &trustee(ACCOUNTING_OFFICER));
    let lowered = |amount| {
        let right = ContributionEvent::Certified { amount, reference: "CERT-1".into() };
        let correction = event_sourcing::Correction { mistaken_version: 2, right, effective_on: None };
        received.history().corrected(&correction).check()
    };
    assert_eq!(lowered(eur(3_000_000)), Ok(()));
    let refusal = ContributionError::ExceedsCertified { amount: eur(3_000_000), available: eur(2_999_999) };
    assert_eq!(lowered(eur(2_999_999)), Err(refusal));
    assert!(matches!(lowered(xof(3_000_000)), Err(ContributionError::Money(_))));
}
