//! Three logs with their relays, a nats-server of their own, and oversight.

use std::{collections::HashMap, time::Duration};

use contracts::toguna::{
    disbursements::events::v1 as money,
    oversight::v1::{
        GetPortfolioRequest, GetPortfolioResponse, Portfolio, PortfolioGroup,
        oversight_service_client::OversightServiceClient,
    },
    r#type::v1 as types,
};
use event_sourcing::testing::act;
use event_store::{
    Act, Correction, Executed, Log, Nats, PageLimit, Payload, Published,
    relay::{self, RelayConfig},
    testing::rows_whatever_the_batches,
};
use figures::Facts;
use harness::{NatsServer, Private, Servers};
use oversight::projections::{MIGRATOR, Records};
use service_runtime::Config;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::logs;

/// How long anything may take to come right.
const LIMIT: Duration = Duration::from_mins(1);

/// Everything that oversight needs, and what it is asked about.
pub struct House {
    pub partnerships: Log,
    pub commitments: Log,
    pub disbursements: Log,
    database: String,
    nats: Private<NatsServer>,
    _relays: DropGuard,
}

/// A running oversight.
pub struct Service {
    pub client: OversightServiceClient<Channel>,
    stopping: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl House {
    /// Three empty logs.
    pub async fn new() -> Self {
        let servers = Servers::shared().await;
        let server = servers.private_nats().await;
        let shutdown = CancellationToken::new();
        let open = async |name: &str| {
            let log = Log::open(name, &servers.database(name).await, shutdown.clone()).await.expect("the log opens");
            let nats = Nats::connect(&server.service_url(name), name).await.expect("an address");
            let config = RelayConfig { audit_every: Duration::from_millis(200), ..RelayConfig::default() };
            relay::start(log.clone(), &nats, config, shutdown.clone());
            log
        };
        Self {
            partnerships: open("partnerships").await,
            commitments: open("commitments").await,
            disbursements: open("disbursements").await,
            database: servers.database("oversight").await,
            nats: server,
            _relays: shutdown.drop_guard(),
        }
    }

    /// Starts oversight on the tables that it left, and waits until it answers.
    pub async fn oversight(&self) -> Service {
        let mut service = self.start().await;
        let asking = async {
            while let Err(status) = service.portfolio(GetPortfolioRequest::default()).await {
                assert_eq!(reason(&status), "LOGS_NOT_READ_YET", "{status:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, asking).await.expect("it answers");
        service
    }

    /// Starts oversight on the tables that it left.
    pub async fn start(&self) -> Service {
        let mut environment = HashMap::from(harness::environment());
        environment.insert("DATABASE_URL", self.database.clone());
        environment.insert("NATS_URL", self.nats.service_url(oversight::SERVICE));
        let config = Config::read(oversight::SERVICE, |name| environment.get(name).cloned()).expect("all is set");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let stopping = CancellationToken::new();
        let served = tokio::spawn(service_runtime::serve(config, listener, stopping.clone(), oversight::build));
        let channel = Channel::from_shared(address).expect("an address").connect().await.expect("it listens");
        Service { client: OversightServiceClient::new(channel), stopping, served }
    }

    /// The records of each log are kept alike whatever the batches, and some are.
    pub async fn folds_alike(&self) {
        let logs = [&self.partnerships, &self.commitments, &self.disbursements];
        for (of, log) in
            [figures::Log::Partnerships, figures::Log::Commitments, figures::Log::Disbursements].into_iter().zip(logs)
        {
            let rows = rows_whatever_the_batches(&self.database, &MIGRATOR, log, &Records::of(of)).await;
            assert!(rows > 0, "nothing is kept of {}", log.name());
        }
    }

    /// What an auditor folds who replays the logs.
    pub async fn replayed(&self) -> Facts {
        let mut facts = Facts::default();
        let all = PageLimit { events: usize::MAX, bytes: usize::MAX };
        for (name, log) in [
            (figures::Log::Commitments, &self.commitments),
            (figures::Log::Disbursements, &self.disbursements),
            (figures::Log::Partnerships, &self.partnerships),
        ] {
            for event in log.page(1, all).await.expect("the log") {
                facts.push(name, &event.decode().expect("a record")).expect("it is understood");
            }
        }
        facts
    }
}

/// Makes a log believe that it was restored to an earlier state, so that it begins another epoch.
pub async fn restore(log: &Log) {
    let lost = Published { epoch: log.epoch(), position: log.head() + 1, record: "lost".into() };
    assert!(log.compare_with_published(&lost).await.expect("the log"), "an epoch begins");
}

/// Records an event of a fund's trustee on a day.
pub async fn record<M: prost::Message + prost::Name>(log: &Log, stream: &str, on: &str, event: &M) -> Executed {
    logs::record(log, stream, trustee().on(on), Payload::of(event)).await
}

/// Replaces a record by what is right.
pub async fn correct<M: prost::Message + prost::Name>(log: &Log, stream: &str, version: u64, right: &M) -> Executed {
    let correction = Correction { mistaken_version: version, right: Payload::of(right), effective_on: None };
    logs::correct(log, stream, trustee(), correction).await
}

fn trustee() -> Act {
    act("partners/european-commission")
}

/// Whole euros.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub fn eur(euros: i64) -> Option<types::Money> {
    Some(types::Money { currency_code: "EUR".into(), minor_units: euros * 100 })
}

/// A day.
pub fn day(text: &str) -> Option<types::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().expect("a number"));
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(types::Date { year, month, day })
}

/// Records a decision for Mali and its approval.
pub async fn decide(log: &Log, id: &str, on: &str, euros: i64) -> Executed {
    let decision = format!("decisions/{id}");
    let proposed = money::DecisionProposed {
        reference: id.to_uppercase(),
        country_codes: vec!["ML".into()],
        ..money::DecisionProposed::default()
    };
    record(log, &decision, on, &proposed).await;
    record(log, &decision, on, &money::DecisionApproved { amount: eur(euros) }).await
}

/// A request of somebody whom services know.
pub fn by_auditor<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = harness::token("auditor", "partners/court-of-auditors", "awa");
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token is ASCII"));
    request.set_timeout(LIMIT);
    request
}

