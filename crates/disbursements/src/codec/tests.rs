use event_sourcing::{LocalizedText, PartialDate, Period, Text, TextOrigin};
use event_store::{Date, DecodeError, Payload, Stored, testing::Fixtures};

use crate::domain::{
    contract::{Cofinancing, Contract, ContractEvent, Paid, PaymentKind, RecoveryCause, Rider, Terms},
    contribution::{Contribution, ContributionEvent, Pledge},
    decision::{Decision, DecisionEvent, Proposal, PublishedAmount},
    fund::{Constitution, ContractState, Deadlines, Fund, FundEvent, Seat, Window},
    mirror::RecordKey,
    money::{Currency, Money},
    payment::{Payment, PaymentEvent, Request},
    standing::{AgreementFact, AgreementStanding, CommitmentFact, CommitmentStanding, StandingRecorded},
};

fn eur(euros: i64) -> Money {
    Money::of(Currency::EUR, euros * 100)
}

fn day(text: &str) -> Date {
    text.parse::<PartialDate>().ok().and_then(PartialDate::exact).expect("a day")
}

fn record(stream: &str, version: u64) -> RecordKey {
    RecordKey { stream: stream.into(), version }
}

fn deadlines() -> Deadlines {
    Deadlines { contracting: day("2020-12-31"), end_of_activities: day("2025-12-31") }
}

fn fund_events() -> Vec<FundEvent> {
    vec![
        FundEvent::Established(Constitution {
            title: LocalizedText {
                fr: Some(Text { text: "Fonds fiduciaire d’urgence".into(), origin: TextOrigin::Official }),
                en: Some(Text { text: "Emergency Trust Fund".into(), origin: TextOrigin::Translation }),
            },
            reference: "T05-EUTF".into(),
            trustee: "partners/eu-commission".into(),
            constitutive_agreement: Some("agreements/eutf-2015".into()),
            currency: Currency::EUR,
            windows: vec![Window { code: "SAH".into(), title: LocalizedText::official_en("Sahel and Lake Chad") }],
            deadlines: deadlines(),
        }),
        FundEvent::DeadlinesAmended(Deadlines { contracting: day("2021-12-31"), ..deadlines() }),
        FundEvent::SeatGiven { member: "partners/eu-commission".into(), seat: Seat::Chair },
        FundEvent::SeatEnded { member: "partners/gbr".into() },
        FundEvent::CashMovementSet { source: record("payments/iom-1", 5), amount: eur(-5_900_000) },
        FundEvent::ContractSet { contract: "contracts/t05-eutf-sah-ml-07-02".into(), state: ContractState::Open },
        FundEvent::Closed,
    ]
}

fn contribution_events() -> Vec<ContributionEvent> {
    let (fund, donor) = ("funds/eutf-africa".into(), "partners/esp".into());
    vec![
        ContributionEvent::Pledged(Pledge { fund, donor, amount: eur(9_000_000) }),
        ContributionEvent::Certified { amount: eur(6_000_000), reference: "CERT-1".into() },
        ContributionEvent::Received { amount: eur(3_000_000), reference: "2016/12".into() },
    ]
}

fn decision_events() -> Vec<DecisionEvent> {
    vec![
        DecisionEvent::Proposed(Box::new(Proposal {
            fund: "funds/eutf-africa".into(),
            trustee: "partners/eu-commission".into(),
            reference: "T05-EUTF-SAH-ML-07".into(),
            title: LocalizedText::official_fr("Renforcement de la gestion et de la gouvernance des migrations"),
            window: "SAH".into(),
            strategic_objectives: vec!["SO3".into()],
            country_codes: vec!["ML".into()],
            amount: eur(15_000_000),
            implementers: vec!["partners/aecid".into(), "partners/iom".into()],
            agreements: vec!["agreements/eutf-2015".into()],
            commitments: vec!["commitments/ml-reintegration".into()],
        })),
        DecisionEvent::Approved { amount: eur(15_000_000) },
        DecisionEvent::ApprovalConfirmed,
        DecisionEvent::ToppedUp { amount: eur(5_000_000) },
        DecisionEvent::Decommitted { amount: eur(1) },
        DecisionEvent::DrawSet { record: record("contracts/t05-eutf-sah-ml-07-02", 1), amount: eur(11_800_000) },
        DecisionEvent::PublishedAmountNoted(PublishedAmount {
            subject: "Diaspora 2".into(),
            amount: eur(4_672_897),
            published_equivalent: Money::of(Currency::XOF, 3_060_747_535),
        }),
    ]
}

