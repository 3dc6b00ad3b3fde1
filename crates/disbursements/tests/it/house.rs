//! A running service of its own for each test, and the people who call it.

use std::{collections::HashMap, time::Duration};

use contracts::toguna::{
    disbursements::{
        events::v1 as events,
        v1::{
            ApproveDecisionRequest, CertifyContributionRequest, EstablishFundRequest, GiveCommitteeSeatRequest,
            PledgeContributionRequest, ProposeDecisionRequest, ReceiveContributionRequest, SignContractRequest,
            contract_service_client::ContractServiceClient, contribution_service_client::ContributionServiceClient,
            correction_service_client::CorrectionServiceClient, decision_service_client::DecisionServiceClient,
            fund_service_client::FundServiceClient, payment_service_client::PaymentServiceClient,
        },
    },
    log::v1::{self as log, journal_service_client::JournalServiceClient, log_service_client::LogServiceClient},
    r#type::v1 as types,
};
use disbursements::projections::{Contracts, Contributions, Decisions, Funds, MIGRATOR, Payments};
use event_store::{Log, Projection, testing::rows_whatever_the_batches};
use harness::{NatsServer, Private, Servers};
use service_runtime::Config;
use sqlx::Connection as _;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_mins(1);

pub const FUND: &str = "funds/eutf-africa";
pub const TRUSTEE: &str = "partners/european-commission";
pub const IOM: &str = "partners/iom";
pub const DONOR: &str = "partners/es";
pub const ML_07: &str = "decisions/t05-eutf-sah-ml-07";

/// A running service.
pub struct House {
    pub funds: FundServiceClient<Channel>,
    pub contributions: ContributionServiceClient<Channel>,
    pub decisions: DecisionServiceClient<Channel>,
    pub contracts: ContractServiceClient<Channel>,
    pub payments: PaymentServiceClient<Channel>,
    pub corrections: CorrectionServiceClient<Channel>,
    pub log: LogServiceClient<Channel>,
    pub journal: JournalServiceClient<Channel>,
    pub nats: Private<NatsServer>,
    database: String,
    stopping: DropGuard,
    served: JoinHandle<anyhow::Result<()>>,
}

impl House {
    /// An empty log.
    pub async fn empty() -> Self {
        let servers = Servers::shared().await;
        let nats = servers.private_nats().await;
        let database = servers.database("disbursements").await;
        Self::start(database, nats).await
    }

    async fn start(database: String, nats: Private<NatsServer>) -> Self {
        let mut environment = HashMap::from(harness::environment());
        environment.insert("DATABASE_URL", database.clone());
        environment.insert("NATS_URL", nats.service_url(disbursements::SERVICE));
        let config = Config::read(disbursements::SERVICE, |name| environment.get(name).cloned()).expect("all is set");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let stopping = CancellationToken::new();
        let served = tokio::spawn(service_runtime::serve(config, listener, stopping.clone(), disbursements::build));
        let channel = Channel::from_shared(address).expect("an address").connect().await.expect("it listens");
        Self {
            funds: FundServiceClient::new(channel.clone()),
            contributions: ContributionServiceClient::new(channel.clone()),
            decisions: DecisionServiceClient::new(channel.clone()),
            contracts: ContractServiceClient::new(channel.clone()),
            payments: PaymentServiceClient::new(channel.clone()),
            corrections: CorrectionServiceClient::new(channel.clone()),
            log: LogServiceClient::new(channel.clone()),
            journal: JournalServiceClient::new(channel),
            nats,
            database,
            stopping: stopping.drop_guard(),
            served,
        }
    }

    /// Stops the service, throws its read models away and starts it again.
    pub async fn rebuilt(self) -> Self {
        let Self { nats, database, stopping, served, .. } = self;
        drop(stopping);
        served.await.expect("no panic").expect("it stops well");
        let mut connection = sqlx::PgConnection::connect(&database).await.expect("the database");
        sqlx::raw_sql("DROP SCHEMA disbursements_v2 CASCADE").execute(&mut connection).await.expect("they are gone");
        Self::start(database, nats).await
    }

