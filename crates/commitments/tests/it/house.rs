//! A running service of commitments, the people who call it, and the log of partnerships that it follows.

use std::collections::HashMap;

use contracts::toguna::{
    commitments::{
        events::v1::PlanItemReference,
        v1::{
            self as pb, commitment_service_client::CommitmentServiceClient,
            correction_service_client::CorrectionServiceClient, cycle_service_client::CycleServiceClient,
            framework_service_client::FrameworkServiceClient, indicator_service_client::IndicatorServiceClient,
            initiative_service_client::InitiativeServiceClient,
        },
    },
    log::v1::{Act, Receipt, Source},
    r#type::v1::{Date, LocalizedText, Text, TextOrigin},
};
use event_sourcing::testing::act;
use event_store::{
    Aggregate, CommandMeta, DecodeError, Draft, Log, Nats, Payload, Recorded, Refusal, Stored, StreamName,
    relay::{self, RelayConfig},
};
use harness::{NatsServer, Private, Servers};
use prost::Name;
use service_runtime::Config;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub const JVAP: &str = "frameworks/jvap";
pub const COMMITMENT: &str = "commitments/ml-jvap-15";
pub const CYCLE: &str = "cycles/jvap-2018";

/// A caller: roles, organisation and person.
#[derive(Clone, Copy)]
pub struct Caller(pub &'static str, pub &'static str, pub &'static str);

pub const SECRETARY: Caller = Caller("secretariat", "partners/icmpd", "secretary");
pub const FOCAL_POINT: Caller = Caller("focal_point", "partners/ml", "focal point");
pub const COLLEAGUE: Caller = Caller("focal_point", "partners/ml", "colleague");
pub const VERIFIER: Caller = Caller("verifier", "partners/icmpd", "verifier");

impl Caller {
    /// A message as this caller sends it.
    pub fn sends<T>(self, message: T) -> Request<T> {
        let Self(roles, organisation, person) = self;
        let mut request = Request::new(message);
        request.set_timeout(std::time::Duration::from_mins(1));
        let token = format!("Bearer {}", harness::token(roles, organisation, person));
        request.metadata_mut().insert("authorization", token.parse().expect("a token is ASCII"));
        request
    }
}

/// A running service, with a nats-server of its own.
pub struct House {
    pub environment: HashMap<&'static str, String>,
    pub channel: Channel,
    pub nats: Private<NatsServer>,
    stopping: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl House {
    pub async fn open() -> Self {
        let servers = Servers::shared().await;
        let nats = servers.private_nats().await;
        let mut environment = HashMap::from(harness::environment());
        environment.insert("DATABASE_URL", servers.database("commitments").await);
        environment.insert("NATS_URL", nats.service_url(commitments::SERVICE));
        let read = |variable: &str| environment.get(variable).cloned();
        let config = Config::read(commitments::SERVICE, read).expect("nothing is missing");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let stopping = CancellationToken::new();
        let served = tokio::spawn(service_runtime::serve(config, listener, stopping.clone(), commitments::build));
        let channel = Channel::from_shared(format!("http://{address}")).expect("an address");
        let channel = channel.connect().await.expect("it listens");
        Self { environment, channel, nats, stopping, served }
    }

    /// A service that knows a framework with two plans.
    pub async fn with_framework() -> Self {
        let house = Self::open().await;
        let (request_id, name) = (id(), JVAP.to_owned());
        let kind = pb_events::FrameworkKind::JointActionPlan.into();
        let title = Some(official("Joint Valletta Action Plan"));
        let framework = pb::RegisterFrameworkRequest { request_id, name, title, kind, ..Default::default() };
        house.frameworks().register_framework(SECRETARY.sends(framework)).await.expect("it is registered");
        for plan in ["valletta", "update"] {
            house.add_plan(plan).await;
        }
        house
    }

    async fn add_plan(&self, plan: &str) {
        let (request_id, name, title) = (id(), JVAP.to_owned(), Some(official(plan)));
        let validity = Some(contracts::toguna::r#type::v1::Period { start: Some(date(2015, 11, 12)), end: None });
        let added =
            pb::AddActionPlanRequest { request_id, name, plan: plan.into(), title, validity, ..Default::default() };
        self.frameworks().add_action_plan(SECRETARY.sends(added)).await.expect("the plan is added");
        let item = |code: &str, parent: &str, kind: pb_events::PlanItemKind| pb::NewPlanItem {
            item: code.into(),
            kind: kind.into(),
            parent: parent.into(),
            title: None,
        };
        let items = vec![
            item("D5", "", pb_events::PlanItemKind::Domain),
            item("15", "D5", pb_events::PlanItemKind::Initiative),
        ];
        let items = pb::AddPlanItemsRequest {
            request_id: id(),
            name: JVAP.into(),
            plan: plan.into(),
            items,
            ..Default::default()
        };
        self.frameworks().add_plan_items(SECRETARY.sends(items)).await.expect("the items are added");
    }

    /// A service with a commitment in the register and an open cycle.
    pub async fn with_commitment() -> Self {
        let house = Self::with_framework().await;
        house.commitments().declare_commitment(FOCAL_POINT.sends(declaration())).await.expect("it is declared");
        let register =
            pb::RegisterCommitmentRequest { request_id: id(), name: COMMITMENT.into(), ..Default::default() };
        house.commitments().register_commitment(SECRETARY.sends(register)).await.expect("it is registered");
        let opened = pb::OpenCycleRequest {
            request_id: id(),
            name: CYCLE.into(),
            framework: JVAP.into(),
            title: Some(official("2018 cycle")),
            ..Default::default()
        };
        house.cycles().open_cycle(SECRETARY.sends(opened)).await.expect("it is opened");
        house
    }

    pub fn frameworks(&self) -> FrameworkServiceClient<Channel> {
        FrameworkServiceClient::new(self.channel.clone())
    }

    pub fn cycles(&self) -> CycleServiceClient<Channel> {
        CycleServiceClient::new(self.channel.clone())
    }

    pub fn commitments(&self) -> CommitmentServiceClient<Channel> {
        CommitmentServiceClient::new(self.channel.clone())
    }

    pub fn initiatives(&self) -> InitiativeServiceClient<Channel> {
        InitiativeServiceClient::new(self.channel.clone())
    }

    pub fn indicators(&self) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(self.channel.clone())
    }

    pub fn corrections(&self) -> CorrectionServiceClient<Channel> {
        CorrectionServiceClient::new(self.channel.clone())
    }

    /// The commitment of [`House::with_commitment`], as of a day or as recorded.
    pub async fn commitment(&self, as_of: Option<Date>) -> pb::Commitment {
        let asked = pb::GetCommitmentRequest { name: COMMITMENT.into(), as_of, ..Default::default() };
        let answer = self.commitments().get_commitment(FOCAL_POINT.sends(asked)).await.expect("it is there");
        answer.into_inner().commitment.expect("a commitment")
    }

    /// Stops the service and waits until it has stopped.
    pub async fn stop(&mut self) {
        self.stopping.cancel();
        (&mut self.served).await.expect("no panic").expect("it stops well");
    }
}

pub use contracts::toguna::commitments::events::v1 as pb_events;

/// The commitment of the tests: travel documents, with evidence.
pub fn declaration() -> pb::DeclareCommitmentRequest {
    pb::DeclareCommitmentRequest {
        request_id: id(),
        name: COMMITMENT.into(),
        act: Some(Act { effective_on: Some(date(2015, 11, 12)), ..Act::default() }),
        owner: "partners/ml".into(),
        answers: Some(place("valletta", "15")),
        text: Some(official("Answer requests for travel documents")),
        due_on: Some(Date { year: 2018, month: 12, day: 0 }),
        evidence_required: Some(official("Consular statistics")),
        ..Default::default()
    }
}

pub fn place(plan: &str, item: &str) -> PlanItemReference {
    PlanItemReference { framework: JVAP.into(), plan: plan.into(), item: item.into() }
}

pub fn official(text: &str) -> LocalizedText {
    let origin = TextOrigin::Official.into();
    LocalizedText { en: Some(Text { text: text.into(), origin }), fr: None }
}

pub fn source(title: &str) -> Source {
    Source { title: title.into(), kind: "press".into(), ..Source::default() }
}

pub fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The receipt of an answer: `receipt!(answer)`.
#[macro_export]
macro_rules! receipt {
    ($answer:expr) => {
        $answer.into_inner().receipt.expect("an answer has a receipt")
    };
}

/// The code and the reason of a refusal.
pub fn refusal<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> (Code, String) {
    let status = answer.expect_err("it is refused");
    (status.code(), status.get_details_error_info().expect("every refusal has a reason").reason)
}

/// The types of the events of a receipt, without their package.
pub fn types(receipt: &Receipt) -> Vec<&str> {
    receipt.events.iter().filter_map(|event| event.r#type.rsplit('.').next()).collect()
}

/// The log of partnerships, as far as commitments is concerned: agreements, with whatever happened to them.
pub struct Partnerships {
    log: Log,
    _nats: Nats,
    _running: DropGuard,
}

#[derive(Debug, Default, Clone)]
struct Agreement;

#[derive(Debug, thiserror::Error)]
#[error("never refused")]
struct Never;

impl Refusal for Never {
    fn reason(&self) -> &'static contracts::reasons::Reason {
        &contracts::reasons::REASONS[0]
    }

    fn values(&self) -> Vec<(&'static str, event_store::Value)> {
        Vec::new()
    }
}

impl Aggregate for Agreement {
    const CATEGORY: &'static str = "agreements";
    type Command = Payload;
    type Event = Payload;
    type Error = Never;

    fn decide(&self, event: &Payload, act: &event_store::Act) -> Result<Vec<Draft<Payload>>, Never> {
        Ok(vec![act.draft(event.clone())])
    }

    fn evolve(self, _: &Recorded<Payload>) -> Self {
        self
    }
}

impl Stored for Agreement {
    fn encode(event: &Payload) -> Payload {
        event.clone()
    }

    fn decode(payload: &Payload) -> Result<Payload, DecodeError> {
        Ok(payload.clone())
    }
}

impl Partnerships {
    pub async fn open(house: &House) -> Self {
        let running = CancellationToken::new();
        let database = Servers::shared().await.database("partnerships").await;
        let log = Log::open("partnerships", &database, running.clone()).await.expect("the log opens");
        let nats = Nats::connect(&house.nats.service_url("partnerships"), "partnerships").await.expect("nats is there");
        relay::start(log.clone(), &nats, RelayConfig::default(), running.clone());
        Self { log, _nats: nats, _running: running.drop_guard() }
    }

    /// Records an event of an agreement on a day; the token to wait for it with.
    pub async fn record<M: prost::Message + Name>(&self, agreement: &str, on: &str, event: &M) -> String {
        let name: StreamName = agreement.parse().expect("a name");
        let (act, event) = (act("partners/ml").on(on), Payload::of(event));
        let meta = CommandMeta {
            request_id: Uuid::now_v7(),
            content_hash: [0; 32],
            expected_version: None,
            validate_only: false,
            correlation_id: None,
            causation_id: None,
            traceparent: String::new(),
        };
        let executed = self.log.execute(meta, act, |unit| unit.handle::<Agreement>(&name, &event)).await;
        executed.expect("it is recorded").token.to_string()
    }
}
