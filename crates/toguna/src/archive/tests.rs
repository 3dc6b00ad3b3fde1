use std::{
    fs,
    path::{Path, PathBuf},
};

use contracts::toguna::log::v1::EventRecord;
use prost::Message as _;
use transparency::{KeyKind, SigningKey, bundled, grown, leaf_hash, verify_inclusion};

use super::*;
use crate::local::random_hex;

const EPOCH: [u8; 16] = [7; 16];

/// A published log of one's own, in a folder that goes with it.
struct Published {
    root: PathBuf,
    size: u64,
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn record(position: u64) -> Vec<u8> {
    // Three streams, one after the other.
    let (stream, version) = (format!("partners/p{}", position % 3), position.div_ceil(3));
    let recorded_at = Some(prost_types::Timestamp { seconds: 1_700_000_000 + position.cast_signed(), nanos: 0 });
    let epoch = EPOCH.to_vec();
    EventRecord { position, stream, version, epoch, recorded_at, ..EventRecord::default() }.encode_to_vec()
}

fn log_key() -> SigningKey {
    SigningKey::new(&origin(), KeyKind::Note, &[1; 32]).expect("a key")
}

fn witness(number: u8) -> SigningKey {
    SigningKey::new(&format!("w{number}.example"), KeyKind::Cosigner, &[number; 32]).expect("a key")
}

fn origin() -> String {
    format!("toguna.example/partnerships/{}", uuid::Uuid::from_bytes(EPOCH).simple())
}

fn policy_text() -> String {
    let witnesses =
        (2..=4).fold(String::new(), |text, number| format!("{text}witness W{number} {}\n", witness(number).verifier()));
    format!("log {}\n{witnesses}group partners 2 W2 W3 W4\nquorum partners\n", log_key().verifier())
}

fn note(records: &[Vec<u8>]) -> String {
    let mut range = CompactRange::new();
    for record in records {
        range.push_entry(record);
    }
    let text = Checkpoint::new(&origin(), range.end(), range.root()).expect("an origin").to_string();
    let mut note = Note::unsigned(text.clone()).expect("a text");
    for key in [log_key(), witness(2), witness(4)] {
        note.add(key.sign(&text, 1_700_000_000));
    }
    note.to_string()
}

impl Published {
    fn of(records: &[Vec<u8>], checkpoints: &[usize]) -> Self {
        let root = std::env::temp_dir().join(format!("toguna-archive-{}", random_hex(6)));
        let size = records.len() as u64;
        let published = Self { root, size };
        let mut levels: Vec<Vec<Hash>> = vec![records.iter().map(|record| leaf_hash(record)).collect()];
        while let Some(above) = levels
            .last()
            .map(|level| level.as_chunks::<256>().0.iter().map(transparency::tile_root).collect::<Vec<_>>())
            && !above.is_empty()
        {
            levels.push(above);
        }
        for tile in grown(0, size) {
            let begin = usize::try_from(tile.begin()).expect("a small tree");
            let range = begin..begin + usize::from(tile.width);
            let bytes: Vec<u8> = match tile.kind {
                TileKind::Entries => records[range].iter().flat_map(|it| bundled(it).expect("short")).collect(),
                TileKind::Hashes(level) => {
                    levels[usize::from(level)][range].iter().flat_map(|it| *it.as_bytes()).collect()
                }
            };
            published.write(&tile.to_string(), &bytes);
        }
        let notes: Vec<_> = checkpoints.iter().map(|size| note(&records[..*size])).collect();
        published.write("checkpoint", notes.last().expect("a checkpoint").as_bytes());
        let lines = notes.iter().map(|note| format!("{}\n", serde_json::json!({ "note": note })));
        published.write("checkpoints.jsonl", lines.collect::<Vec<_>>().concat().as_bytes());
        published.write("policy", policy_text().as_bytes());
        published
    }

