//! Callers who write down what they ask and what they are answered. They send commands of several organisations to one
//! hot stream and to many; again after each answer that leaves it open, sometimes twice at once and sometimes long after;
//! now and then what must be refused.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::time::Duration;

use checker::{
    history::{Expect, Invoke, Line, Writer},
    text::hex,
};
use contracts::toguna::{
    log::v1::Receipt,
    partnerships::v1::{
        RegisterAgreementRequest, RegisterPartnerRequest, RenamePartnerRequest, SignAgreementRequest,
        agreement_service_client::AgreementServiceClient, partner_service_client::PartnerServiceClient,
    },
};
use prost::Message as _;
use tokio::{task::JoinSet, time::Instant};
use tonic::{Code, Request, Status, transport::Channel};
use uuid::Uuid;

use crate::{commands, numbers::Numbers, stack::Stack};

/// Callers at work at once.
const CALLERS: usize = 8;
/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long callers go on asking once the faults are over.
const LAST_TRIES: Duration = Duration::from_mins(1);

/// The log that commands are for.
pub const LOG: &str = "partnerships";

/// A command, of one organisation.
#[derive(Debug, Clone)]
pub struct Command {
    pub ask: Ask,
    /// `secretariat` of `partners/secretariat`.
    pub organisation: &'static str,
    pub role: &'static str,
    pub request_id: Uuid,
    /// Tells its content from all others.
    pub content: String,
    /// How many events it has.
    pub events: usize,
    /// Since when what it rests on is there.
    pub since: u64,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    RegisterPartner(RegisterPartnerRequest),
    RenamePartner(RenamePartnerRequest),
    RegisterAgreement(RegisterAgreementRequest),
    SignAgreement(SignAgreementRequest),
}

/// What became of a command, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    Refused,
    Open,
}

/// What all callers share.
pub struct Shared {
    address: String,
    history: Writer,
    attempts: AtomicU64,
    stop: AtomicBool,
    /// How many commands were answered well so far.
    pub acknowledged: AtomicU64,
    /// Commands that callers gave up, of which nobody knows.
    open: Mutex<Vec<Command>>,
}

impl Shared {
    pub fn new(stack: &Stack, history: &Writer) -> Arc<Self> {
        Arc::new(Self {
            address: format!("http://127.0.0.1:{}", stack.sites[LOG].clients.port),
            history: history.clone(),
            attempts: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            open: Mutex::default(),
        })
    }

    /// A connection of its own, made when it is needed and again whenever it is lost.
    fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).expect("an address").connect_lazy()
    }

    /// Sends a command once, and writes down what became of it.
    async fn attempt(&self, channel: &Channel, command: &Command) -> End {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        self.history.write(&Line::Invoke(Invoke {
            at: self.history.now(),
            attempt,
            log: LOG.to_owned(),
            organisation: format!("partners/{}", command.organisation),
            request_id: command.request_id.simple().to_string(),
            command: command.ask.name().to_owned(),
            content: command.content.clone(),
            expect: Some(Expect { events: command.events, since: command.since }),
        }));
        let answer = tokio::time::timeout(PATIENCE, Box::pin(command.ask.send(channel, command))).await;
        let at = self.history.now();
        let (line, end) = match answer {
            Ok(Ok(receipt)) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                (Line::Ok { at, attempt, receipt: hex(&receipt.encode_to_vec()) }, End::Done)
            }
            Ok(Err(status)) if !is_open(&status) => {
                (Line::Fail { at, attempt, code: format!("{:?}: {}", status.code(), status.message()) }, End::Refused)
            }
            Ok(Err(status)) => (Line::Unknown { at, attempt, code: format!("{:?}", status.code()) }, End::Open),
            Err(_) => (Line::Unknown { at, attempt, code: "no answer".to_owned() }, End::Open),
        };
        self.history.write(&line);
        end
    }

    pub fn now(&self) -> u64 {
        self.history.now()
    }
}

impl Ask {
    fn name(&self) -> &'static str {
        match self {
            Self::RegisterPartner(_) => "RegisterPartner",
            Self::RenamePartner(_) => "RenamePartner",
            Self::RegisterAgreement(_) => "RegisterAgreement",
            Self::SignAgreement(_) => "SignAgreement",
        }
    }

    async fn send(&self, channel: &Channel, command: &Command) -> Result<Receipt, Status> {
        let mut partners = PartnerServiceClient::new(channel.clone());
        let mut agreements = AgreementServiceClient::new(channel.clone());
        let id = command.request_id.to_string();
        let receipt = match self.clone() {
            Self::RegisterPartner(message) => {
                let message = RegisterPartnerRequest { request_id: id, ..message };
                partners.register_partner(command.authorised(message)).await?.into_inner().receipt
            }
            Self::RenamePartner(message) => {
                let message = RenamePartnerRequest { request_id: id, ..message };
                partners.rename_partner(command.authorised(message)).await?.into_inner().receipt
            }
            Self::RegisterAgreement(message) => {
                let message = RegisterAgreementRequest { request_id: id, ..message };
                agreements.register_agreement(command.authorised(message)).await?.into_inner().receipt
            }
            Self::SignAgreement(message) => {
                let message = SignAgreementRequest { request_id: id, ..message };
                agreements.sign_agreement(command.authorised(message)).await?.into_inner().receipt
            }
        };
        Ok(receipt.expect("an answer to a command has a receipt"))
    }
}

impl Command {
    fn authorised<T>(&self, message: T) -> Request<T> {
        authorised(message, self.role, self.organisation)
    }
}

