//! The right edge of a published tree: what is needed to write its next tiles, and to know its root.
//!
//! Records go in one by one; full tiles and bundles come out as they are complete, the partial ones when they are asked
//! for. At each level there are at most 255 hashes that are in no full tile yet.

use transparency::{CompactRange, Hash, RangeError, TILE_WIDTH, Tile, TileKind, bundled, leaf_hash};

use super::folder::Piece;

/// Hashes of a full tile, entries of a full bundle.
pub(super) const WIDTH: u64 = TILE_WIDTH as u64;

/// What comes after the last full tile of each level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edge {
    range: CompactRange,
    /// Entries, each with its length before it.
    bundle: Vec<u8>,
    /// From the level of the leaves up.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// Takes up a tree after its last full bundle, which ends at `size`, by the hashes of its partial tiles from the
    /// level of the leaves up, where there are none.
    pub fn resume(size: u64, levels: Vec<Vec<Hash>>) -> Result<Self, RangeError> {
        let mut roots = Vec::new();
        for tile in levels.iter().rev() {
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let (perfect, after) = rest.split_at(1 << rest.len().ilog2());
                roots.extend_from_slice(root_of(perfect).as_bytes());
                rest = after;
            }
        }
        Ok(Self { range: CompactRange::from_bytes(size, &roots)?, bundle: Vec::new(), levels })
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.range.end()
    }

    /// What the tree grows on from.
    pub fn range(&self) -> &CompactRange {
        &self.range
    }

    /// Adds a record, and what it completes to `full`.
    pub fn push(&mut self, record: &[u8], full: &mut Vec<Piece>) {
        self.bundle.extend(bundled(record).expect("the log takes no record that is too long to be an entry"));
        let mut hash = leaf_hash(record);
        self.range.push(hash);
        let size = self.size();
        if size.is_multiple_of(WIDTH) {
            full.push(Piece::of(last(TileKind::Entries, size), std::mem::take(&mut self.bundle)));
        }
        for level in 0_u8.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let tile = &mut self.levels[usize::from(level)];
            tile.push(hash);
            if tile.len() as u64 != WIDTH {
                break;
            }
            full.push(Piece::of(last(TileKind::Hashes(level), size), bytes_of(tile)));
            hash = root_of(tile);
            tile.clear();
        }
    }

    /// The bundle and the tiles that are not full.
    pub fn partial(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if !self.bundle.is_empty() {
            pieces.push(Piece::of(last(TileKind::Entries, self.size()), self.bundle.clone()));
        }
        for (level, tile) in (0_u8..).zip(&self.levels).filter(|(_, tile)| !tile.is_empty()) {
            pieces.push(Piece::of(last(TileKind::Hashes(level), self.size()), bytes_of(tile)));
        }
        pieces
    }
}

/// How many hashes a level of tiles has in a tree of that size: roots of perfect subtrees of 256^`level` leaves.
pub(super) fn hashes(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or_default()
}

/// The last tile of its kind, full or not, in a tree that has one.
fn last(kind: TileKind, size: u64) -> Tile {
    let length = match kind {
        TileKind::Hashes(level) => hashes(size, level),
        TileKind::Entries => size,
    };
    Tile::of(kind, (length - 1) / WIDTH, size).expect("what was just added is there")
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Of as many hashes as a perfect tree has leaves.
pub(super) fn root_of(hashes: &[Hash]) -> Hash {
    let mut range = CompactRange::new();
    for hash in hashes {
        range.push(*hash);
    }
    range.root()
}

#[cfg(test)]
mod tests {
    use transparency::node_hash;

    use super::*;

    /// RFC 6962, 2.1, to the letter.
    fn tree_hash(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::EMPTY_TREE,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
                node_hash(&tree_hash(left), &tree_hash(right))
            }
        }
    }

    fn record(position: u64) -> Vec<u8> {
        format!("record {position}").into_bytes()
    }

    #[test]
    fn every_tile_holds_the_roots_of_the_leaves_below_it_at_each_border() {
        let size = 65_536 + 256 + 3;
        let leaves: Vec<Hash> = (0..size).map(|position| leaf_hash(&record(position))).collect();
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        for position in 0..size {
            let before = full.len();
            edge.push(&record(position), &mut full);
            if [1, 255, 256, 257, 65_535, 65_536, 65_537, size].contains(&edge.size()) {
                let size = usize::try_from(edge.size()).expect("small");
                assert_eq!(edge.range().root(), tree_hash(&leaves[..size]), "{size}");
            }
            for piece in full[before..].iter().chain(&edge.partial()) {
                let tile: Tile = piece.path.parse().expect("the path of a tile");
                let TileKind::Hashes(level) = tile.kind else { continue };
                let below = 256_usize.pow(level.into());
                // Of long tiles the last hash: the others were last before.
                let found = tile.hashes(&piece.bytes).expect("as many as its path says");
                let index = usize::try_from(tile.begin()).expect("small") + found.len() - 1;
                assert_eq!(found.last(), Some(&tree_hash(&leaves[index * below..(index + 1) * below])), "{tile}");
            }
        }
        let paths: Vec<&str> = full.iter().map(|piece| piece.path.as_str()).collect();
        for path in ["tile/0/000", "tile/entries/256", "tile/1/000"] {
            assert!(paths.contains(&path), "{path}");
        }
        let partial: Vec<String> = edge.partial().into_iter().map(|piece| piece.path).collect();
        assert_eq!(partial, ["tile/entries/257.p/3", "tile/0/257.p/3", "tile/1/001.p/1", "tile/2/000.p/1"]);
    }

    #[test]
    fn an_edge_is_taken_up_from_partial_tiles_at_any_bundle() {
        let (mut edge, mut levels) = (Edge::default(), Vec::new());
        for position in 0..66_000 {
            edge.push(&record(position), &mut Vec::new());
            if edge.size().is_multiple_of(WIDTH) {
                levels.clone_from(&edge.levels);
                let resumed = Edge::resume(edge.size(), std::mem::take(&mut levels)).expect("the levels fit");
                assert_eq!(resumed, edge);
            }
        }
    }
}