/// The reason that a status gives.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("every status has a reason").reason
}

/// How many decisions there are of a country's own, what they add up to, and that in francs.
pub fn own(portfolio: &Portfolio) -> (u32, Vec<i64>, Vec<i64>) {
    let PortfolioGroup { decisions, total, .. } = portfolio.own.clone().expect("it is there");
    let gross = total.and_then(|total| total.decided_gross).expect("it is there");
    let units = |amounts: Vec<types::Money>| amounts.iter().map(|money| money.minor_units).collect();
    (decisions, units(gross.amounts), units(gross.derived))
}

impl Service {
    /// Asks for the portfolio of Mali.
    pub async fn portfolio(&mut self, request: GetPortfolioRequest) -> Result<GetPortfolioResponse, Status> {
        let request = GetPortfolioRequest { country_code: "ML".into(), ..request };
        self.client.get_portfolio(by_auditor(request)).await.map(tonic::Response::into_inner)
    }

    /// The portfolio of Mali as of a day, that has seen what a command did.
    pub async fn seeing(&mut self, effect: &Executed, as_of: &str) -> Portfolio {
        let at_least_as_fresh = vec![effect.token.to_string()];
        let request = GetPortfolioRequest { as_of: day(as_of), at_least_as_fresh, ..GetPortfolioRequest::default() };
        self.portfolio(request).await.expect("an answer").portfolio.expect("it is there")
    }

    /// Stops it and waits until it has stopped.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        (&mut self.served).await.expect("no panic").expect("it stops well");
    }
}
