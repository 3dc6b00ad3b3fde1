//! One epoch of a log, published from where its folder says: tree, signature, witnesses' lines, in this order.

use std::sync::Arc;

use serde_json::{Value, json};
use transparency::{Checkpoint, Hash, Note, Policy, VerifierKey};

use super::{
    Publication,
    asking::Cosigner,
    folder::Folder,
    growth::{Tree, in_background},
    http::Http,
    rounds::{Answer, Rounds},
    status::{PublicationState, Witnessing},
    trouble::Trouble,
};
use crate::{Epoch, Log, TreeHead};

const SIGNED: &str = "signed";
const CHECKPOINT: &str = "checkpoint";
const CHECKPOINTS: &str = "checkpoints.jsonl";
const POLICY: &str = "policy";
const KEYS: &str = "keys.json";

/// The publication of one epoch, as far as it has come.
pub(super) struct Session {
    pub epoch: Epoch,
    origin: String,
    told: Arc<Publication>,
    signer: Cosigner,
    policy: Policy,
    http: Http,
    folder: Arc<Folder>,
    tree: Tree,
    /// The newest checkpoint that the log has signed.
    signed: Option<Signed>,
    /// The one that witnesses are asked for.
    asked: Option<Signed>,
    /// The newest one with a quorum.
    witnessed: Option<Signed>,
    rounds: Rounds,
}

/// A checkpoint with signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signed {
    size: u64,
    root: Hash,
    note: Note,
}

impl Signed {
    fn size(this: Option<&Self>) -> u64 {
        this.map_or(0, |signed| signed.size)
    }
}

impl Session {
    /// Takes up the publication of the epoch that a log is in.
    pub async fn open(told: Arc<Publication>, log: &Log, head: &TreeHead, http: Http) -> Result<Self, Trouble> {
        let (epoch, origin) = (head.epoch, told.origin_of(log.name(), head.epoch));
        let keys = told.keys_of(&origin);
        let policy_text = told.policy_of(&origin);
        let policy = Policy::parse(&policy_text).expect("it was read before, and keys of logs add no names");
        let place = told.folder.join(log.name()).join(epoch.to_string());
        let opened = tokio::task::spawn_blocking(move || Folder::open(place));
        let folder = Arc::new(opened.await.map_err(|_| Trouble::Ending)??);
        let reading = (keys.clone(), origin.clone(), policy.clone());
        let (signed, witnessed) = in_background(&folder, move |folder| {
            let (keys, origin, policy) = reading;
            let signed = read(folder, SIGNED, &keys, &origin)?;
            let witnessed = read(folder, CHECKPOINT, &keys, &origin)?;
            // A policy that asks for more holds from now on.
            let witnessed = witnessed.filter(|checkpoint| policy.is_met_by(&checkpoint.note).unwrap_or(false));
            Ok((signed, witnessed))
        })
        .await?;
        let (size, root) = signed.as_ref().map_or((0, Hash::EMPTY_TREE), |signed| (signed.size, signed.root));
        not_shorter(size, head)?;
        let tree = Tree::resume(log.clone(), folder.clone(), size, root).await?;
        in_background(&folder, move |folder| {
            keep(folder, POLICY, policy_text.as_bytes())?;
            let known = folder.read(KEYS)?.unwrap_or_default();
            keep(folder, KEYS, keys_file(&known, &keys, size).as_bytes())
        })
        .await?;
        let cosigner = Cosigner::new(&told.signer, told.keys_of(&origin)).expect("it was read before");
        let rounds = Rounds::new(http.clone(), folder.clone(), &policy);
        Ok(Self {
            epoch,
            origin,
            told,
            signer: cosigner,
            policy,
            http,
            folder,
            tree,
            signed,
            asked: None,
            witnessed,
            rounds,
        })
    }

    /// Publishes what the log has grown by, and has it signed.
    pub async fn advance(&mut self, head: &TreeHead) -> Result<(), Trouble> {
        not_shorter(self.tree.size(), head)?;
        if self.tree.size() == head.size && self.tree.root() != head.root {
            let (to, stored) = (head.size, self.tree.root());
            return Err(Trouble::OtherRoot { from: 1, to, stored, head: head.root });
        }
        // What is not signed yet comes first: partial tiles are written for checkpoints, not for every moment.
        if self.tree.size() == Signed::size(self.signed.as_ref()) && self.tree.size() < head.size {
            self.tree.grow(head).await?;
        }
        if self.tree.size() > Signed::size(self.signed.as_ref()) {
            self.sign().await?;
        }
        Ok(())
    }

    async fn sign(&mut self) -> Result<(), Trouble> {
        let (size, root, before) = (self.tree.size(), self.tree.root(), Signed::size(self.signed.as_ref()));
        let checkpoint = Checkpoint::new(&self.origin, size, root).expect("the origin was read before");
        let unsigned = Note::unsigned(checkpoint.to_string()).expect("a checkpoint is a text");
        let mut request = unsigned.clone();
        request.add(self.told.submission_key.sign(unsigned.text(), 0));
        let asked = self.signer.ask(&self.http, &self.folder, &request, size, before);
        let lines = asked.await.map_err(Trouble::Unsigned)?;
        let mut note = unsigned;
        for line in lines {
            note.add(line);
        }
        let signed = Signed { size, root, note };
        self.write_signed(&signed).await?;
        self.signed = Some(signed);
        self.tree.forget_partial(before).await
    }

