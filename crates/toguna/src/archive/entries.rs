//! The entries of an archived log, hashed and read by all processors at once.
//!
//! A stretch is 256 bundles, 65,536 entries: what one tile of the second level stands for. Each is hashed apart; then
//! they are put together in order, and on the way the root is known at every size that a checkpoint speaks of.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZero,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use prost::Message;
use transparency::{CompactRange, Hash, TILE_WIDTH, Tile, TileKind, leaf_hash, tile_root};

use super::{
    folder::Folder,
    verdict::{Fault, Wrong},
};

/// Entries of a tile and of a bundle.
const WIDTH: u64 = TILE_WIDTH as u64;
/// Entries of a stretch.
const STRETCH: u64 = WIDTH * WIDTH;

/// What all entries of a log come to.
#[derive(Default)]
pub(super) struct Entries {
    /// Roots at the sizes that were asked for.
    pub roots: BTreeMap<u64, Hash>,
    /// Hashes of whole stretches, in order.
    pub stretches: Vec<Hash>,
    /// Bytes of the entries.
    pub bytes: u64,
    /// Streams and their last versions.
    pub streams: HashMap<String, u64>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// All of them.
    whole: CompactRange,
    last_time: Time,
    epoch_begun: bool,
}

/// Seconds since 1970, and nanoseconds.
type Time = (i64, i32);

/// The tree that is read.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub folder: &'a Folder,
    /// Leaves.
    pub size: u64,
    /// The sizes at which the root is wanted, in order.
    pub wanted: &'a [u64],
    /// The epoch that the log is in. Records from before a restore are of others, and come before all of its own.
    pub epoch: &'a [u8],
}

