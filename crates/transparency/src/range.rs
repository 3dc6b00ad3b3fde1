//! What must be kept of a tree to go on building it: the roots of the perfect subtrees of its leaves, from left to
//! right, one for each bit of the size that is set. A billion leaves need thirty hashes.

use crate::{Hash, leaf_hash, node_hash};

/// A run of leaves `begin..end` as the roots of the fewest perfect subtrees, each at a multiple of its own size.
///
/// That of a tree begins at 0 and gives its root. Others are parts, hashed apart, that [`CompactRange::merge`] puts
/// together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactRange {
    begin: u64,
    end: u64,
    /// From left to right.
    roots: Vec<Hash>,
}

/// Bytes or ranges that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A range of so many leaves has another number of hashes.
    #[error("a tree of {size} leaves is kept in {expected} bytes, not in {bytes}")]
    Bytes {
        /// Leaves.
        size: u64,
        /// Bytes that they need.
        expected: usize,
        /// Bytes that there were.
        bytes: usize,
    },
    /// Two ranges of which the second does not begin where the first ends.
    #[error("leaves {begin} and on do not follow those before {end}")]
    Apart {
        /// Where the first ends.
        end: u64,
        /// Where the second begins.
        begin: u64,
    },
}

impl CompactRange {
    /// The range of a tree without leaves.
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// An empty range that begins at a leaf.
    pub const fn at(begin: u64) -> Self {
        Self { begin, end: begin, roots: Vec::new() }
    }

    /// Takes up a tree again of which so many leaves are known by the bytes of [`CompactRange::to_bytes`]. Whether they
    /// are the right ones is told by [`CompactRange::root`].
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, RangeError> {
        let expected = size.count_ones() as usize * Hash::LEN;
        if bytes.len() != expected {
            return Err(RangeError::Bytes { size, expected, bytes: bytes.len() });
        }
        let roots = bytes.as_chunks::<{ Hash::LEN }>().0.iter().map(|chunk| Hash::from(*chunk)).collect();
        Ok(Self { begin: 0, end: size, roots })
    }

    /// The hashes, one after the other: 32 bytes for each bit of the size that is set.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| *root.as_bytes()).collect()
    }

    /// The first leaf.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// After the last leaf; of a tree, its size.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds an entry as the next leaf.
    pub fn push_entry(&mut self, entry: &[u8]) {
        self.push(leaf_hash(entry));
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Adds a perfect subtree of `2^level` leaves. The range must end at a multiple of that.
    fn push_subtree(&mut self, level: u32, root: Hash) {
        debug_assert_eq!(self.end % (1 << level), 0, "a subtree begins at a multiple of its size");
        let (mut level, mut root) = (level, root);
        let end = self.end + (1 << level);
        // Two subtrees of one size are one of twice the size if the left one begins at a multiple of that.
        while self.end >> level & 1 == 1 && self.end - self.begin >= 1 << level {
            let left = self.roots.pop().expect("a range that is so long has a subtree of this size at its end");
            root = node_hash(&left, &root);
            self.end -= 1 << level;
            level += 1;
        }
        self.roots.push(root);
        self.end = end;
    }

    /// Adds the leaves of a range that begins where this one ends.
    pub fn merge(&mut self, next: &Self) -> Result<(), RangeError> {
        if self.end != next.begin {
            return Err(RangeError::Apart { end: self.end, begin: next.begin });
        }
        let (mut place, mut roots) = (next.begin, next.roots.iter());
        while place < next.end {
            // The largest subtree that begins here and does not reach beyond the end.
            let level = place.trailing_zeros().min((next.end - place).ilog2());
            self.push_subtree(level, *roots.next().expect("a range has a root for each of its subtrees"));
            place += 1 << level;
        }
        Ok(())
    }

    /// The root of the tree of these leaves (RFC 6962, 2.1). Of a range that does not begin at 0 it says nothing.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return Hash::EMPTY_TREE };
        roots.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl Default for CompactRange {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