    async fn write_signed(&self, signed: &Signed) -> Result<(), Trouble> {
        let text = signed.note.to_string();
        in_background(&self.folder, move |folder| Ok(folder.replace(SIGNED, text.as_bytes())?)).await
    }

    /// Asks the witnesses whose turn has come, for the newest checkpoint where the one before is done with.
    pub async fn ask_witnesses(&mut self) -> Result<(), Trouble> {
        let newest = Signed::size(self.signed.as_ref());
        let done = Signed::size(self.witnessed.as_ref()) >= self.rounds.size() || self.rounds.is_idle();
        if newest > Signed::size(self.asked.as_ref()) && done {
            self.asked.clone_from(&self.signed);
            // What was signed before a crash may be enough, and so may nobody.
            self.settle().await?;
        }
        if let Some(asked) = &self.asked {
            self.rounds.ask(&asked.note, asked.size);
        }
        Ok(())
    }

    /// What a witness has answered next.
    pub async fn answer(&mut self) -> Answer {
        self.rounds.next().await
    }

    /// Keeps the lines that a witness answered with, late or not, as long as their checkpoint is one of ours.
    pub async fn take(&mut self, answer: Answer) -> Result<(), Trouble> {
        let size = answer.size;
        let lines = self.rounds.take(answer);
        if lines.is_empty() {
            return Ok(());
        }
        for kept in [&mut self.signed, &mut self.asked, &mut self.witnessed] {
            if let Some(kept) = kept.as_mut().filter(|kept| kept.size == size) {
                for line in &lines {
                    kept.note.add(line.clone());
                }
            }
        }
        if let Some(signed) = self.signed.as_ref().filter(|signed| signed.size == size) {
            self.write_signed(signed).await?;
        }
        match self.witnessed.as_ref().filter(|witnessed| witnessed.size == size) {
            Some(witnessed) => {
                let text = witnessed.note.to_string();
                in_background(&self.folder, move |folder| Ok(folder.replace(CHECKPOINT, text.as_bytes())?)).await
            }
            None => self.settle().await,
        }
    }

    /// Publishes the checkpoint that witnesses were asked for, if enough have signed it.
    async fn settle(&mut self) -> Result<(), Trouble> {
        let newer = |asked: &&Signed| asked.size > Signed::size(self.witnessed.as_ref());
        let Some(asked) = self.asked.as_ref().filter(newer) else { return Ok(()) };
        if !self.policy.is_met_by(&asked.note).unwrap_or(false) {
            return Ok(());
        }
        let (text, size) = (asked.note.to_string(), asked.size);
        in_background(&self.folder, move |folder| {
            folder.append(CHECKPOINTS, &json!({ "size": size, "note": text }).to_string())?;
            Ok(folder.replace(CHECKPOINT, text.as_bytes())?)
        })
        .await?;
        self.witnessed = Some(asked.clone());
        Ok(())
    }

    /// Where it stands.
    pub fn status(&self, head: u64, state: PublicationState) -> Witnessing {
        Witnessing {
            epoch: self.epoch,
            head,
            signed: Signed::size(self.signed.as_ref()),
            witnessed: Signed::size(self.witnessed.as_ref()),
            note: self.witnessed.as_ref().map(|witnessed| witnessed.note.to_string()).unwrap_or_default(),
            witnesses: self.rounds.status(),
            state,
        }
    }
}

fn not_shorter(published: u64, head: &TreeHead) -> Result<(), Trouble> {
    if head.size < published { Err(Trouble::LogIsShorter { published, head: head.size }) } else { Ok(()) }
}

/// A checkpoint of this log that its key has signed.
fn read(folder: &Folder, path: &'static str, keys: &[VerifierKey], origin: &str) -> Result<Option<Signed>, Trouble> {
    let Some(bytes) = folder.read(path)? else { return Ok(None) };
    let foreign = |problem: String| Trouble::Foreign { path, problem };
    let note = Note::parse(&bytes).map_err(|error| foreign(error.to_string()))?;
    note.verify(keys).map_err(|error| foreign(error.to_string()))?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|_| foreign("it is no checkpoint".into()))?;
    if checkpoint.origin() != origin {
        return Err(foreign(format!("it is of {}", checkpoint.origin())));
    }
    Ok(Some(Signed { size: checkpoint.size(), root: checkpoint.root(), note }))
}

/// Writes a file that may change, where it has.
fn keep(folder: &Folder, path: &str, bytes: &[u8]) -> Result<(), Trouble> {
    if folder.read(path)?.as_deref() == Some(bytes) { Ok(()) } else { Ok(folder.replace(path, bytes)?) }
}

/// Which keys the log signs with, each from and to a number of records. What is known of earlier keys stays.
fn keys_file(known: &[u8], keys: &[VerifierKey], size: u64) -> String {
    let known: Value = serde_json::from_slice(known).unwrap_or_default();
    let mut entries: Vec<Value> = known["keys"].as_array().cloned().unwrap_or_default();
    let is = |entry: &Value, key: &VerifierKey| entry["vkey"] == key.to_string().as_str() && entry["to"].is_null();
    for entry in entries.iter_mut().filter(|entry| entry["to"].is_null()) {
        if !keys.iter().any(|key| is(entry, key)) {
            entry["to"] = size.into();
        }
    }
    for key in keys {
        if !entries.iter().any(|entry| is(entry, key)) {
            entries.push(json!({ "vkey": key.to_string(), "from": size, "to": null }));
        }
    }
    format!("{:#}\n", json!({ "keys": entries }))
}