fn contract_events() -> Vec<ContractEvent> {
    let cofinancing = vec![Cofinancing { financier: Some("partners/snv".into()), amount: eur(527_934) }];
    let period = Period::between(day("2017-06-09"), day("2020-12-08"));
    vec![
        ContractEvent::Signed(Box::new(Terms {
            fund: "funds/eutf-africa".into(),
            trustee: "partners/eu-commission".into(),
            decision: "decisions/t05-eutf-sah-ml-09".into(),
            reference: "T05-EUTF-SAH-ML-09-01".into(),
            title: LocalizedText::official_en("Youth Employment Creates Opportunities At Home in Mali"),
            implementer: "partners/snv".into(),
            fund_share: eur(20_000_000),
            cofinancing: cofinancing.clone(),
            period,
            agreements: vec!["agreements/eutf-2015".into()],
            commitments: vec!["commitments/ml-jobs".into()],
            programme_lines: vec!["reinsertion".into()],
        })),
        ContractEvent::Ridered(Rider {
            fund_share_change: Some(eur(-1_000)),
            cofinancing: Some(cofinancing),
            period: Some(Period { start: None, end: Some(day("2021-12-08")) }),
        }),
        ContractEvent::Decommitted { amount: eur(236_000) },
        ContractEvent::Suspended,
        ContractEvent::Resumed,
        ContractEvent::Cleared { fund: "funds/eutf-africa".into(), agreements: vec!["agreements/ml-fr".into()] },
        ContractEvent::PaymentSet {
            record: record("payments/iom-1", 5),
            paid: Paid { kind: PaymentKind::PreFinancing, amount: eur(5_900_000) },
        },
        ContractEvent::PrefinancingCleared { amount: eur(4_366_000) },
        ContractEvent::CostsDeclaredIneligible { amount: eur(236_000), payment: Some("payments/iom-3".into()) },
        ContractEvent::RecoveryOrdered {
            order: "RO-1".into(),
            cause: RecoveryCause::UnspentPrefinancing,
            amount: eur(45_000),
        },
        ContractEvent::RecoveryReceived { order: "RO-1".into(), amount: eur(45_000) },
        ContractEvent::SignatureConfirmed,
        ContractEvent::Closed,
    ]
}

fn payment_events() -> Vec<PaymentEvent> {
    vec![
        PaymentEvent::Requested(Request {
            fund: "funds/eutf-africa".into(),
            trustee: "partners/eu-commission".into(),
            contract: "contracts/t05-eutf-sah-ml-07-02".into(),
            implementer: "partners/iom".into(),
            kind: PaymentKind::Balance,
            amount: eur(1_180_000),
            first_day_of_costs: day("2018-03-01"),
            last_day_of_costs: day("2020-03-14"),
            costs_incurred: Some(eur(11_800_000)),
        }),
        PaymentEvent::Initiated,
        PaymentEvent::Verified { accepted: eur(944_000) },
        PaymentEvent::Authorised,
        PaymentEvent::Disbursed {
            fund: "funds/eutf-africa".into(),
            contract: "contracts/t05-eutf-sah-ml-07-02".into(),
            amount: eur(944_000),
            reference: "2021/77".into(),
        },
        PaymentEvent::Returned,
        PaymentEvent::Rejected,
    ]
}

fn agreement_standing(fact: AgreementFact) -> StandingRecorded<AgreementFact> {
    StandingRecorded { subject: "agreements/ml-fr".parse().expect("a name"), version: 7, fact }
}

fn commitment_standing(fact: CommitmentFact) -> StandingRecorded<CommitmentFact> {
    StandingRecorded { subject: "commitments/ml-jobs".parse().expect("a name"), version: 3, fact }
}

#[test]
fn what_was_stored_once_is_read_for_ever() {
    Fixtures::in_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events"))
        .hold::<Fund>(fund_events())
        .hold::<Contribution>(contribution_events())
        .hold::<Decision>(decision_events())
        .hold::<Contract>(contract_events())
        .hold::<Payment>(payment_events())
        .hold::<AgreementStanding>([agreement_standing(AgreementFact::Suspended)])
        .hold::<CommitmentStanding>([commitment_standing(CommitmentFact::Withdrawn)])
        .cover("toguna.disbursements.events.v1");
}

fn survives<A: Stored>(event: &A::Event)
where
    A::Event: PartialEq + std::fmt::Debug,
{
    assert_eq!(A::decode(&A::encode(event)).expect("our own bytes"), *event);
}

#[test]
fn every_value_of_an_enumeration_survives() {
    for seat in [Seat::Chair, Seat::Member, Seat::Observer] {
        survives::<Fund>(&FundEvent::SeatGiven { member: "partners/esp".into(), seat });
    }
    for state in [ContractState::Open, ContractState::Closed] {
        survives::<Fund>(&FundEvent::ContractSet { contract: "contracts/x".into(), state });
    }
    for kind in [PaymentKind::PreFinancing, PaymentKind::Interim, PaymentKind::Balance] {
        let paid = Paid { kind, amount: eur(1) };
        survives::<Contract>(&ContractEvent::PaymentSet { record: record("payments/x", 5), paid });
    }
    for cause in [RecoveryCause::UnspentPrefinancing, RecoveryCause::IneligibleCosts] {
        survives::<Contract>(&ContractEvent::RecoveryOrdered { order: "RO-1".into(), cause, amount: eur(1) });
    }
    for fact in [AgreementFact::Registered, AgreementFact::Suspended, AgreementFact::Resumed, AgreementFact::Terminated]
    {
        survives::<AgreementStanding>(&agreement_standing(fact));
    }
    for fact in [CommitmentFact::Registered, CommitmentFact::Fulfilled, CommitmentFact::Withdrawn] {
        survives::<CommitmentStanding>(&commitment_standing(fact));
    }
}

#[test]
fn what_may_be_missing_survives_without_it() {
    survives::<Contract>(&ContractEvent::Ridered(Rider::default()));
    survives::<Contract>(&ContractEvent::CostsDeclaredIneligible { amount: eur(1), payment: None });
}

#[test]
fn an_amount_beyond_the_limit_is_damage() {
    let amount = Money::of(Currency::EUR, i64::MAX);
    let stored = Decision::encode(&DecisionEvent::Approved { amount });
    assert!(matches!(Decision::decode(&stored), Err(DecodeError::Invalid("amount"))));
}

#[test]
fn an_event_of_another_aggregate_is_unknown() {
    let stored = Payload { bytes: Vec::new(), ..Fund::encode(&FundEvent::Closed) };
    assert!(matches!(Contract::decode(&stored), Err(DecodeError::UnknownType(_))));
}
