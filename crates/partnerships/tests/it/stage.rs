//! A running service, and how a caller speaks to it.

use std::collections::HashMap;

use contracts::toguna::{
    log::v1 as log,
    partnerships::{
        events::v1 as events,
        v1::{
            self as pb, agreement_service_client::AgreementServiceClient,
            correction_service_client::CorrectionServiceClient, dialogue_service_client::DialogueServiceClient,
            partner_service_client::PartnerServiceClient, record_service_client::RecordServiceClient,
        },
    },
    r#type::v1 as types,
};
use event_store::{Log, Projection, testing::rows_whatever_the_batches};
use harness::{NatsServer, Private, Servers};
use partnerships::projections::MIGRATOR;
use service_runtime::Config;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub const MALI: &str = "partners/ml";
pub const FRANCE: &str = "partners/fr";
pub const UNION: &str = "partners/eu";
/// Keeps the register.
pub const KEEPER: &str = "partners/ml-mmeia";

/// A service of its own, with a database and a nats-server that nobody else uses.
pub struct Stage {
    pub address: std::net::SocketAddr,
    pub partners: PartnerServiceClient<Channel>,
    pub dialogues: DialogueServiceClient<Channel>,
    pub agreements: AgreementServiceClient<Channel>,
    pub records: RecordServiceClient<Channel>,
    pub corrections: CorrectionServiceClient<Channel>,
    pub database_url: String,
    nats: Private<NatsServer>,
    stopping: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    /// With an empty register.
    pub async fn empty() -> Self {
        let servers = Servers::shared().await;
        Self::start(servers.database("partnerships").await, servers.private_nats().await).await
    }

    /// With Mali, France and the European Union in the register.
    pub async fn set() -> Self {
        let mut stage = Self::empty().await;
        for (name, kind, country) in [
            (MALI, events::PartnerKind::State, "ML"),
            (FRANCE, events::PartnerKind::State, "FR"),
            (UNION, events::PartnerKind::RegionalOrganisation, ""),
        ] {
            let request = register_partner(name, kind, country);
            accepted(stage.partners.register_partner(keeper(request)).await);
        }
        stage
    }

    async fn start(database_url: String, nats: Private<NatsServer>) -> Self {
        let mut environment: HashMap<&str, String> = HashMap::from(harness::environment());
        environment.insert("DATABASE_URL", database_url.clone());
        environment.insert("NATS_URL", nats.service_url(partnerships::SERVICE));
        let config = Config::read(partnerships::SERVICE, |variable| environment.get(variable).cloned());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let stopping = CancellationToken::new();
        let config = config.expect("nothing is missing");
        let served = tokio::spawn(service_runtime::serve(config, listener, stopping.clone(), partnerships::build));
        let channel =
            Channel::from_shared(format!("http://{address}")).expect("an address").connect().await.expect("it listens");
        Self {
            address,
            partners: PartnerServiceClient::new(channel.clone()),
            dialogues: DialogueServiceClient::new(channel.clone()),
            agreements: AgreementServiceClient::new(channel.clone()),
            records: RecordServiceClient::new(channel.clone()),
            corrections: CorrectionServiceClient::new(channel),
            database_url,
            nats,
            stopping,
            served,
        }
    }

    /// Stops the service, does something to its database, and starts it again.
    pub async fn restart(self, meanwhile: impl AsyncFnOnce(&str)) -> Self {
        let Self { database_url, nats, stopping, served, .. } = self;
        stopping.cancel();
        served.await.expect("no panic").expect("it stops well");
        meanwhile(&database_url).await;
        Self::start(database_url, nats).await
    }

    /// Each of these projections makes the same rows whatever the batches, and makes some.
    pub async fn folds_alike(&self, of: impl Fn(&Log) -> Vec<Box<dyn Projection>>) {
        let log = Log::open(partnerships::SERVICE, &self.database_url, CancellationToken::new()).await.expect("a log");
        for projection in of(&log) {
            let rows = rows_whatever_the_batches(&self.database_url, &MIGRATOR, &log, &*projection).await;
            assert!(rows > 0, "{} has no rows", projection.name());
        }
    }

