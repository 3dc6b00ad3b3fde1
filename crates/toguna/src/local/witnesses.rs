//! The signer of a local stack's logs, and three witnesses that stand for three partner governments. They run here, side
//! by side with what they watch, so they prove nothing to anybody: all names of their keys are below [`ORIGIN`], and
//! services of other deployments refuse such keys.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use transparency::{Checkpoint, KeyKind, Note, Policy, SigningKey};

use super::{
    STOP_LIMIT, hex,
    home::{Address, Home, StackFile},
    kept, random_seed,
    server::Server,
    write_private,
};
use crate::witness::store::{Kind, Store};

/// First part of the names of a local stack's logs and keys; no name on any network ends like this one (RFC 6761).
pub const ORIGIN: &str = "toguna.localhost";

/// The governments for which the witnesses stand, by the ids of partners; the names of the servers.
const GOVERNMENTS: [(&str, &str); 3] = [("es", "witness-es"), ("ml", "witness-ml"), ("sn", "witness-sn")];

/// How many of them must have signed.
const QUORUM: usize = 2;

/// Folder of what the services publish, in a stack's home.
const PUBLICATION: &str = "publication";

const SIGNER: &str = "signer";

/// How they are run.
const SERVE: &[&str] = &["witness", "serve"];

/// How many witnesses must have signed, and of which governments.
pub fn quorum() -> (usize, Vec<&'static str>) {
    (QUORUM, GOVERNMENTS.iter().map(|(id, _)| *id).collect())
}

/// The policy of the stack that is kept in `home`.
pub fn policy(home: &Home) -> Result<Policy> {
    let file = home.folder().join("witnesses").join("policy");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Policy::parse(&text).with_context(|| file.display().to_string())
}

/// How many records of a log the policy's witnesses have cosigned, by what its service has published; 0: none yet.
pub fn witnessed(home: &Home, policy: &Policy, log: &str, epoch: &[u8]) -> Result<u64> {
    let folder = home.folder().join(PUBLICATION).join(log).join(hex(epoch));
    // Until there is a checkpoint, nothing is witnessed.
    let Ok(bytes) = fs::read(folder.join("checkpoint")) else { return Ok(0) };
    let note = Note::parse(&bytes)?;
    let checkpoint: Checkpoint = note.text().parse()?;
    anyhow::ensure!(checkpoint.origin() == origin(log, epoch), "{} is of another log", folder.display());
    anyhow::ensure!(policy.is_met_by(&note)?, "{} is published without its witnesses", folder.display());
    Ok(checkpoint.size())
}

/// The signer and the witnesses of a stack.
#[derive(Debug)]
pub(super) struct Witnesses {
    folder: PathBuf,
    signer: Server,
    governments: Vec<Server>,
}

