//! What happened in a run, seen from the outside, line by line as JSON: what clients asked and were answered, what was
//! broken, what was seen of the logs, of their copies and of the read models meanwhile. Times are microseconds since the
//! run began, by one monotonic clock.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// What is run; the first line.
    Run(Run),
    /// A client sends a command, for the first time or again.
    Invoke(Invoke),
    /// It was answered well.
    Ok {
        /// When.
        at: u64,
        /// Which sending of which command.
        attempt: u64,
        /// The bytes of the `Receipt`, in hexadecimal.
        receipt: String,
    },
    /// It was refused: that sending had no effect and never will.
    Fail {
        /// When.
        at: u64,
        /// Which sending of which command.
        attempt: u64,
        /// Why.
        code: String,
    },
    /// Nobody knows: no answer, or one that leaves it open.
    Unknown {
        /// When the client gave up.
        at: u64,
        /// Which sending of which command.
        attempt: u64,
        /// Why.
        code: String,
    },
    /// Something was broken for a time.
    Fault {
        /// Since when.
        from: u64,
        /// Until when it was mended.
        until: u64,
        /// What.
        fault: String,
    },
    /// The database server crashed: what nobody had made it write down for good is gone.
    Crash {
        /// When it was gone.
        from: u64,
        /// When it was back.
        until: u64,
    },
    /// A backup of the whole database server was taken.
    Backup {
        /// When.
        at: u64,
        /// Which.
        backup: u64,
        /// Where each log stood in it.
        logs: BTreeMap<String, Place>,
    },
    /// A backup was put back: what had come after it is lost, and everybody was told so.
    Restore(Restore),
    /// Somebody looked at a log.
    Seen(Seen),
    /// Somebody looked at the copy of a log, and then at the log.
    Copy(CopySeen),
    /// Somebody looked at the checkpoint of a follower.
    Checkpoint(CheckpointSeen),
    /// A consumer was given events.
    Delivered(Delivered),
}

/// What is run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which faults come.
    pub seed: u64,
    /// The logs, by name: that of the service and of its database.
    pub logs: Vec<String>,
    /// Logs of which every command is in this history.
    pub complete: Vec<String>,
    /// What must follow from an event of one log in another.
    pub reactions: Vec<Reaction>,
}

/// What must follow from an event of one log in another, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The log of the event.
    pub from: String,
    /// Full name of the event's type.
    pub event: String,
    /// The log of what follows.
    pub to: String,
}

/// A client sends a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoke {
    /// When.
    pub at: u64,
    /// Which sending: unique in the history.
    pub attempt: u64,
    /// The log that it is for.
    pub log: String,
    /// Who sends it.
    pub organisation: String,
    /// Its id, in hexadecimal without hyphens.
    pub request_id: String,
    /// What is asked.
    pub command: String,
    /// What tells its content from all others: the `reason` of its act.
    pub content: String,
    /// How many events it has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
}

/// How many events a command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// So many.
    pub events: usize,
    /// Provided that nothing was restored since.
    pub since: u64,
}

/// Where a log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its epoch, in hexadecimal.
    pub epoch: String,
    /// Its last position.
    pub position: u64,
}

/// A backup was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// When the server was cut off from everybody.
    pub from: u64,
    /// When it could be reached again.
    pub until: u64,
    /// Where each log stood right before.
    pub left: BTreeMap<String, Place>,
    /// Where each log stood right after.
    pub found: BTreeMap<String, Place>,
}

/// Records that were seen in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When the look began.
    pub from: u64,
    /// When it ended.
    pub at: u64,
    /// The log.
    pub log: String,
    /// What its head row says.
    pub head: Place,
    /// Root of the tree in that row, in hexadecimal; `None`: nobody looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Position of the first of the records.
    pub first: u64,
    /// [`digest`](crate::text::digest) of each.
    pub digests: Vec<String>,
}

/// The end of a log's copy, and then that of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeen {
    /// When the look began.
    pub from: u64,
    /// When it ended.
    pub at: u64,
    /// The log.
    pub log: String,
    /// Epoch and last sequence of the JetStream stream.
    pub copy: Place,
    /// Epoch and position of the log, asked for afterwards.
    pub head: Place,
}

/// How far a follower was, and then how far its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSeen {
    /// When the look began.
    pub from: u64,
    /// When it ended.
    pub at: u64,
    /// Schema and name of the follower.
    pub follower: String,
    /// The log that it follows.
    pub log: String,
    /// Its checkpoint.
    pub checkpoint: Place,
    /// Where the log was, asked for afterwards.
    pub head: Place,
}

/// Events that a consumer was given, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// When.
    pub at: u64,
    /// Who: `replay of partnerships`.
    pub consumer: String,
    /// The log.
    pub log: String,
    /// The epoch of the log, as the consumer was told it; empty: it was not.
    pub epoch: String,
    /// Which connection of the consumer: it asked anew for the events after the last one it had.
    pub connection: u64,
    /// The position that it expects next.
    pub expected: u64,
    /// Position of each.
    pub positions: Vec<u64>,
    /// [`digest`](crate::text::digest) of each.
    pub digests: Vec<String>,
}

/// Writes a history. Cheap to clone; all clones write to one file by one clock.
#[derive(Debug, Clone)]
pub struct Writer {
    began: Instant,
    file: Arc<Mutex<BufWriter<File>>>,
}

impl Writer {
    /// Begins a history in a new file, and time at 0.
    pub fn create(path: &Path, run: Run) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let writer = Self { began: Instant::now(), file: Arc::new(Mutex::new(BufWriter::new(file))) };
        writer.write(&Line::Run(run));
        Ok(writer)
    }

    /// The time.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).expect("a run is shorter than an age")
    }

    /// Adds a line. It is on its way to the disk when this returns: what is kept of a crashed run is whole.
    pub fn write(&self, line: &Line) {
        let text = serde_json::to_string(line).expect("a line is plain JSON");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{text}").and_then(|()| file.flush()).expect("the history can be written");
    }
}

/// Reads a history.
pub fn read(path: &Path) -> Result<Vec<Line>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = BufReader::new(file).lines().zip(1..);
    let line = |(text, number): (std::io::Result<String>, u32)| {
        serde_json::from_str(&text?).with_context(|| format!("line {number} of {}", path.display()))
    };
    lines.map(line).collect()
}
