//! Publishes a log so that others can check it: its records and the tiles of their Merkle tree in a folder, under
//! checkpoints that the log's signer and a quorum of witnesses have signed (C2SP tlog-tiles, tlog-checkpoint,
//! tlog-cosignature).
//!
//! Guarantees: what is published was read back from the database and gives the root that the head has; it is on the
//! disk before anybody is asked to sign it; `signed` names what the log has signed, `checkpoint` what the policy's
//! quorum has. A crash at any moment leaves a folder that is right and is gone on with. A folder that does not agree
//! with the log is never written over: the publisher stops and says what differs. No command ever waits for any of it.
//!
//! The folder is `<folder>/<log>/<epoch>/`; a log that begins a new epoch begins a new tree there, under a new origin.

mod asking;
mod edge;
mod folder;
mod growth;
mod http;
mod rounds;
mod session;
mod status;
mod trouble;

use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use event_sourcing::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use transparency::{Checkpoint, Hash, KeyKind, Policy, SigningKey, VerifierKey};

pub use self::status::{PublicationState, WitnessStatus, Witnessing};
use self::{asking::Cosigner, http::Http, session::Session, status::Meters, trouble::Trouble};
use crate::{Epoch, Log, chain::chain};

/// How often a publisher looks at the log.
const EVERY: Duration = Duration::from_secs(1);
/// After so many looks a publisher that stopped sees whether somebody has mended what it found.
const LOOKS_WHEN_STOPPED: u32 = 30;

/// What a publisher is told.
#[derive(Debug, Clone)]
pub struct Publication {
    folder: PathBuf,
    origin: String,
    signer: String,
    submission_key: SigningKey,
    log_keys: Vec<VerifierKey>,
    policy: String,
    every: Duration,
}

impl Publication {
    /// Publishes below a folder, as logs of an origin such as `toguna.example.org`. The signer answers at an address,
    /// trusts the submission key, and signs with one of the log's keys, whose names do not matter. The policy is a C2SP
    /// tlog-policy without logs. All problems at once.
    pub fn new(
        folder: PathBuf,
        origin: &str,
        signer: &str,
        submission_key: SigningKey,
        log_keys: Vec<VerifierKey>,
        policy: &str,
    ) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        if origin.ends_with('/') || origin.contains("://") || Checkpoint::new(origin, 0, Hash::EMPTY_TREE).is_err() {
            problems
                .push("the origin is a name such as toguna.example.org, without a scheme or a slash at its end".into());
        }
        for (whose, key) in
            std::iter::once(("submission", submission_key.verifier())).chain(log_keys.iter().map(|key| ("log", key)))
        {
            if key.kind() != KeyKind::Note {
                problems.push(format!("the {whose} key {} is no key of a log, but of a witness", key.name()));
            }
        }
        if log_keys.is_empty() {
            problems.push("there is no key of the log".into());
        }
        let witnesses = match Policy::parse(policy) {
            Ok(policy) if policy.logs().is_empty() => policy.witnesses().to_vec(),
            Ok(_) => {
                problems.push("the policy names a log; the publisher adds the log’s own keys".into());
                Vec::new()
            }
            Err(error) => {
                problems.push(format!("the policy is none: {error}"));
                Vec::new()
            }
        };
        let urls = witnesses.iter().filter_map(|witness| Some((witness.name.as_str(), witness.url.as_deref()?)));
        for (name, url) in std::iter::once(("the signer", signer)).chain(urls) {
            if !url.starts_with("http://") || Cosigner::new(url, Vec::new()).is_err() {
                problems.push(format!("{name} needs an address that begins with http://, not {url}"));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (origin, signer, policy) = (origin.to_owned(), signer.to_owned(), policy.to_owned());
        Ok(Self { folder, origin, signer, submission_key, log_keys, policy, every: EVERY })
    }

    /// Looks at the log more often or less: every second otherwise.
    #[must_use]
    pub fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Where it is published.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// What the tree of a log’s epoch is called: `<origin>/<log>/<epoch>`, which is the name of its key, too.
    pub fn origin_of(&self, log: &str, epoch: Epoch) -> String {
        format!("{}/{log}/{epoch}", self.origin)
    }

    fn keys_of(&self, origin: &str) -> Vec<VerifierKey> {
        let named = |key: &VerifierKey| key.renamed(origin).expect("an origin is the name of a key");
        self.log_keys.iter().map(named).collect()
    }

    fn policy_of(&self, origin: &str) -> String {
        let mut lines: Vec<String> = self.keys_of(origin).iter().map(|key| format!("log {key}")).collect();
        lines.push(self.policy.clone());
        lines.join("\n")
    }
}

/// Starts to publish a log; it ends with `shutdown`. No failure of a disk, a signer or a witness ends it or anything
/// else.
pub fn start(log: Log, told: Publication, shutdown: CancellationToken) -> watch::Receiver<Witnessing> {
    let first = Witnessing {
        epoch: log.epoch(),
        head: log.head(),
        signed: 0,
        witnessed: 0,
        note: String::new(),
        witnesses: Vec::new(),
        state: PublicationState::Publishing,
    };
    let (status, receiver) = watch::channel(first);
    let meters = Meters::new(log.name());
    let publisher = Publisher { log, told: Arc::new(told), http: Http::new(), status, meters };
    tokio::spawn(async move {
        shutdown.run_until_cancelled(Box::pin(publisher.run())).await;
    });
    receiver
}

struct Publisher {
    log: Log,
    told: Arc<Publication>,
    http: Http,
    status: watch::Sender<Witnessing>,
    meters: Meters,
}

impl Publisher {
    async fn run(self) {
        loop {
            let Err(trouble) = self.publish().await;
            if let Trouble::NewEpoch = trouble {
                continue;
            }
            self.troubled(&trouble);
            let looks = if trouble.is_contradiction() { LOOKS_WHEN_STOPPED } else { 1 };
            sleep(self.told.every * looks).await;
        }
    }

