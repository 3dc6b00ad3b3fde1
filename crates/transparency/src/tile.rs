//! Tiles and bundles of entries (C2SP tlog-tiles): a tree in files of at most 256 hashes, a log in files of at most 256
//! entries, that never change once they are full.

use std::{fmt, str::FromStr};

use crate::{Hash, node_hash};

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Levels of the tree in one level of tiles.
const TILE_HEIGHT: u32 = 8;
/// Bytes of an entry at most: its length is told in two.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// What a file of a published log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of a level of tiles: of level 0 the leaves, of level 1 the roots of 256 leaves each, and so on.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// One file of a published log. Its text is its path: `tile/0/x001/234`, `tile/entries/000.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Which of its level, from 0.
    pub index: u64,
    /// How many hashes or entries: 1 to 256. Below 256 it is partial, and its path says so.
    pub width: u16,
}

/// Bytes that are no such tile, or a path of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The path of no tile.
    #[error("that is no path of a tile")]
    Path,
    /// Another number of bytes than its width needs, or entries that do not end where the file does.
    #[error("the tile has not the length that its path says")]
    Length,
}

impl TileKind {
    /// How many leaves stand behind one hash, as a power of two; behind an entry one.
    fn shift(self) -> u32 {
        match self {
            Self::Hashes(level) => TILE_HEIGHT * u32::from(level),
            Self::Entries => 0,
        }
    }

    /// How many whole hashes of this kind a tree of `size` leaves has, or entries.
    pub fn length(self, size: u64) -> u64 {
        size.checked_shr(self.shift()).unwrap_or(0)
    }
}

impl Tile {
    /// The tile at `index` in a tree of `size` leaves: full, partial, or not there.
    pub fn of(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let width = kind.length(size).checked_sub(index.checked_mul(TILE_WIDTH.into())?)?.min(TILE_WIDTH.into());
        let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
        Some(Self { kind, index, width })
    }

    /// The first hash or entry, counted over the whole level.
    pub fn begin(&self) -> u64 {
        self.index * u64::from(TILE_WIDTH)
    }

    /// Reads its hashes.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
        let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
        if hashes.len() != usize::from(self.width) || !rest.is_empty() {
            return Err(TileError::Length);
        }
        Ok(hashes.iter().map(|hash| Hash::from(*hash)).collect())
    }

    /// Reads its entries, in order.
    pub fn entries<'a>(&self, mut bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, TileError> {
        let mut entries = Vec::with_capacity(self.width.into());
        for _ in 0..self.width {
            let (length, rest) = bytes.split_first_chunk().ok_or(TileError::Length)?;
            let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(TileError::Length)?;
            entries.push(entry);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(entries) } else { Err(TileError::Length) }
    }
}

/// Every file that is new or wider in a tree of `size` leaves than in one of `old`, entries first, then level by level.
pub fn grown(old: u64, size: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..=7).map(TileKind::Hashes).filter(move |kind| kind.length(size) > 0);
    std::iter::once(TileKind::Entries).chain(levels).flat_map(move |kind| {
        let (before, after) = (kind.length(old), kind.length(size));
        let first = before / u64::from(TILE_WIDTH);
        let last = if before < after { after.div_ceil(TILE_WIDTH.into()) } else { first };
        (first..last).filter_map(move |index| Tile::of(kind, index, size))
    })
}

/// The bytes of an entry in a bundle; `None`: it is too long to be one.
pub fn bundled(entry: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(entry.len()).ok()?;
    Some([&length.to_be_bytes(), entry].concat())
}

/// The root of the 256 hashes of a full tile: its hash in the level above.
pub fn tile_root(hashes: &[Hash; TILE_WIDTH as usize]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    level[0]
}

/// Its path below the log's own, without a slash before it.
impl fmt::Display for Tile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(formatter, "tile/{level}/")?,
            TileKind::Entries => write!(formatter, "tile/entries/")?,
        }
        let digits = self.index.to_string();
        let digits = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let groups = digits.len() / 3;
        for group in 0..groups {
            let x = if group + 1 < groups { "x" } else { "" };
            let slash = if group > 0 { "/" } else { "" };
            write!(formatter, "{slash}{x}{}", &digits[3 * group..3 * group + 3])?;
        }
        if self.width < TILE_WIDTH { write!(formatter, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Reads a path; only the one that is written for the tile is taken.
impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let (kind, rest) = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(TileError::Path)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level < 64).ok_or(TileError::Path)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| TileError::Path)?),
            None => (rest, TILE_WIDTH),
        };
        let digits: String = index.chars().filter(char::is_ascii_digit).collect();
        let tile = Self { kind, index: digits.parse().map_err(|_| TileError::Path)?, width };
        if (1..=TILE_WIDTH).contains(&width) && tile.to_string() == path { Ok(tile) } else { Err(TileError::Path) }
    }
}

#[cfg(test)]
mod tests;