impl Witnesses {
    /// Starts all four; their stores are made where they are not there yet.
    pub(super) async fn start(home: &Home, before: &StackFile) -> Result<Self> {
        let folder = fs::canonicalize(home.folder())?.join("witnesses");
        let server = |name: &'static str, kind: Kind| {
            let store = folder.join(name);
            if !store.join("witness.toml").exists() {
                Store::init(&store, kind, ([127, 0, 0, 1], 0).into())?;
            }
            let store = store.to_string_lossy().into_owned();
            let server = Server::new(name, "toguna", home, before.witnesses.get(name))?;
            anyhow::Ok(server.arguments(SERVE).environment([("TOGUNA_WITNESS_STORE", store)]))
        };
        let witness = |(id, name)| server(name, Kind::Witness { name: format!("{ORIGIN}/demo-witness/{id}") });
        let governments = GOVERNMENTS.into_iter().map(witness).collect::<Result<_>>()?;
        let signer = server(SIGNER, Kind::Signer)?;
        let mut started = Self { folder, signer, governments };
        started.each().try_for_each(Server::start)?;
        for server in started.each() {
            server.until_listening().await?;
        }
        started.write_policy()?;
        Ok(started)
    }

    /// What a service is told of them.
    pub(super) fn environment(&self, service: &str) -> Result<Vec<(&'static str, String)>> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        self.submission_key(service)?;
        let key = self.folder.join(format!("demo-log-{service}.vkey"));
        let verifier = self.store(SIGNER)?.log_key(&log_key(service))?;
        fs::write(&key, format!("{}\n", verifier.renamed(&format!("{ORIGIN}/demo-log/{service}"))?))?;
        Ok(vec![
            ("TOGUNA_PUBLICATION_DIR", text(self.folder.with_file_name(PUBLICATION))),
            ("TOGUNA_LOG_ORIGIN", ORIGIN.to_owned()),
            ("TOGUNA_LOG_KEY", text(key)),
            ("TOGUNA_SIGNER_URL", url(&self.signer)),
            ("TOGUNA_SUBMISSION_KEY", text(self.submission_key_file(service))),
            ("TOGUNA_WITNESS_POLICY", text(self.policy())),
        ])
    }

    /// Tells the signer and the witnesses of a log, now that its epoch is known. What they know already stays.
    pub(super) fn tell_of(&self, log: &str, epoch: &[u8]) -> Result<()> {
        let origin = origin(log, epoch);
        let submission = self.submission_key(log)?.verifier().to_string();
        let signed = self.store(SIGNER)?.trust(&origin, &[submission], Some(&log_key(log)))?;
        let keys: Vec<String> = signed.keys.iter().map(|key| key.verifier().to_string()).collect();
        for (_, name) in GOVERNMENTS {
            self.store(name)?.trust(&origin, &keys, None)?;
        }
        Ok(())
    }

    /// Where each answers.
    pub(super) fn addresses(&self) -> BTreeMap<String, Address> {
        let servers = [&self.signer].into_iter().chain(&self.governments);
        servers.map(|server| (server.name().to_owned(), server.address())).collect()
    }

    /// Starts again what stopped by itself. Whether anything was.
    pub(super) fn keep(&mut self, tell: impl Fn(&str)) -> Result<bool> {
        self.each().try_fold(false, |changed, server| Ok(server.keep(&tell)? || changed))
    }

    /// Stops all four.
    pub(super) async fn stop(&mut self) -> Result<()> {
        self.each().for_each(Server::tell_to_stop);
        for server in self.each() {
            server.stopped(STOP_LIMIT).await?;
        }
        Ok(())
    }

    fn each(&mut self) -> impl Iterator<Item = &mut Server> {
        [&mut self.signer].into_iter().chain(&mut self.governments)
    }

    fn store(&self, name: &str) -> Result<Store> {
        Ok(Store::open(&self.folder.join(name))?)
    }

    /// Which witnesses there are and how many must have signed, as C2SP tlog-policy has it.
    fn write_policy(&self) -> Result<()> {
        let mut lines = Vec::new();
        for ((id, name), server) in GOVERNMENTS.iter().zip(&self.governments) {
            let key = self.store(name)?.verifier_key()?.context("a witness has a key")?;
            lines.push(format!("witness {id} {key} {}", url(server)));
        }
        lines.push(format!("group demo-governments {QUORUM} {}", GOVERNMENTS.map(|(id, _)| id).join(" ")));
        lines.push("quorum demo-governments\n".to_owned());
        let policy = lines.join("\n");
        write_private(&self.policy(), policy.as_bytes())
    }

    fn policy(&self) -> PathBuf {
        self.folder.join("policy")
    }

    fn submission_key_file(&self, service: &str) -> PathBuf {
        self.folder.join(format!("demo-submission-{service}.key"))
    }

    /// The key by which the signer knows the service, made where there is none.
    fn submission_key(&self, service: &str) -> Result<SigningKey> {
        let name = format!("{ORIGIN}/demo-submission/{service}");
        let new =
            || SigningKey::new(&name, KeyKind::Note, &random_seed()).expect("it is a name of a key").to_secret_text();
        let file = self.submission_key_file(service);
        kept(&file, new)?.parse().with_context(|| format!("{} holds no key", file.display()))
    }
}

/// First line of a log's checkpoints.
fn origin(log: &str, epoch: &[u8]) -> String {
    format!("{ORIGIN}/{log}/{}", hex(epoch))
}

/// The signer's name of a log's key.
fn log_key(log: &str) -> String {
    format!("demo-{log}")
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address().address)
}
