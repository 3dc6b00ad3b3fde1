//! A log that was taken home: the folder that a service publishes, or a copy of it, checked without the service.
//!
//! What can be told from the folder alone: that the events are those that the log and its witnesses have signed, that none
//! is missing or twice, and that each stream goes on from version to version. Whose keys those are is known elsewhere:
//! a policy of one's own says so.

mod entries;
mod folder;
mod verdict;

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use transparency::{Checkpoint, CompactRange, Hash, Note, Policy, ProofFile, TILE_WIDTH, Tile, TileKind, VerifierKey};

pub use self::folder::Folder;
use self::{
    entries::Tree,
    verdict::{Fault, FaultJson, Wrong},
};
use crate::language::Language;

/// What was found of one log.
pub struct Verdict {
    /// The log's origin: deployment, log and epoch.
    pub origin: String,
    /// Events that the newest checkpoint covers.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// Checkpoints that were checked.
    pub checkpoints: usize,
    /// Witnesses that cosigned the newest one.
    pub witnesses: Vec<String>,
    /// Witnesses of the policy.
    pub all_witnesses: usize,
    /// Bytes of the events.
    pub bytes: u64,
    /// Streams.
    pub streams: usize,
    /// What is wrong, in the order of the log; what is about no event comes last.
    faults: Vec<Fault>,
}

/// A verdict as programs read it.
#[derive(Serialize)]
pub struct VerdictJson {
    origin: String,
    size: u64,
    root: String,
    checkpoints: usize,
    witnesses: Vec<String>,
    bytes: u64,
    streams: usize,
    faults: Vec<FaultJson>,
}

/// Checks one log of an archive. `policy` is whom to believe; without one, whom the folder itself names, which proves
/// nothing about who they are. `progress` is told how many of how many events are done.
pub fn verify(folder: &Folder, policy: Option<&Policy>, progress: impl Fn(u64, u64)) -> Result<Verdict> {
    let text = folder.text("policy").map_err(|fault| anyhow::anyhow!(fault.to_text(Language::En)))?;
    let own = Policy::parse(&text).with_context(|| folder.called("policy"))?;
    let policy = policy.unwrap_or(&own);
    let mut faults = Vec::new();
    let mut notes = Vec::new();
    for (file, text) in signed(folder, &mut faults) {
        match Signed::read(file.clone(), &text, policy) {
            Ok(note) => notes.push(note),
            Err(wrong) => faults.push(Fault::in_file(file, wrong)),
        }
    }
    let newest = notes.iter().max_by_key(|note| note.checkpoint.size());
    let newest = newest.with_context(|| format!("{} has no checkpoint that holds", folder.called("checkpoint")))?;
    let (origin, size, root) = (newest.checkpoint.origin(), newest.checkpoint.size(), newest.checkpoint.root());
    for other in notes.iter().filter(|note| note.checkpoint.origin() != origin) {
        faults.push(Fault::in_file(other.file.clone(), Wrong::Origin(other.checkpoint.origin().to_owned())));
    }
    let epoch = epoch_of(origin).with_context(|| format!("{origin} does not end in an epoch"))?;
    let wanted: Vec<u64> =
        notes.iter().map(|note| note.checkpoint.size()).collect::<BTreeSet<_>>().into_iter().collect();
    let tree = Tree { folder, size, wanted: &wanted, epoch: &epoch };
    let entries = entries::read(tree, |done| progress(done, size));
    faults.extend(entries.faults);
    faults.extend(above(folder, entries.stretches, size));
    for note in &notes {
        let (size, root) = (note.checkpoint.size(), note.checkpoint.root());
        if entries.roots.get(&size) != Some(&root) {
            faults.push(Fault { position: None, file: Some(note.file.clone()), wrong: Wrong::Root { size } });
        }
    }
    faults.sort_by_key(Fault::rank);
    let (bytes, streams) = (entries.bytes, entries.streams.len());
    let witnesses = newest.witnesses.clone();
    let (checkpoints, all_witnesses) = (notes.len(), policy.witnesses().len());
    Ok(Verdict { origin: origin.to_owned(), size, root, checkpoints, witnesses, all_witnesses, bytes, streams, faults })
}

/// Hands over the first `size` entries, in order.
pub fn each_entry(folder: &Folder, size: u64, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for bundle in transparency::grown(0, size).take_while(|tile| tile.kind == TileKind::Entries) {
        let name = folder.called(&bundle.to_string());
        let bytes = folder.bytes(&bundle.to_string()).map_err(|wrong| wrong.about(&name))?;
        for (entry, position) in
            bundle.entries(&bytes).with_context(|| name.clone())?.into_iter().zip(bundle.begin() + 1..)
        {
            take(entry).with_context(|| format!("position {position}"))?;
        }
    }
    Ok(())
}

/// Proves that an event is in the tree of the newest checkpoint.
pub fn prove(folder: &Folder, position: u64) -> Result<ProofFile> {
    let name = folder.called("checkpoint");
    let note = Note::parse(&folder.bytes("checkpoint").map_err(|wrong| wrong.about(&name))?).with_context(|| name)?;
    let size = note.text().parse::<Checkpoint>()?.size();
    let index = position.checked_sub(1).context("positions begin with 1")?;
    let proof = transparency::inclusion_proof(&|level: u8, index: u64| node(folder, size, level, index), index, size)?;
    let proof = proof.with_context(|| format!("the newest checkpoint ends at position {size}"))?;
    Ok(ProofFile { extra: None, index, proof, note })
}