/// A request with a token and a deadline.
pub fn authorised<T>(message: T, role: &str, organisation: &str) -> Request<T> {
    let mut request = Request::new(message);
    let token = harness::token(role, &format!("partners/{organisation}"), "official");
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    request.set_timeout(PATIENCE);
    request
}

/// The answer leaves open whether the command had or will have an effect, or says that it may succeed later.
fn is_open(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unknown
            | Code::Cancelled
            | Code::Internal
            | Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
    )
}

/// The partners that the load needs.
pub async fn prepare(shared: &Arc<Shared>) {
    let channel = shared.channel();
    for id in ["secretariat", "one", "other"] {
        let command = commands::register_partner(shared.now(), id, &format!("base-{id}"));
        assert_eq!(shared.attempt(&channel, &command).await, End::Done, "{id} is registered");
    }
}

/// Callers at work.
pub struct Load {
    shared: Arc<Shared>,
    callers: JoinSet<()>,
}

impl Load {
    pub fn start(shared: &Arc<Shared>, seed: u64) -> Self {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let numbers = Numbers::new(seed.wrapping_add(caller as u64 + 1));
            callers.spawn(Caller::new(caller, shared.clone(), numbers).work());
        }
        Self { shared: shared.clone(), callers }
    }

    /// Lets each caller bring its last command to an answer, and asks again for all of which nobody knows.
    pub async fn stop(self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let limit = Instant::now() + LAST_TRIES;
        // Whoever is not done by then is dropped: of its command nobody knows.
        let _ = tokio::time::timeout_at(limit, self.callers.join_all()).await;
        let open = std::mem::take(&mut *self.shared.open.lock().unwrap_or_else(PoisonError::into_inner));
        let channel = self.shared.channel();
        for command in open {
            while Instant::now() < limit && self.shared.attempt(&channel, &command).await == End::Open {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One caller, with two connections.
struct Caller {
    number: usize,
    shared: Arc<Shared>,
    numbers: Numbers,
    channels: [Channel; 2],
    /// Some commands that were answered well, to be sent again long after.
    done: Vec<Command>,
}

impl Caller {
    fn new(number: usize, shared: Arc<Shared>, numbers: Numbers) -> Self {
        let channels = [shared.channel(), shared.channel()];
        Self { number, shared, numbers, channels, done: Vec::new() }
    }

    async fn work(mut self) {
        let mut turn = 0_u32;
        while !self.shared.stop.load(Ordering::Relaxed) {
            turn += 1;
            let content = format!("c{}-{turn:06}", self.number);
            let now = self.shared.now();
            match self.numbers.below(12) {
                // All callers meet on one stream.
                0..=3 => drop(self.bring(commands::rename_partner(now, "one", &content)).await),
                4..=6 => drop(self.bring(commands::register_partner(now, &content, &content)).await),
                7 | 8 => self.agree(&content).await,
                9 => self.ask_again_long_after().await,
                10 => drop(self.bring(commands::register_partner(now, "one", &content)).await),
                _ => self.ask_otherwise_with_the_same_id(&content).await,
            }
        }
    }

    /// Two parties sign an agreement, each with the same request id: another organisation's is another request. The last
    /// signature brings it into force, so that it has two events.
    async fn agree(&mut self, content: &str) {
        let since = self.shared.now();
        if self.bring(commands::register_agreement(since, content)).await != End::Done {
            return;
        }
        let first = commands::sign(since, content, "one", Uuid::now_v7());
        let second = Command { events: 2, ..commands::sign(since, content, "other", first.request_id) };
        if self.bring(first).await == End::Done {
            self.bring(second).await;
        }
    }

    async fn ask_again_long_after(&mut self) {
        if self.done.is_empty() {
            return;
        }
        let index = self.numbers.index(self.done.len());
        let command = self.done[index].clone();
        self.bring(command).await;
    }

    async fn ask_otherwise_with_the_same_id(&mut self, content: &str) {
        let command = commands::register_partner(self.shared.now(), &format!("{content}-a"), &format!("{content}-a"));
        let content = format!("{content}-b");
        let other = commands::register_partner(command.since, &content, &content);
        let other = Command { request_id: command.request_id, ..other };
        self.bring(command).await;
        self.bring(other).await;
    }

    /// Sends a command until an answer says what became of it, always with the same id; now and then gives it up.
    async fn bring(&mut self, command: Command) -> End {
        let mut twice = self.numbers.below(6) == 0;
        loop {
            let end = if std::mem::take(&mut twice) {
                let [one, other] = &self.channels;
                let both = (self.shared.attempt(one, &command), self.shared.attempt(other, &command));
                match tokio::join!(both.0, both.1) {
                    (End::Done, _) | (_, End::Done) => End::Done,
                    (End::Refused, End::Refused) => End::Refused,
                    _ => End::Open,
                }
            } else {
                let channel = &self.channels[self.numbers.index(2)];
                self.shared.attempt(channel, &command).await
            };
            let gives_up = self.numbers.below(10) == 0;
            match end {
                End::Open if !gives_up => {
                    twice = self.numbers.below(4) == 0;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                End::Open => {
                    self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).push(command);
                    return end;
                }
                End::Done => {
                    if self.done.len() < 500 {
                        self.done.push(command);
                    } else {
                        let index = self.numbers.index(500);
                        self.done[index] = command;
                    }
                    return end;
                }
                End::Refused => return end,
            }
        }
    }
}
