//! Callers who send each command until it is answered, always with the same request id.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use contracts::toguna::{
    log::v1::{Act, Receipt, log_service_client::LogServiceClient},
    partnerships::{
        events::v1::{AgreementForm, AgreementScope, AgreementTerms, BindingNature, PartnerKind},
        v1::{
            RegisterAgreementRequest, RegisterPartnerRequest, RenamePartnerRequest,
            agreement_service_client::AgreementServiceClient, partner_service_client::PartnerServiceClient,
        },
    },
    r#type::v1::{Date, LocalizedText, Text, TextOrigin},
};
use tokio::task::JoinSet;
use tonic::{Code, Request, Status, transport::Channel};
use uuid::Uuid;

use crate::stack::Stack;

/// Callers at work at once.
const CALLERS: usize = 8;

/// Channels to the services, which find them again after each restart.
#[derive(Clone)]
pub struct Clients {
    pub partners: PartnerServiceClient<Channel>,
    pub agreements: AgreementServiceClient<Channel>,
    /// The log of each service, by name.
    pub logs: Vec<(&'static str, LogServiceClient<Channel>)>,
}

/// What the callers saw.
#[derive(Default)]
pub struct History {
    /// Every command that was answered well, with its request id.
    pub acknowledged: Vec<(Uuid, Receipt)>,
    /// Names of the agreements among them.
    pub agreements: Vec<String>,
    /// How often one was sent again.
    pub retries: u64,
    /// How often a rule refused one: never, by how the commands are made.
    pub refused: u64,
}

impl Clients {
    pub fn new(stack: &Stack) -> Self {
        let channel = |name: &str| {
            let address = format!("http://127.0.0.1:{}", stack.services[name].port);
            Channel::from_shared(address).expect("an address").connect_lazy()
        };
        Self {
            partners: PartnerServiceClient::new(channel("partnerships")),
            agreements: AgreementServiceClient::new(channel("partnerships")),
            logs: stack.services.keys().map(|name| (*name, LogServiceClient::new(channel(name)))).collect(),
        }
    }
}

/// A request with a token and a deadline.
pub fn authorised<T>(message: T, roles: &str, person: &str) -> Request<T> {
    let mut request = Request::new(message);
    let token = harness::token(roles, "partners/secretariat", person);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    request.set_timeout(Duration::from_secs(5));
    request
}

fn text(words: &str) -> LocalizedText {
    LocalizedText { fr: None, en: Some(Text { text: words.to_owned(), origin: TextOrigin::Official.into() }) }
}

fn act() -> Act {
    Act { effective_on: Some(Date { year: 2020, month: 1, day: 1 }), ..Act::default() }
}

fn partner(id: &str) -> RegisterPartnerRequest {
    RegisterPartnerRequest {
        request_id: Uuid::now_v7().to_string(),
        act: Some(act()),
        name: format!("partners/{id}"),
        kind: PartnerKind::Ngo.into(),
        names: Some(text(id)),
        ..RegisterPartnerRequest::default()
    }
}

/// The partners that the load needs.
pub async fn prepare(clients: &Clients) {
    for id in ["secretariat", "one", "other"] {
        let mut client = clients.partners.clone();
        client.register_partner(authorised(partner(id), "secretariat", "secretary")).await.expect("registered");
    }
}

/// Callers at work.
pub struct Load {
    /// How many commands were answered well so far.
    pub acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    callers: JoinSet<History>,
}

impl Load {
    pub fn start(clients: &Clients) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(work(clients.clone(), caller, acknowledged.clone(), stop.clone()));
        }
        Self { acknowledged, stop, callers }
    }

    /// Lets each caller bring its last command to an answer.
    pub async fn stop(self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = History::default();
        for history in self.callers.join_all().await {
            all.acknowledged.extend(history.acknowledged);
            all.agreements.extend(history.agreements);
            all.retries += history.retries;
            all.refused += history.refused;
        }
        all
    }
}

async fn work(clients: Clients, caller: usize, acknowledged: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> History {
    let mut history = History::default();
    let mut turn = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let id = format!("c{caller}-{turn}");
        let answered = match turn % 3 {
            0 => register_partner(&clients, &id, &mut history).await,
            1 => register_agreement(&clients, &id, &mut history).await,
            // All callers meet on one stream.
            _ => rename_partner(&clients, &id, &mut history).await,
        };
        if answered {
            acknowledged.fetch_add(1, Ordering::Relaxed);
        } else {
            history.refused += 1;
        }
    }
    history
}

async fn register_partner(clients: &Clients, id: &str, history: &mut History) -> bool {
    let message = partner(id);
    send(history, &message.request_id, || {
        let (mut client, message) = (clients.partners.clone(), message.clone());
        async move {
            let answer = client.register_partner(authorised(message, "secretariat", "secretary")).await?;
            Ok(answer.into_inner().receipt)
        }
    })
    .await
}

async fn rename_partner(clients: &Clients, id: &str, history: &mut History) -> bool {
    let message = RenamePartnerRequest {
        request_id: Uuid::now_v7().to_string(),
        act: Some(act()),
        name: "partners/one".to_owned(),
        names: Some(text(id)),
        ..RenamePartnerRequest::default()
    };
    send(history, &message.request_id, || {
        let (mut client, message) = (clients.partners.clone(), message.clone());
        async move {
            let answer = client.rename_partner(authorised(message, "secretariat", "secretary")).await?;
            Ok(answer.into_inner().receipt)
        }
    })
    .await
}

async fn register_agreement(clients: &Clients, id: &str, history: &mut History) -> bool {
    let message = RegisterAgreementRequest {
        request_id: Uuid::now_v7().to_string(),
        act: Some(act()),
        name: format!("agreements/{id}"),
        title: Some(text(id)),
        form: AgreementForm::JointCommunique.into(),
        scope: AgreementScope::Bilateral.into(),
        declared_nature: BindingNature::NonBinding.into(),
        parties: vec!["partners/one".to_owned(), "partners/other".to_owned()],
        terms: Some(AgreementTerms::default()),
        ..RegisterAgreementRequest::default()
    };
    let answered = send(history, &message.request_id, || {
        let (mut client, message) = (clients.agreements.clone(), message.clone());
        async move {
            let answer = client.register_agreement(authorised(message, "secretariat", "secretary")).await?;
            Ok(answer.into_inner().receipt)
        }
    })
    .await;
    if answered {
        history.agreements.push(message.name);
    }
    answered
}

/// Sends until an answer says what became of it; `false`: a rule refused it.
async fn send<F>(history: &mut History, request_id: &str, call: impl Fn() -> F) -> bool
where
    F: Future<Output = Result<Option<Receipt>, Status>>,
{
    loop {
        match call().await {
            Ok(receipt) => {
                let id = Uuid::parse_str(request_id).expect("a request id");
                history.acknowledged.push((id, receipt.expect("a receipt")));
                return true;
            }
            Err(status) if is_unknown(&status) => {
                history.retries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(status) => {
                println!("refused: {status:?}");
                return false;
            }
        }
    }
}

/// Nothing was said of the command's effect, or that the same request may succeed later.
fn is_unknown(status: &Status) -> bool {
    let transport = [Code::Unknown, Code::Cancelled].contains(&status.code());
    let later = [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted].contains(&status.code());
    transport || later
}