/// The root of `2^level` leaves, from the tile that it or its leaves stand in.
fn node(folder: &Folder, size: u64, level: u8, index: u64) -> Result<Hash> {
    let (row, height) = (level / 8, u32::from(level % 8));
    let begin = index << height;
    let tile =
        Tile::of(TileKind::Hashes(row), begin / u64::from(TILE_WIDTH), size).context("the tree has no such node")?;
    let hashes = folder.hashes(&tile).map_err(|wrong| wrong.about(&folder.called(&tile.to_string())))?;
    let mut range = CompactRange::new();
    let first = usize::try_from(begin - tile.begin())?;
    for hash in hashes.get(first..first + (1 << height)).context("the tree has no such node")? {
        range.push(*hash);
    }
    Ok(range.root())
}

/// The notes of a folder and where each stands: `checkpoint`, and every line of `checkpoints.jsonl`.
fn signed(folder: &Folder, faults: &mut Vec<Fault>) -> Vec<(String, String)> {
    #[derive(serde::Deserialize)]
    struct Line {
        note: String,
    }
    let mut notes = Vec::new();
    match folder.text("checkpoint") {
        Ok(text) => notes.push((folder.called("checkpoint"), text)),
        Err(fault) => faults.push(fault),
    }
    let all = folder.text("checkpoints.jsonl").unwrap_or_else(|fault| {
        faults.push(fault);
        String::new()
    });
    for (line, number) in all.lines().zip(1..) {
        let name = format!("{}:{number}", folder.called("checkpoints.jsonl"));
        match serde_json::from_str::<Line>(line) {
            Ok(line) => notes.push((name, line.note)),
            Err(error) => faults.push(Fault::in_file(name, Wrong::Unreadable(error.to_string()))),
        }
    }
    notes
}

/// A checkpoint that its log has signed, with a quorum of witnesses.
struct Signed {
    file: String,
    checkpoint: Checkpoint,
    witnesses: Vec<String>,
}

impl Signed {
    fn read(file: String, text: &str, policy: &Policy) -> Result<Self, Wrong> {
        let unreadable = |error: &dyn std::error::Error| Wrong::Unreadable(error.to_string());
        let note = Note::parse(text.as_bytes()).map_err(|error| unreadable(&error))?;
        let checkpoint: Checkpoint = note.text().parse().map_err(|error| unreadable(&error))?;
        let keys = policy.logs().iter().map(|log| &log.key).filter(|key| key.name() == checkpoint.origin());
        let keys: Vec<VerifierKey> = keys.cloned().collect();
        note.verify(&keys).map_err(|error| Wrong::Signature(error.to_string()))?;
        let cosigners = policy.cosigners(&note).map_err(|error| Wrong::Signature(error.to_string()))?;
        if !policy.is_met_by(&note).unwrap_or(false) {
            return Err(Wrong::Quorum { size: checkpoint.size() });
        }
        let witnesses = cosigners.iter().map(|witness| witness.name.clone()).collect();
        Ok(Self { file, checkpoint, witnesses })
    }
}

/// Compares the levels above the second with their tiles, from what stands for each whole stretch.
fn above(folder: &Folder, stretches: Vec<Hash>, size: u64) -> Vec<Fault> {
    let (mut hashes, mut faults) = (stretches, Vec::new());
    for level in 2..=7 {
        faults.extend(folder.compare(level, 0, &hashes, size));
        hashes = hashes.as_chunks::<{ TILE_WIDTH as usize }>().0.iter().map(transparency::tile_root).collect();
    }
    faults
}

/// The epoch that an origin ends in.
fn epoch_of(origin: &str) -> Option<Vec<u8>> {
    let (_, epoch) = origin.rsplit_once('/')?;
    let epoch = uuid::Uuid::try_parse(epoch).ok().filter(|uuid| uuid.simple().to_string() == epoch)?;
    Some(epoch.as_bytes().to_vec())
}

/// A policy that somebody keeps in a file.
pub fn policy(file: &Path) -> Result<Policy> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let policy = Policy::parse(&text).with_context(|| file.display().to_string())?;
    ensure!(!policy.logs().is_empty(), "{} names no key of a log: add `log KEY`", file.display());
    Ok(policy)
}

impl Verdict {
    /// Whether everything is as it was signed.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// What was found, line by line.
    pub fn to_text(&self, language: Language) -> String {
        let (size, streams) = (language.count(self.size), language.count(self.streams as u64));
        let bytes = language.count(self.bytes);
        let (checkpoints, witnesses) = (language.count(self.checkpoints as u64), self.witnesses.join(", "));
        let mut lines = vec![
            self.origin.clone(),
            language.say(
                format!("  {size} events in {streams} streams, {bytes} bytes; root {}", self.root),
                format!("  {size} événements de {streams} flux, {bytes} octets\u{202f}; racine {}", self.root),
            ),
            language.say(
                format!(
                    "  {checkpoints} checkpoints; the newest is cosigned by {} of {} witnesses: {witnesses}",
                    self.witnesses.len(),
                    self.all_witnesses
                ),
                format!(
                    "  {checkpoints} points de contrôle\u{202f}; le dernier est contresigné par {} témoins sur {}\u{202f}: \
                     {witnesses}",
                    self.witnesses.len(),
                    self.all_witnesses
                ),
            ),
        ];
        if self.is_sound() {
            lines.push(language.say("  sound", "  intact").to_owned());
        }
        lines.extend(self.faults.iter().map(|fault| format!("  ! {}", fault.to_text(language))));
        lines.join("\n")
    }

    /// What was found, for programs.
    pub fn to_json(&self) -> VerdictJson {
        VerdictJson {
            origin: self.origin.clone(),
            size: self.size,
            root: self.root.to_string(),
            checkpoints: self.checkpoints,
            witnesses: self.witnesses.clone(),
            bytes: self.bytes,
            streams: self.streams,
            faults: self.faults.iter().map(Fault::to_json).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