    /// Each projection makes the same rows whatever the batches, and makes some.
    pub async fn folds_alike(&self) {
        let log = Log::open(disbursements::SERVICE, &self.database, CancellationToken::new()).await.expect("it opens");
        let of = || log.clone();
        let projections: [&dyn Projection; 5] = [
            &Funds { log: of() },
            &Contributions { log: of() },
            &Decisions { log: of() },
            &Contracts { log: of() },
            &Payments { log: of() },
        ];
        for projection in projections {
            let rows = rows_whatever_the_batches(&self.database, &MIGRATOR, &log, projection).await;
            assert!(rows > 0, "{} has no rows", projection.name());
        }
    }

    /// A fund run by the Commission, which chairs its committee.
    pub async fn with_fund() -> Self {
        let mut house = Self::empty().await;
        let establish = EstablishFundRequest {
            request_id: id(),
            act: on("2015-11-12"),
            name: FUND.into(),
            title: title("EU Emergency Trust Fund for Africa"),
            reference: "T05-EUTF".into(),
            trustee: TRUSTEE.into(),
            currency_code: "EUR".into(),
            windows: vec![events::FundWindow { code: "SAH".into(), title: title("Sahel and Lake Chad") }],
            contracting_deadline: day("2021-12-31"),
            end_of_activities: day("2025-12-31"),
            ..EstablishFundRequest::default()
        };
        house.funds.establish_fund(by("fund_manager", establish)).await.expect("it is set up");
        let seat = GiveCommitteeSeatRequest {
            request_id: id(),
            act: on("2015-11-12"),
            name: FUND.into(),
            member: TRUSTEE.into(),
            seat: events::CommitteeSeat::Chair.into(),
            ..GiveCommitteeSeatRequest::default()
        };
        house.funds.give_committee_seat(by("fund_manager", seat)).await.expect("it chairs");
        house
    }

    /// A fund with a decision of 15 million.
    pub async fn with_decision() -> Self {
        let mut house = Self::with_fund().await;
        house.decisions.propose_decision(by("fund_manager", proposal(ML_07))).await.expect("it is proposed");
        let approve = ApproveDecisionRequest {
            request_id: id(),
            act: on_document("2017-02-19", "minutes"),
            name: ML_07.into(),
            amount: eur(15_000_000),
            ..ApproveDecisionRequest::default()
        };
        house.decisions.approve_decision(by("committee_chair", approve)).await.expect("it is approved");
        house
    }

    /// Money from a donor.
    pub async fn receive(&mut self, euros: i64) {
        let name = || String::from("contributions/es");
        let pledge = PledgeContributionRequest {
            request_id: id(),
            act: on("2015-12-01"),
            name: name(),
            fund: FUND.into(),
            donor: DONOR.into(),
            amount: eur(euros),
            ..PledgeContributionRequest::default()
        };
        self.contributions.pledge_contribution(by_at("donor", DONOR, pledge)).await.expect("it is pledged");
        let certify = CertifyContributionRequest {
            request_id: id(),
            act: on("2016-01-15"),
            name: name(),
            amount: eur(euros),
            ..CertifyContributionRequest::default()
        };
        self.contributions.certify_contribution(by_at("donor", DONOR, certify)).await.expect("it is certified");
        let receive = ReceiveContributionRequest {
            request_id: id(),
            act: on("2016-02-15"),
            name: name(),
            amount: eur(euros),
            ..ReceiveContributionRequest::default()
        };
        self.contributions.receive_contribution(by("accounting_officer", receive)).await.expect("it is received");
    }