    fn whole(size: u64) -> Self {
        let records: Vec<_> = (1..=size).map(record).collect();
        let half = records.len() / 2;
        Self::of(&records, &[half, records.len()])
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn folder(&self) -> Folder {
        Folder::all(&self.root).expect("it can be read").pop().expect("a log")
    }

    fn verdict(&self) -> Result<Verdict> {
        verify(&self.folder(), None, |_, _| {})
    }

    /// What is wrong first once a byte of a file is another one.
    fn flipped(&self, file: &str, byte: usize) -> Result<Option<Fault>> {
        let path = self.root.join(file);
        let right = fs::read(&path).expect("the file is there");
        let mut wrong = right.clone();
        wrong[byte] ^= 1;
        fs::write(&path, wrong).expect("a file");
        let verdict = self.verdict();
        fs::write(&path, right).expect("a file");
        Ok(verdict?.faults.into_iter().next())
    }
}

#[test]
fn what_was_published_is_sound_at_every_size_around_the_borders_of_tiles() {
    for size in [1, 2, 255, 256, 257, 600] {
        let published = Published::whole(size);
        let verdict = published.verdict().expect("it can be checked");
        assert!(verdict.is_sound(), "{}", verdict.to_text(Language::En));
        assert_eq!((verdict.size, verdict.witnesses), (size, vec!["W2".to_owned(), "W4".to_owned()]));
    }
}

#[test]
fn any_changed_byte_is_found_with_its_position_or_file() {
    let published = Published::whole(600);
    for (position, offset) in [(1, 2), (256, 10), (257, 5), (600, 4)] {
        let index = (position - 1) / 256;
        let file = if index == 2 { "tile/entries/002.p/88".to_owned() } else { format!("tile/entries/{index:03}") };
        let before: usize = (index * 256 + 1..position).map(|position| record(position).len() + 2).sum();
        let fault = published.flipped(&file, before + 2 + offset).expect("it can be checked").expect("it is found");
        assert_eq!(fault.position, Some(position), "{fault:?}");
    }
    let lengths = published.flipped("tile/entries/001", 1).expect("it can be checked").expect("it is found");
    assert_eq!((lengths.position, lengths.file.as_deref()), (Some(257), Some("tile/entries/001")));
    for (file, byte, position) in [("tile/0/000", 40, 2), ("tile/0/002.p/88", 0, 513), ("tile/1/000.p/2", 33, 257)] {
        let fault = published.flipped(file, byte).expect("it can be checked").expect("it is found");
        assert_eq!((fault.position, fault.file.as_deref()), (Some(position), Some(file)), "{fault:?}");
    }
    for file in ["checkpoint", "checkpoints.jsonl"] {
        for byte in (0..fs::read(published.root.join(file)).expect("it is there").len()).step_by(31) {
            let found = published.flipped(file, byte).map(|fault| fault.is_some());
            assert!(found.unwrap_or(true), "byte {byte} of {file}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    for file in ["tile/entries/001", "tile/0/001", "tile/1/000.p/2", "checkpoints.jsonl"] {
        let published = Published::whole(600);
        fs::remove_file(published.root.join(file)).expect("it was there");
        let faults = published.verdict().expect("it can be checked").faults;
        assert!(faults.iter().any(|it| it.file.as_deref() == Some(file) && it.wrong == Wrong::Missing), "{faults:?}");
    }
}

#[test]
fn a_log_that_was_signed_and_is_no_log_is_found() {
    let told = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut records: Vec<_> = (1..=300).map(record).collect();
        change(&mut records);
        let published = Published::of(&records, &[records.len()]);
        published.verdict().expect("it can be checked").faults
    };
    let gap = told(&|records| drop(records.remove(9)));
    assert_eq!(gap.first(), Some(&Fault::at(10, Wrong::Position(11))));
    let lost = told(&|records| records[9] = record(7).tap_position(10));
    assert!(lost.iter().any(|fault| fault.position == Some(10) && matches!(fault.wrong, Wrong::Version { .. })));
    assert!(lost.iter().any(|fault| fault.position == Some(10) && fault.wrong == Wrong::Time), "{lost:?}");
    let nonsense = told(&|records| records[299] = vec![0xff]);
    assert_eq!(nonsense.first(), Some(&Fault::at(300, Wrong::NoRecord)));
}

/// The same record at another place.
trait TapPosition {
    fn tap_position(self, position: u64) -> Self;
}

impl TapPosition for Vec<u8> {
    fn tap_position(self, position: u64) -> Self {
        let record = EventRecord::decode(self.as_slice()).expect("a record");
        EventRecord { position, ..record }.encode_to_vec()
    }
}

#[test]
fn whoever_is_not_believed_has_signed_nothing() {
    let published = Published::whole(5);
    let others = policy_text().replace("group partners 2 W2 W3 W4", "group partners all W2 W3 W4");
    let others = Policy::parse(&others).expect("a policy");
    assert!(verify(&published.folder(), Some(&others), |_, _| {}).is_err(), "no checkpoint has the quorum");
    let own = Policy::parse(&policy_text()).expect("a policy");
    assert!(verify(&published.folder(), Some(&own), |_, _| {}).expect("it can be checked").is_sound());
}

#[test]
fn every_event_is_proved_to_the_newest_checkpoint() {
    let published = Published::whole(600);
    let folder = published.folder();
    for position in [1, 256, 257, 512, 513, 600] {
        let proof = prove(&folder, position).expect("it is in the log");
        let checkpoint: Checkpoint = proof.note.text().parse().expect("a checkpoint");
        let (leaf, root) = (leaf_hash(&record(position)), checkpoint.root());
        assert_eq!(verify_inclusion(&leaf, proof.index, published.size, &root, &proof.proof), Ok(()), "{position}");
    }
    assert!(prove(&folder, 0).is_err() && prove(&folder, 601).is_err());
}
