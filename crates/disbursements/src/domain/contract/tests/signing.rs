use super::*;
use crate::domain::{
    authority::AuthorityError,
    condition::Condition,
    fund::Deadlines,
    money::{Currency, MoneyError},
    standing::{Citation, CitationError},
};

fn resting_on(grounds: Grounds) -> ContractCommand {
    ContractCommand::Sign { terms: Box::new(terms()), grounds: Box::new(grounds), citations: Citations::default() }
}

fn citing(condition: Option<Condition>) -> ContractCommand {
    let agreements = vec![Citation { subject: "agreements/ml-eu".into(), condition }];
    ContractCommand::Sign {
        terms: Box::new(terms()),
        grounds: Box::new(grounds()),
        citations: Citations { agreements, commitments: Vec::new() },
    }
}

fn clear(agreement: &str) -> ContractCommand {
    let agreements = vec![agreement.into()];
    ContractCommand::Clear { fund: FUND.into(), trustee: TRUSTEE.into(), agreements }
}

#[test]
fn a_contract_is_signed_on_its_day() {
    given::<Contract>([])
        .when(&sign(terms()), &authority())
        .then_dated([Draft::on(ContractEvent::Signed(Box::new(terms())), day("2017-05-19"))]);
    signed().when(&sign(terms()), &authority()).then_refused(ContractError::AlreadySigned);
}

#[test]
fn co_financing_stands_apart_and_in_its_own_currency() {
    let state = signed().state().clone();
    assert_eq!(state.fund_share(), eur(11_800_000));
    assert_eq!(state.cofinancing(), terms().cofinancing);
    let draws: Vec<Money> = state.draws().values().map(|line| line.value).collect();
    assert_eq!(draws, [eur(11_800_000)]);
}

#[test]
fn a_contract_dated_after_the_deadline_is_refused() {
    let refusal = ContractError::ContractingDeadlinePassed {
        fund: FUND.into(),
        signed_on: day("2022-01-10"),
        deadline: day("2021-12-31"),
    };
    given::<Contract>([]).when(&sign(terms()), &authority().on("2022-01-10")).then_refused(refusal);
    given::<Contract>([])
        .when(&sign(terms()), &authority().on("2021-12-31"))
        .then([ContractEvent::Signed(Box::new(terms()))]);
}

#[test]
fn a_date_that_is_not_exact_must_lie_before_the_deadline_whatever_it_means() {
    given::<Contract>([])
        .when(&sign(terms()), &authority().on("2021"))
        .then([ContractEvent::Signed(Box::new(terms()))]);
    given::<Contract>([]).when(&sign(terms()), &authority().on("2022")).then_refused(
        ContractError::ContractingDeadlinePassed {
            fund: FUND.into(),
            signed_on: day("2022-12-31"),
            deadline: day("2021-12-31"),
        },
    );
}

#[test]
fn an_amended_deadline_counts() {
    let fund =
        Constitution { deadlines: Deadlines { contracting: day("2022-12-31"), ..deadlines() }, ..constitution() };
    given::<Contract>([])
        .when(&resting_on(Grounds { fund, ..grounds() }), &authority().on("2022-01-10"))
        .then([ContractEvent::Signed(Box::new(terms()))]);
}

#[test]
fn a_contract_without_a_date_is_refused() {
    given::<Contract>([])
        .when(&sign(terms()), &authority().on_unknown_date())
        .then_refused(ContractError::SigningDateRequired);
}

#[test]
fn activities_end_with_those_of_the_fund() {
    let period = Period { start: None, end: Some(day("2026-01-01")) };
    let refusal = ContractError::CostsAfterEndOfActivities {
        period_end: day("2026-01-01"),
        end_of_activities: day("2025-12-31"),
    };
    given::<Contract>([]).when(&sign(Terms { period, ..terms() }), &authority()).then_refused(refusal.clone());
    let prolonged = ride(Rider { period: Some(period), ..Rider::default() });
    signed().when(&prolonged, &authority()).then_refused(refusal);
}

#[test]
fn no_contract_without_the_committee() {
    let decision = ML_07.to_owned();
    given::<Contract>([])
        .when(&resting_on(Grounds { approval: None, ..grounds() }), &authority())
        .then_refused(ContractError::DecisionNotApproved { decision });
}

