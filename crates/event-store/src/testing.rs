//! For the tests of services: frozen events, and projections that are folded in any batches.
//!
//! What was stored once must be read for ever:
//!
//! ```ignore
//! Fixtures::in_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events"))
//!     .hold::<Cycle>([CycleEvent::Closed])
//!     .cover("toguna.commitments.events.v1");
//! ```

mod batches;

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

pub use self::batches::rows_whatever_the_batches;
use crate::{Payload, Stored};

/// Set to make the files that are missing. Files that are there are never written again: their bytes are in logs.
const WRITE_MISSING: &str = "TOGUNA_WRITE_FIXTURES";

/// A folder of files `<EventName>.hex`, each with the stored bytes of one event in hexadecimal.
pub struct Fixtures {
    folder: PathBuf,
    held: BTreeSet<String>,
}

impl Fixtures {
    /// The files of a folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), held: BTreeSet::new() }
    }

    /// Each of these events is what the file of its type decodes to, and encodes to the same bytes again.
    #[must_use]
    #[track_caller]
    pub fn hold<A: Stored>(mut self, events: impl IntoIterator<Item = A::Event>) -> Self
    where
        A::Event: PartialEq + Debug,
    {
        for event in events {
            let encoded = A::encode(&event);
            let name = encoded.type_name.rsplit('.').next().unwrap_or_default().to_owned();
            let stored = Payload { type_name: encoded.type_name.clone(), bytes: self.bytes(&name, &encoded.bytes) };
            let decoded = A::decode(&stored).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(decoded, event, "{name} decodes to another event");
            assert_eq!(encoded, stored, "{name} encodes to other bytes");
            assert!(self.held.insert(name.clone()), "{name} is held twice");
        }
        self
    }

    /// Every event type of a package has a file, and every file was held.
    #[track_caller]
    pub fn cover(self, package: &str) {
        assert_eq!(event_types(package), self.held, "each event type has one value");
        let files = fs::read_dir(&self.folder).expect("the folder is there");
        let names =
            files.map(|file| file.expect("it can be read").path().with_extension("").file_name().map(Into::into));
        let names: BTreeSet<String> = names
            .map(|name: Option<std::ffi::OsString>| name.unwrap_or_default().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, self.held, "each file has a value");
    }

    fn bytes(&self, name: &str, now: &[u8]) -> Vec<u8> {
        let path = self.folder.join(format!("{name}.hex"));
        if !path.exists() && std::env::var_os(WRITE_MISSING).is_some() {
            let digits = now.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
            fs::write(&path, digits + "\n").expect("the file can be written");
        }
        let digits = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let digits = digits.trim();
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
            .collect()
    }
}

/// The messages of a package that no other message holds: its events.
fn event_types(package: &str) -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(contracts::DESCRIPTORS).expect("our own descriptors");
    let messages: Vec<DescriptorProto> =
        files.file.into_iter().filter(|file| file.package() == package).flat_map(|file| file.message_type).collect();
    let held: BTreeSet<&str> = messages
        .iter()
        .flat_map(|message| &message.field)
        .filter_map(|field| field.type_name().rsplit('.').next())
        .collect();
    messages.iter().map(|message| message.name().to_owned()).filter(|name| !held.contains(name.as_str())).collect()
}
