//! A service with one aggregate, a notebook of numbers, behind the smallest service that the contracts define: to
//! propose a correction writes down a number, to confirm one reads nothing and says whether it may.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{
        disbursements::v1::{
            ConfirmCorrectionRequest, ConfirmCorrectionResponse, ProposeCorrectionRequest, ProposeCorrectionResponse,
            correction_service_client::CorrectionServiceClient,
            correction_service_server::{CorrectionService, CorrectionServiceServer},
        },
        errors::v1::ErrorReason,
        log::v1::{self as pb, journal_service_client::JournalServiceClient, log_service_client::LogServiceClient},
    },
};
use event_store::{
    Act, Aggregate, DecodeError, Decoding, Draft, Followers, Log, Payload, Recorded, Refusal, Stored, Value,
};
use harness::Servers;
use service_runtime::{Calls, Config, LogReaders, Parts, limited};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};
use uuid::Uuid;

/// A notebook of numbers.
#[derive(Debug, Default, Clone)]
pub struct Notebook;

/// A number that is too large to be noted.
#[derive(Debug, thiserror::Error)]
#[error("{0} is too large")]
pub struct TooLarge(u64);

impl Refusal for TooLarge {
    fn reason(&self) -> &'static Reason {
        ErrorReason::RecordNotCorrectable.reason()
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        let problem = ("it is too large", "il est trop grand");
        vec![("version", Value::name(self.0)), ("resource", Value::name("funds/x")), ("problem", problem.into())]
    }
}

impl Aggregate for Notebook {
    const CATEGORY: &'static str = "funds";
    type Command = u64;
    type Event = u64;
    type Error = TooLarge;

    fn decide(&self, number: &u64, act: &Act) -> Result<Vec<Draft<u64>>, TooLarge> {
        if *number > 1000 { Err(TooLarge(*number)) } else { Ok(vec![act.draft(*number)]) }
    }

    fn evolve(self, _: &Recorded<u64>) -> Self {
        self
    }
}

impl Stored for Notebook {
    /// Numbers from 500 on are of another type than smaller ones, so that there are two.
    fn encode(number: &u64) -> Payload {
        if *number < 500 {
            Payload::of(&pb::EventReference { position: *number, ..pb::EventReference::default() })
        } else {
            Payload::of(&pb::Provenance { version: *number, ..pb::Provenance::default() })
        }
    }

    fn decode(payload: &Payload) -> Result<u64, DecodeError> {
        Decoding::of(payload)
            .or(|noted: pb::EventReference| Ok(noted.position))
            .or(|noted: pb::Provenance| Ok(noted.version))
            .finish()
    }
}

struct Notes {
    log: Log,
    calls: Calls,
}

#[tonic::async_trait]
impl CorrectionService for Notes {
    async fn propose_correction(
        &self,
        request: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Notebook::CATEGORY);
        fields.finish()?;
        let number = call.message.mistaken_version;
        call.execute(&self.log, move |unit| unit.handle::<Notebook>(&name, &number)).await
    }

    async fn confirm_correction(
        &self,
        request: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let tokens = request.get_ref().at_least_as_fresh.clone();
        let caller = self.calls.query(&request, &tokens).await?;
        caller.require_role(&["reader", "auditor"])?;
        let receipt = pb::Receipt { consistency_token: self.calls.seen(self.log.name()), ..pb::Receipt::default() };
        Ok(Response::new(receipt.into()))
    }
}

/// A running service of notes.
pub struct Service {
    pub address: SocketAddr,
    pub name: &'static str,
    pub notes: CorrectionServiceClient<Channel>,
    pub log: LogServiceClient<Channel>,
    pub journal: JournalServiceClient<Channel>,
    pub stopping: CancellationToken,
    pub served: JoinHandle<anyhow::Result<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// A name of letters that no other test has: streams of NATS are shared.
pub fn unique_name() -> &'static str {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed) << 32 | u64::from(std::process::id());
    let letters: String = format!("{number:x}").bytes().map(|byte| char::from(b'a' + byte % 26)).collect();
    Box::leak(format!("notes-{letters}").into_boxed_str())
}

/// The environment of a service with an empty database.
pub async fn environment() -> HashMap<&'static str, String> {
    let servers = Servers::shared().await;
    let mut environment = HashMap::from(harness::environment());
    environment.insert("DATABASE_URL", servers.database("notes").await);
    environment.insert("NATS_URL", servers.nats_url());
    environment.insert("TOGUNA_POLICIES", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/policies").to_owned());
    environment
}

pub fn config(name: &'static str, environment: &HashMap<&'static str, String>) -> Config {
    Config::read(name, |variable| environment.get(variable).cloned()).expect("nothing is missing")
}

/// Builds the service: what a `lib.rs` has.
pub async fn build(mut parts: Parts, readers: LogReaders) -> anyhow::Result<Parts> {
    let log = parts.open_log(readers).await?;
    parts.follow(Followers::new(log.reader().clone()).own_log(&log));
    let calls = parts.calls.clone();
    parts.serve(limited!(CorrectionServiceServer::new(Notes { log, calls })));
    Ok(parts)
}

impl Service {
    pub async fn start() -> Self {
        Self::start_for(LogReaders::Partners).await
    }

    pub async fn start_for(readers: LogReaders) -> Self {
        Self::start_in(unique_name(), &environment().await, readers).await
    }

    pub async fn start_in(
        name: &'static str,
        environment: &HashMap<&'static str, String>,
        readers: LogReaders,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let stopping = CancellationToken::new();
        let config = config(name, environment);
        let until = stopping.clone();
        let served = tokio::spawn(service_runtime::serve(config, listener, until, move |parts| build(parts, readers)));
        let channel =
            Channel::from_shared(format!("http://{address}")).expect("an address").connect().await.expect("it listens");
        let (notes, log) = (CorrectionServiceClient::new(channel.clone()), LogServiceClient::new(channel.clone()));
        Self { address, name, notes, log, journal: JournalServiceClient::new(channel), stopping, served }
    }

    /// Stops it and waits until it has stopped.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        (&mut self.served).await.expect("no panic").expect("it stops well");
    }

    /// Notes a number as a good caller does.
    pub async fn note(&mut self, number: u64) -> pb::Receipt {
        let answer = self.notes.propose_correction(by("aminata", note(number))).await.expect("it is noted");
        answer.into_inner().receipt.expect("a receipt")
    }
}

/// A request to note a number in the notebook `funds/one`.
pub fn note(number: u64) -> ProposeCorrectionRequest {
    ProposeCorrectionRequest {
        request_id: Uuid::now_v7().to_string(),
        name: "funds/one".into(),
        mistaken_version: number,
        ..ProposeCorrectionRequest::default()
    }
}

/// A request of a person of `partners/mli`.
pub fn by<T>(person: &str, message: T) -> Request<T> {
    with_token(&harness::token("focal_point,reader", "partners/mli", person), message)
}

pub fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_mins(1));
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token is ASCII"));
    request
}

/// The reason that a status gives.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status.get_details_error_info().expect("every status has a reason").reason
}
