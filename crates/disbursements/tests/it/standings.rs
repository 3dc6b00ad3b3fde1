//! Facts of other services' logs enter ours, and decide there.

use std::{fmt, time::Duration};

use contracts::{
    reasons::Reason,
    toguna::{
        commitments::events::v1 as promised,
        disbursements::v1::{ClearContractRequest, ProposeDecisionRequest, RequestPaymentRequest, SignContractRequest},
        partnerships::events::v1 as agreed,
    },
};
use event_store::{
    Act, Actor, Aggregate, Basis, Certainty, CommandMeta, Correction, DecodeError, Draft, Executed, Log, Nats, Payload,
    Recorded, Refusal, Stored, StreamName,
    relay::{self, RelayConfig},
};
use harness::Servers;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::house::*;

/// Another service's log, written without its rules.
struct Foreign {
    log: Log,
    _relay: DropGuard,
}

/// Whatever another service stores.
macro_rules! foreign {
    ($name:ident $category:literal) => {
        #[derive(Default, Clone)]
        struct $name;

        impl Aggregate for $name {
            const CATEGORY: &'static str = $category;
            type Command = Payload;
            type Event = Payload;
            type Error = Never;

            fn decide(&self, event: &Payload, act: &Act) -> Result<Vec<Draft<Payload>>, Never> {
                Ok(vec![act.draft(event.clone())])
            }

            fn evolve(self, _: &Recorded<Payload>) -> Self {
                self
            }
        }

        impl Stored for $name {
            fn encode(event: &Payload) -> Payload {
                event.clone()
            }

            fn decode(payload: &Payload) -> Result<Payload, DecodeError> {
                Ok(payload.clone())
            }
        }
    };
}

foreign!(Agreement "agreements");
foreign!(Commitment "commitments");

/// Nothing is refused.
#[derive(Debug)]
enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Refusal for Never {
    fn reason(&self) -> &'static Reason {
        match *self {}
    }

    fn values(&self) -> Vec<(&'static str, event_store::Value)> {
        match *self {}
    }
}

fn act(person: &str, on: &str) -> Act {
    let date = on.parse().expect("a date");
    Act {
        actor: Actor {
            issuer: "test".into(),
            subject: person.into(),
            organisation: "partners/ml".into(),
            roles: Vec::new(),
        },
        on_behalf_of: "partners/ml".into(),
        basis: Basis::Act,
        effective_on: Some(date),
        sources: Vec::new(),
        certainty: Certainty::Exact,
        reason: "because".into(),
        today: date.latest(),
    }
}

fn meta() -> CommandMeta {
    CommandMeta {
        request_id: Uuid::now_v7(),
        content_hash: [0; 32],
        expected_version: None,
        validate_only: false,
        correlation_id: None,
        causation_id: None,
        traceparent: String::new(),
    }
}

impl Foreign {
    async fn of(house: &House, service: &'static str) -> Self {
        let database = Servers::shared().await.database(service).await;
        let shutdown = CancellationToken::new();
        let log = Log::open(service, &database, shutdown.clone()).await.expect("the log opens");
        let nats = Nats::connect(&house.nats.service_url(service), service).await.expect("an address");
        relay::start(log.clone(), &nats, RelayConfig::default(), shutdown.clone());
        Self { log, _relay: shutdown.drop_guard() }
    }

    /// Records an event and says what to send to see it.
    async fn record<A>(&self, stream: &str, on: &str, event: Payload) -> Vec<String>
    where
        A: Stored + Aggregate<Command = Payload>,
        A::Error: Refusal,
    {
        let stream: StreamName = stream.parse().expect("a name");
        let recorded = self.log.execute(meta(), act("one", on), |unit| unit.handle::<A>(&stream, &event)).await;
        token(&recorded.expect("it is recorded"))
    }

    /// Two persons say on which date a record's event really happened.
    async fn redate(&self, stream: &str, version: u64, right: Payload, on: &str) -> Vec<String> {
        let stream: StreamName = stream.parse().expect("a name");
        let correction =
            Correction { mistaken_version: version, right, effective_on: Some(on.parse().expect("a date")) };
        let proposed = self
            .log
            .execute(meta(), act("one", on), |unit| unit.propose_correction::<Agreement>(&stream, correction.clone()))
            .await
            .expect("it is proposed");
        let confirmed = self
            .log
            .execute(meta(), act("two", on), |unit| unit.confirm_correction::<Agreement>(&stream, proposed.version))
            .await;
        token(&confirmed.expect("it is confirmed"))
    }
}

fn token(executed: &Executed) -> Vec<String> {
    vec![executed.token.to_string()]
}

const AGREEMENT: &str = "agreements/ml-eu";

fn suspended() -> Payload {
    Payload::of(&agreed::AgreementSuspended { party: "partners/ml".into() })
}

fn citing(name: &str, tokens: Vec<String>) -> SignContractRequest {
    SignContractRequest {
        act: on("2018-06-01"),
        agreements: vec![AGREEMENT.into()],
        at_least_as_fresh: tokens,
        ..contract(name, eur(1_000_000))
    }
}