    /// Every event in the log.
    pub async fn records(&mut self) -> Vec<log::EventRecord> {
        let request = by_at("auditor", "partners/court-of-auditors", log::ReplayLogRequest::default());
        let mut answers = self.log.replay_log(request).await.expect("a replay").into_inner();
        let mut records = Vec::new();
        while let Some(answer) = answers.message().await.expect("it goes on") {
            if let Some(log::replay_log_response::Message::Events(batch)) = answer.message {
                let record = |event: log::ReplayedEvent| prost::Message::decode(event.record).expect("a record");
                records.extend(batch.events.into_iter().map(record));
            }
        }
        records
    }
}

/// A proposal of 15 million for Mali.
pub fn proposal(name: &str) -> ProposeDecisionRequest {
    ProposeDecisionRequest {
        request_id: id(),
        act: on_document("2017-02-19", "action_document"),
        name: name.into(),
        fund: FUND.into(),
        reference: name.trim_start_matches("decisions/").to_uppercase(),
        title: title("Migration governance, return and reintegration"),
        window: "SAH".into(),
        strategic_objectives: vec!["SO3".into()],
        country_codes: vec!["ML".into()],
        amount: eur(15_000_000),
        implementers: vec!["partners/aecid".into(), IOM.into()],
        ..ProposeDecisionRequest::default()
    }
}

/// A contract of IOM under the decision.
pub fn contract(name: &str, fund_share: Option<types::Money>) -> SignContractRequest {
    SignContractRequest {
        request_id: id(),
        act: on("2017-05-19"),
        name: name.into(),
        decision: ML_07.into(),
        title: title("Return and reintegration"),
        implementer: IOM.into(),
        fund_share,
        ..SignContractRequest::default()
    }
}

/// A request of the person at the trustee who has the role.
pub fn by<T>(role: &str, message: T) -> Request<T> {
    by_at(role, TRUSTEE, message)
}

/// A request of the person at an organisation who has the role.
pub fn by_at<T>(role: &str, organisation: &str, message: T) -> Request<T> {
    by_person(role, organisation, &format!("{role}-{organisation}"), message)
}

/// A request of a person.
pub fn by_person<T>(role: &str, organisation: &str, person: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = harness::token(role, organisation, person);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token is ASCII"));
    request.set_timeout(PATIENCE);
    request
}

/// A new request id.
pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// An act on a day.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub fn on(text: &str) -> Option<log::Act> {
    Some(log::Act { effective_on: day(text), ..log::Act::default() })
}

/// An act on a day, on a document.
pub fn on_document(text: &str, kind: &str) -> Option<log::Act> {
    let source = log::Source { title: "a document".into(), kind: kind.into(), ..log::Source::default() };
    on(text).map(|act| log::Act { sources: vec![source], ..act })
}

/// An act on a day, with a reason.
pub fn because(text: &str, reason: &str) -> Option<log::Act> {
    on(text).map(|act| log::Act { reason: reason.into(), ..act })
}

/// Whole euros.
pub fn eur(euros: i64) -> Option<types::Money> {
    cents(euros * 100)
}

/// Cents of EUR.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub fn cents(minor_units: i64) -> Option<types::Money> {
    Some(types::Money { currency_code: "EUR".into(), minor_units })
}

/// A day.
pub fn day(text: &str) -> Option<types::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().expect("a number"));
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(types::Date { year, month, day })
}

/// From a day to a day.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub fn period(start: &str, end: &str) -> Option<types::Period> {
    Some(types::Period { start: day(start), end: day(end) })
}

/// An official English title.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub fn title(text: &str) -> Option<types::LocalizedText> {
    let en = types::Text { text: text.into(), origin: types::TextOrigin::Official.into() };
    Some(types::LocalizedText { fr: None, en: Some(en) })
}

/// The reason that a status gives.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap_or_else(|| panic!("{status:?}")).reason
}

/// A value that a status gives with its reason.
pub fn value(status: &Status, key: &str) -> String {
    status.get_details_error_info().expect("every status has a reason").metadata[key].clone()
}