#[test]
fn on_a_published_approval_only_published_contracts_rest() {
    let published_approval = Grounds { approval: Some(Approval::Published), ..grounds() };
    let decision = ML_07.to_owned();
    given::<Contract>([])
        .when(&resting_on(published_approval.clone()), &authority())
        .then_refused(ContractError::DecisionUnconfirmed { decision });
    given::<Contract>([])
        .when(&resting_on(published_approval), &published(TRUSTEE).on("2017-05-19"))
        .then([ContractEvent::Signed(Box::new(terms()))]);
}

#[test]
fn the_trustee_signs_by_its_contracting_authority() {
    let refusal = AuthorityError::ActOfAnother { organisation: IOM.into(), expected: TRUSTEE.into() };
    given::<Contract>([]).when(&sign(terms()), &by(IOM, CONTRACTING_AUTHORITY)).then_refused(refusal.into());
    given::<Contract>([])
        .when(&sign(terms()), &trustee(AUTHORISING_OFFICER))
        .then_refused(AuthorityError::RoleRequired { role: CONTRACTING_AUTHORITY }.into());
}

#[test]
fn shares_are_in_the_funds_currency_and_more_than_nothing() {
    let refused = |fund_share, refusal: MoneyError| {
        let terms = Terms { fund_share, ..terms() };
        given::<Contract>([]).when(&sign(terms), &authority()).then_refused(refusal.into());
    };
    refused(xof(1), MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF });
    refused(eur(0), MoneyError::NotPositive);
    let cofinancing = vec![Cofinancing { financier: None, amount: eur(0) }];
    given::<Contract>([])
        .when(&sign(Terms { cofinancing, ..terms() }), &authority())
        .then_refused(MoneyError::NotPositive.into());
}

#[test]
fn unknown_and_terminated_agreements_carry_no_contract() {
    let (agreement, since) = (String::from("agreements/ml-eu"), day("2016-01-01"));
    let unknown = CitationError::AgreementUnknown { agreement: agreement.clone() };
    given::<Contract>([]).when(&citing(None), &authority()).then_refused(unknown.into());
    let ended = CitationError::AgreementTerminated { agreement, since };
    given::<Contract>([]).when(&citing(Some(Condition::Ended { since })), &authority()).then_refused(ended.into());
}

#[test]
fn a_suspended_agreement_holds_a_contract_until_an_authorising_officer_clears_it() {
    let (agreement, since) = (String::from("agreements/ml-eu"), day("2016-01-01"));
    let suspended = citing(Some(Condition::Suspended { since }));
    let refusal = CitationError::AgreementSuspended { agreement, since };
    given::<Contract>([]).when(&suspended, &authority()).then_refused(refusal.clone().into());
    let officer = trustee(AUTHORISING_OFFICER);
    given::<Contract>([]).when(&clear("agreements/ml-eu"), &officer).then_refused(ContractError::ReasonRequired);
    let cleared = given::<Contract>([]).and(&clear("agreements/ml-eu"), &officer.clone().because("urgent aid"));
    cleared.when(&suspended, &authority()).then([ContractEvent::Signed(Box::new(terms()))]);
    cleared.when(&clear("agreements/ml-eu"), &officer.because("again")).then_nothing();
    let other = given::<Contract>([]).and(&clear("agreements/other"), &trustee(AUTHORISING_OFFICER).because("x"));
    other.when(&suspended, &authority()).then_refused(refusal.into());
}

#[test]
fn clearing_is_the_trustees_own_act_for_its_own_fund() {
    let officer = trustee(AUTHORISING_OFFICER).because("urgent aid");
    given::<Contract>([])
        .when(&clear("agreements/ml-eu"), &published(TRUSTEE).because("said so"))
        .then_refused(AuthorityError::OwnActRequired { organisation: TRUSTEE.into() }.into());
    let cleared = given::<Contract>([]).and(&clear("agreements/ml-eu"), &officer);
    let elsewhere = Terms { fund: "funds/other".into(), ..terms() };
    cleared.when(&sign(elsewhere), &authority()).then_refused(ContractError::OtherFund { fund: FUND.into() });
    let fund = String::from("funds/other");
    let command = ContractCommand::Clear { fund, trustee: TRUSTEE.into(), agreements: vec!["agreements/x".into()] };
    cleared.when(&command, &officer).then_refused(ContractError::OtherFund { fund: FUND.into() });
}