    /// Publishes the epoch that the log is in, until something fails or another begins.
    async fn publish(&self) -> Result<Infallible, Trouble> {
        let head = self.log.tree_head().await?.ok_or(Trouble::NoTree)?;
        let mut session = Session::open(self.told.clone(), &self.log, &head, self.http.clone()).await?;
        loop {
            let next = Instant::now() + self.told.every;
            let head = self.log.tree_head().await?.ok_or(Trouble::NoTree)?;
            if head.epoch != session.epoch {
                return Err(Trouble::NewEpoch);
            }
            let state = match session.advance(&head).await {
                Ok(()) => PublicationState::Publishing,
                // The tree is there, and stays as it is until somebody signs.
                Err(trouble @ Trouble::Unsigned(_)) if !trouble.is_contradiction() => self.state_in(&trouble),
                Err(trouble) => return Err(trouble),
            };
            session.ask_witnesses().await?;
            loop {
                let status = session.status(head.size, state.clone());
                self.meters.report(&status);
                self.status.send_replace(status);
                tokio::select! {
                    answer = session.answer() => session.take(answer).await?,
                    () = sleep_until(next) => break,
                }
            }
        }
    }

    /// Says what is wrong, once.
    fn state_in(&self, trouble: &Trouble) -> PublicationState {
        let (error, stops) = (chain(trouble), trouble.is_contradiction());
        let before = match &self.status.borrow().state {
            PublicationState::Publishing => None,
            PublicationState::Retrying { since, error } => Some((*since, false, error.clone())),
            PublicationState::Stopped { since, error } => Some((*since, true, error.clone())),
        };
        let log = self.log.name();
        match &before {
            Some((_, stopped, said)) if *stopped == stops && *said == error => {}
            _ if stops => {
                error!(log, error, "the publisher stops: log, publication and signatures contradict each other");
            }
            _ => warn!(log, error, "the publisher is behind and tries again"),
        }
        let since = before.filter(|(_, stopped, _)| *stopped == stops).map_or_else(Timestamp::now, |(since, ..)| since);
        if stops { PublicationState::Stopped { since, error } } else { PublicationState::Retrying { since, error } }
    }

    fn troubled(&self, trouble: &Trouble) {
        let state = self.state_in(trouble);
        self.status.send_modify(|status| {
            (status.epoch, status.head, status.state) = (self.log.epoch(), self.log.head(), state);
        });
        self.meters.report(&self.status.borrow());
    }
}
