//! Proofs that a leaf is in a tree, and that a tree goes on from a smaller one (RFC 6962, 2.1.1 and 2.1.2), verified as
//! RFC 9162, 2.1.3.2 and 2.1.4.2 say.

use crate::{Hash, node_hash};

/// Why a proof does not hold, or none can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A leaf or a smaller tree beyond the tree's size.
    #[error("{0} lies beyond a tree of {1} leaves")]
    Beyond(u64, u64),
    /// More or fewer hashes than such a proof has.
    #[error("a proof of another length")]
    Length,
    /// The hashes lead elsewhere.
    #[error("the proof leads to another root")]
    Root,
}

/// The root of the perfect subtree of leaves `index · 2^level .. (index + 1) · 2^level`: what proofs are made of.
pub trait Nodes {
    /// What reading may fail with.
    type Error;
    /// Reads one.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<F, E> Nodes for F
where
    F: Fn(u8, u64) -> Result<Hash, E>,
{
    type Error = E;

    fn node(&self, level: u8, index: u64) -> Result<Hash, E> {
        self(level, index)
    }
}

/// The root of the leaves `begin..end`, where `begin` is a multiple of the smallest power of two that holds them.
fn subtree<N: Nodes>(nodes: &N, begin: u64, end: u64) -> Result<Hash, N::Error> {
    let leaves = end - begin;
    if leaves.is_power_of_two() {
        // A level is below 64.
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 64 levels")]
        return nodes.node(leaves.trailing_zeros() as u8, begin >> leaves.trailing_zeros());
    }
    let middle = begin + split(leaves);
    Ok(node_hash(&subtree(nodes, begin, middle)?, &subtree(nodes, middle, end)?))
}

/// The largest power of two below a number of leaves, of at least two.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root of the tree of the first `size` leaves.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(Hash::EMPTY_TREE) } else { subtree(nodes, 0, size) }
}

/// Makes the proof that leaf `index` is in the tree of the first `size` leaves: the leaf's sibling first. `None`: it is
/// not.
pub fn inclusion_proof<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Option<Vec<Hash>>, N::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut begin, mut end, mut proof) = (0, size, Vec::new());
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, begin, middle)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Makes the proof that the tree of the first `size` leaves goes on from that of the first `old`. Empty for `old` 0 and
/// for `old` equal to `size`. `None`: `old` is larger.
pub fn consistency_proof<N: Nodes>(nodes: &N, old: u64, size: u64) -> Result<Option<Vec<Hash>>, N::Error> {
    if old > size {
        return Ok(None);
    }
    if old == 0 || old == size {
        return Ok(Some(Vec::new()));
    }
    let (mut begin, mut end, mut proof) = (0, size, Vec::new());
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, begin, middle)?);
            begin = middle;
        }
    }
    // The smaller tree's own root is known to whoever asks.
    if begin != 0 {
        proof.push(subtree(nodes, begin, end)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Verifies that a leaf is at `index` of the tree with this size and root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Beyond(index, size));
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(step, &hash);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Verifies that the tree `(size, root)` goes on from the tree `(old, old_root)`. Every tree goes on from the empty one,
/// by an empty proof.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::Beyond(old, size));
    }
    if old == 0 || old == size {
        let same = if old == 0 { *old_root == Hash::EMPTY_TREE } else { old_root == root };
        return if !proof.is_empty() {
            Err(ProofError::Length)
        } else if same && (size > 0 || *root == Hash::EMPTY_TREE) {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    // The root of a smaller tree that is perfect is where the proof begins, and is left out of it.
    let (first, rest) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(ProofError::Length)? };
    if rest.is_empty() {
        return Err(ProofError::Length);
    }
    let (mut smaller, mut larger) = (*first, *first);
    for step in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            smaller = node_hash(step, &smaller);
            larger = node_hash(step, &larger);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            larger = node_hash(&larger, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if (smaller, larger) == (*old_root, *root) { Ok(()) } else { Err(ProofError::Root) }
}

#[cfg(test)]
mod tests;