    /// An agreement as of a day; empty: today.
    pub async fn agreement(&mut self, name: &str, as_of: &str) -> pb::Agreement {
        let request = pb::GetAgreementRequest { name: name.into(), as_of: date(as_of), ..Default::default() };
        let answer = self.agreements.get_agreement(as_role("observer", MALI, request)).await.expect("it is there");
        answer.into_inner().agreement.expect("an agreement")
    }
}

/// A request of the person of an organisation who has a role.
pub fn as_role<T>(role: &str, organisation: &str, message: T) -> Request<T> {
    by("somebody", role, organisation, message)
}

/// A request of a certain person.
pub fn by<T>(person: &str, role: &str, organisation: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(std::time::Duration::from_mins(1));
    let token = harness::token(role, organisation, person);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    request
}

/// A request of the register's keeper.
pub fn keeper<T>(message: T) -> Request<T> {
    as_role("secretariat", KEEPER, message)
}

/// A request of somebody with full powers.
pub fn signatory<T>(organisation: &str, message: T) -> Request<T> {
    as_role("signatory", organisation, message)
}

pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// An act of the caller's organisation on a day; empty: not known.
pub fn on(day: &str) -> log::Act {
    log::Act { effective_on: date(day), ..Default::default() }
}

/// What a source says that another organisation did.
pub fn published(organisation: &str, day: &str) -> log::Act {
    let source = log::Source { title: "Journal officiel".into(), kind: "treaty".into(), ..Default::default() };
    log::Act {
        on_behalf_of: organisation.into(),
        basis: log::Basis::RecordedFromSource.into(),
        effective_on: date(day),
        sources: vec![source],
        ..Default::default()
    }
}

pub fn date(text: &str) -> Option<types::Date> {
    let mut parts = text.split('-').filter(|part| !part.is_empty()).map(|part| part.parse().expect("a number"));
    let year = parts.next()?;
    Some(types::Date { year, month: parts.next().unwrap_or(0), day: parts.next().unwrap_or(0) })
}

pub fn french(text: &str) -> types::LocalizedText {
    let fr = types::Text { text: text.into(), origin: types::TextOrigin::Official.into() };
    types::LocalizedText { fr: Some(fr), en: None }
}

pub fn register_partner(name: &str, kind: events::PartnerKind, country: &str) -> pb::RegisterPartnerRequest {
    pb::RegisterPartnerRequest {
        request_id: new_id(),
        name: name.into(),
        kind: kind.into(),
        names: Some(french(name)),
        country_code: country.into(),
        ..Default::default()
    }
}

/// A convention of two parties that is in force when both have consented.
pub fn register_agreement(name: &str, parties: &[&str]) -> pb::RegisterAgreementRequest {
    use events::entry_into_force_rule::Rule;
    let rule = Rule::AfterLastConsent(events::AfterLastConsent { delay: None });
    pb::RegisterAgreementRequest {
        request_id: new_id(),
        name: name.into(),
        title: Some(french("Convention")),
        form: events::AgreementForm::Treaty.into(),
        scope: events::AgreementScope::Bilateral.into(),
        declared_nature: events::BindingNature::Binding.into(),
        parties: parties.iter().map(|party| (*party).into()).collect(),
        terms: Some(events::AgreementTerms {
            entry_into_force: Some(events::EntryIntoForceRule { rule: Some(rule) }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn sign(name: &str, kind: events::SignatureKind, act: log::Act) -> pb::SignAgreementRequest {
    pb::SignAgreementRequest {
        request_id: new_id(),
        act: Some(act),
        name: name.into(),
        kind: kind.into(),
        ..Default::default()
    }
}

/// The answer of a command that must be accepted.
#[track_caller]
pub fn accepted<R>(answer: Result<Response<R>, Status>) -> R {
    match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => panic!("refused: {status:?}"),
    }
}

/// Types of the events that a command brought.
pub fn event_types(receipt: Option<log::Receipt>) -> Vec<String> {
    let events = receipt.expect("a receipt").events.into_iter();
    events.map(|event| event.r#type.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

/// The reason of a refusal, and its values.
#[track_caller]
pub fn refusal<R: std::fmt::Debug>(answer: Result<Response<R>, Status>) -> (String, HashMap<String, String>) {
    let status = answer.expect_err("it is refused");
    let error = status.get_details_error_info().expect("every status has a reason");
    (error.reason, error.metadata)
}