fn costs(name: &str, contract: &str, start: &str, end: &str) -> RequestPaymentRequest {
    RequestPaymentRequest {
        request_id: id(),
        act: on("2018-09-01"),
        name: name.into(),
        contract: contract.into(),
        kind: contracts::toguna::disbursements::events::v1::PaymentKind::Interim.into(),
        amount: eur(1_000),
        cost_period: period(start, end),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_and_payments_follow_the_standing_of_an_agreement() {
    let mut house = House::with_decision().await;
    let partnerships = Foreign::of(&house, "partnerships").await;
    let authority = "contracting_authority";
    let status = house.contracts.sign_contract(by(authority, citing("contracts/a", Vec::new()))).await;
    assert_eq!(reason(&status.expect_err("nobody knows it")), "AGREEMENT_UNKNOWN");

    let registered = Payload::of(&agreed::AgreementRegistered::default());
    let seen = partnerships.record::<Agreement>(AGREEMENT, "2016-12-11", registered).await;
    let first = house.contracts.sign_contract(by(authority, citing("contracts/a", seen))).await;
    first.expect("it rests on a known agreement");

    let seen = partnerships.record::<Agreement>(AGREEMENT, "2018-05-01", suspended()).await;
    let held = house.contracts.sign_contract(by(authority, citing("contracts/b", seen))).await;
    let status = held.expect_err("the agreement is suspended");
    assert_eq!((reason(&status).as_str(), value(&status, "since").as_str()), ("AGREEMENT_SUSPENDED", "2018-05-01"));

    // What was incurred before stays payable.
    let before = costs("payments/a-1", "contracts/a", "2018-01-01", "2018-04-30");
    house.payments.request_payment(by_at("implementer", IOM, before)).await.expect("costs before it");
    let after = || costs("payments/a-2", "contracts/a", "2018-01-01", "2018-05-01");
    let status = house.payments.request_payment(by_at("implementer", IOM, after())).await.expect_err("costs after it");
    assert_eq!(reason(&status), "AGREEMENT_SUSPENDED");
    let clear = ClearContractRequest {
        request_id: id(),
        act: because("2018-08-01", "staff must be paid"),
        name: "contracts/a".into(),
        fund: FUND.into(),
        agreements: vec![AGREEMENT.into()],
        ..Default::default()
    };
    house.contracts.clear_contract(by("authorising_officer", clear)).await.expect("it is cleared");
    house.payments.request_payment(by_at("implementer", IOM, after())).await.expect("it is cleared");

    // The suspension is found to have been later: the correction counts, and a contract of June is signed.
    let seen = partnerships.redate(AGREEMENT, 2, suspended(), "2018-07-01").await;
    house.contracts.sign_contract(by(authority, citing("contracts/b", seen))).await.expect("it was in force");

    let terminated = Payload::of(&agreed::AgreementTerminated::default());
    let seen = partnerships.record::<Agreement>(AGREEMENT, "2018-06-01", terminated).await;
    let status = house.contracts.sign_contract(by(authority, citing("contracts/c", seen))).await;
    assert_eq!(reason(&status.expect_err("it has ended")), "AGREEMENT_TERMINATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_rest_on_commitments_that_are_in_the_register_and_not_taken_back() {
    let mut house = House::with_fund().await;
    let commitments = Foreign::of(&house, "commitments").await;
    let name = "commitments/ml-reintegration";
    let citing = |decision: &str, tokens: Vec<String>| ProposeDecisionRequest {
        commitments: vec![name.into()],
        at_least_as_fresh: tokens,
        ..proposal(decision)
    };
    let unknown = house.decisions.propose_decision(by("fund_manager", citing("decisions/a", Vec::new()))).await;
    assert_eq!(reason(&unknown.expect_err("nobody knows it")), "COMMITMENT_UNKNOWN");
    let declared = Payload::of(&promised::CommitmentDeclared::default());
    let seen = commitments.record::<Commitment>(name, "2015-11-12", declared).await;
    house.decisions.propose_decision(by("fund_manager", citing("decisions/a", seen))).await.expect("it is known");
    let withdrawn = Payload::of(&promised::CommitmentWithdrawn {});
    let seen = commitments.record::<Commitment>(name, "2016-12-29", withdrawn).await;
    let status = house.decisions.propose_decision(by("fund_manager", citing("decisions/b", seen))).await;
    assert_eq!(reason(&status.expect_err("it was taken back")), "COMMITMENT_WITHDRAWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_entered_says_from_where_and_is_entered_once() {
    let mut house = House::with_fund().await;
    let partnerships = Foreign::of(&house, "partnerships").await;
    let registered = Payload::of(&agreed::AgreementRegistered::default());
    partnerships.record::<Agreement>(AGREEMENT, "2016-12-11", registered).await;
    let noise = Payload::of(&agreed::AgreementTextInitialled {});
    partnerships.record::<Agreement>(AGREEMENT, "2016-12-11", noise).await;
    let seen = partnerships.record::<Agreement>(AGREEMENT, "2018-05-01", suspended()).await;
    let request =
        contracts::toguna::disbursements::v1::ListFundsRequest { at_least_as_fresh: seen, ..Default::default() };
    house.funds.list_funds(by("auditor", request)).await.expect("it has seen them");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let standings: Vec<_> =
        house.records().await.into_iter().filter(|record| record.stream == "agreement-standings/ml-eu").collect();
    assert_eq!(standings.len(), 2);
    for standing in &standings {
        assert_eq!(standing.basis(), contracts::toguna::log::v1::Basis::RecordedFromSource);
        assert_eq!(standing.on_behalf_of, "partners/ml");
        assert!(!standing.causation_id.is_empty(), "the event that caused it");
    }
    assert_eq!(standings[1].effective_on, day("2018-05-01"));
}