/// Reads all entries. `progress` is told how many are done.
pub(super) fn read(tree: Tree<'_>, progress: impl Fn(u64)) -> Entries {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicU64::new(0);
    let stretches = tree.size.div_ceil(STRETCH);
    let mut all = Entries::default();
    if tree.wanted.first() == Some(&0) {
        all.roots.insert(0, Hash::EMPTY_TREE);
    }
    thread::scope(|scope| {
        let (done, came) = mpsc::channel();
        for _ in 0..threads {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= stretches || done.send((number, Stretch::read(tree, number * STRETCH))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        for (number, stretch) in came {
            waiting.insert(number, stretch);
            while let Some(stretch) = waiting.remove(&(all.whole.end() / STRETCH)) {
                all.take(stretch);
                progress(all.whole.end());
            }
        }
    });
    all
}

impl Entries {
    fn take(&mut self, stretch: Stretch<'_>) {
        let together = |part: &CompactRange| {
            let mut together = self.whole.clone();
            together.merge(part).expect("stretches are taken in order");
            together
        };
        self.roots.extend(stretch.wanted.iter().map(|part| (part.end(), together(part).root())));
        self.whole = together(&stretch.range);
        self.stretches.extend(stretch.node);
        self.bytes += stretch.bytes;
        self.faults.extend(stretch.faults);
        let first = stretch.range.begin() + 1;
        for (stream, run) in stretch.streams {
            let last = self.streams.entry(stream.clone()).or_default();
            if run.first != *last + 1 {
                let wrong = Wrong::Version { stream, version: run.first, expected: *last + 1 };
                self.faults.push(Fault::at(run.position, wrong));
            }
            *last = run.last;
        }
        if let Some((earliest, latest)) = stretch.times {
            if earliest < self.last_time {
                self.faults.push(Fault::at(first, Wrong::Time));
            }
            self.last_time = latest;
        }
        if let Some(position) = stretch.of_another_epoch.filter(|_| self.epoch_begun) {
            self.faults.push(Fault::at(position, Wrong::Epoch));
        }
        self.epoch_begun |= stretch.epoch_begun;
    }
}

/// What a record says that has to do with its place. Everything else in it is skipped.
#[derive(Clone, PartialEq, Message)]
struct Placed {
    #[prost(uint64, tag = "1")]
    position: u64,
    #[prost(bytes = "vec", tag = "2")]
    epoch: Vec<u8>,
    #[prost(string, tag = "3")]
    stream: String,
    #[prost(uint64, tag = "4")]
    version: u64,
    #[prost(message, optional, tag = "8")]
    recorded_at: Option<prost_types::Timestamp>,
}

/// The versions of one stream in a stretch: `first..=last` without a gap.
struct Run {
    first: u64,
    last: u64,
    /// Where the first one is.
    position: u64,
}

struct Stretch<'a> {
    tree: Tree<'a>,
    range: CompactRange,
    /// What stands for it two levels above, if it is whole.
    node: Option<Hash>,
    /// The range up to each of the sizes that were asked for.
    wanted: Vec<CompactRange>,
    bytes: u64,
    streams: HashMap<String, Run>,
    /// When the first and the last record were recorded.
    times: Option<(Time, Time)>,
    epoch_begun: bool,
    /// The first record that is not of the log's epoch.
    of_another_epoch: Option<u64>,
    faults: Vec<Fault>,
}

impl<'a> Stretch<'a> {
    fn read(tree: Tree<'a>, begin: u64) -> Self {
        let mut stretch = Self {
            tree,
            range: CompactRange::at(begin),
            node: None,
            wanted: Vec::new(),
            bytes: 0,
            streams: HashMap::new(),
            times: None,
            epoch_begun: false,
            of_another_epoch: None,
            faults: Vec::new(),
        };
        let end = tree.size.min(begin + STRETCH);
        let mut nodes = Vec::new();
        while stretch.range.end() < end {
            nodes.extend(stretch.bundle());
        }
        stretch.faults.extend(tree.folder.compare(1, begin / WIDTH, &nodes, tree.size));
        stretch.node = nodes.as_array().map(tile_root);
        stretch
    }

    /// Reads the next bundle beside its tile; says what stands for it in the level above, if it is whole.
    fn bundle(&mut self) -> Option<Hash> {
        let Tree { folder, size, wanted, .. } = self.tree;
        let begin = self.range.end();
        let file = |kind| Tile::of(kind, begin / WIDTH, size).expect("the tree has more leaves");
        let (tile, bundle) = (file(TileKind::Hashes(0)), file(TileKind::Entries));
        let (tile_name, bundle_name) = (folder.called(&tile.to_string()), folder.called(&bundle.to_string()));
        let hashes = folder.hashes(&tile);
        let bytes = folder.bytes(&bundle.to_string());
        let entries = bytes
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|bytes| bundle.entries(bytes).map_err(|error| Wrong::Unreadable(error.to_string())));
        if let Err(wrong) = &entries {
            self.faults.push(Fault::of(begin + 1, bundle_name, wrong.clone()));
        }
        if let Err(wrong) = &hashes {
            self.faults.push(Fault::of(begin + 1, tile_name.clone(), wrong.clone()));
        }
        let (mut node, mut differs) = (CompactRange::new(), false);
        for offset in 0..usize::from(bundle.width) {
            let position = self.range.end() + 1;
            let entry = entries.as_ref().ok().map(|entries| entries[offset]);
            let told = hashes.as_ref().ok().map(|hashes| hashes[offset]);
            // Where the entries cannot be read, what their hashes stand for can still be checked.
            let leaf = entry.map(leaf_hash).or(told).unwrap_or(Hash::EMPTY_TREE);
            // The first one is enough: a tile that was exchanged differs everywhere.
            if !differs && told.is_some_and(|told| told != leaf) {
                differs = true;
                self.faults.push(Fault::of(position, tile_name.clone(), Wrong::Leaf));
            }
            if let Some(entry) = entry {
                self.record(position, entry);
            }
            // Above, the tile is judged by what it says: an event that was changed is no fault of the levels above it.
            node.push(told.unwrap_or(leaf));
            self.range.push(leaf);
            if wanted.binary_search(&position).is_ok() {
                self.wanted.push(self.range.clone());
            }
        }
        (bundle.width == TILE_WIDTH).then(|| node.root())
    }

    /// Reads what a record says of its place.
    fn record(&mut self, position: u64, entry: &[u8]) {
        self.bytes += entry.len() as u64;
        let Ok(placed) = Placed::decode(entry) else {
            self.faults.push(Fault::at(position, Wrong::NoRecord));
            return;
        };
        if placed.position != position {
            self.faults.push(Fault::at(position, Wrong::Position(placed.position)));
        }
        if placed.epoch == self.tree.epoch {
            self.epoch_begun = true;
        } else if self.epoch_begun {
            self.faults.push(Fault::at(position, Wrong::Epoch));
        } else {
            self.of_another_epoch = self.of_another_epoch.or(Some(position));
        }
        let time = placed.recorded_at.map_or((0, 0), |time| (time.seconds, time.nanos));
        if self.times.is_some_and(|(_, last)| time < last) {
            self.faults.push(Fault::at(position, Wrong::Time));
        }
        self.times = Some((self.times.map_or(time, |(first, _)| first), time));
        let version = placed.version;
        let Some(run) = self.streams.get_mut(&placed.stream) else {
            self.streams.insert(placed.stream, Run { first: version, last: version, position });
            return;
        };
        if version != run.last + 1 {
            let wrong = Wrong::Version { stream: placed.stream, version, expected: run.last + 1 };
            self.faults.push(Fault::at(position, wrong));
        }
        run.last = version;
    }
}
