//! I10: the Merkle tree in a log's head row, hashed again from the stored bytes.
//!
//! RFC 6962, 2.1: SHA-256 of 0 and the bytes of an entry is a leaf, of 1 and two hashes the node above them; entry
//! `position - 1` is the stored record. What the head row keeps beside the root are the roots of the perfect subtrees
//! from left to right, the largest first.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::{
    Invariant::I10,
    Verdict,
    raw::{Log, Tree},
    text::{hex, unhex},
    timeline::Timeline,
};

type Hash = [u8; 32];

pub fn judge(timeline: &Timeline<'_>, logs: &BTreeMap<String, Log>, verdict: &mut Verdict) {
    for (name, log) in logs {
        let roots = roots(log);
        if let Some(tree) = &log.tree {
            verdict.checked.insert(I10);
            at_the_end(name, log, tree, verdict);
        }
        for seen in timeline.seen.iter().filter(|seen| seen.log == *name) {
            let Some(root) = &seen.root else { continue };
            verdict.checked.insert(I10);
            if timeline.is_restored_between(seen.from, seen.at) {
                continue;
            }
            let position = seen.head.position;
            let right = usize::try_from(position).ok().and_then(|size| roots.get(size));
            let same = right.is_some_and(|right| unhex(root).is_ok_and(|root| root == right));
            let lost = || timeline.is_lost(name, &seen.head.epoch, position, seen.from, seen.at);
            verdict.require(I10, same || lost(), || {
                format!(
                    "the head of {name} was seen at {position} with the root {root}, which is not that of its records"
                )
            });
        }
    }
}

/// What the head row holds at the end is the tree of the events that are there.
fn at_the_end(name: &str, log: &Log, tree: &Tree, verdict: &mut Verdict) {
    let mut peaks = Peaks::default();
    for event in &log.events {
        peaks.add(leaf(&event.bytes));
    }
    verdict.require(I10, tree.root == peaks.root(), || {
        format!("the root in the head of {name} is {}, that of its records {}", hex(&tree.root), hex(&peaks.root()))
    });
    let range: Vec<u8> = peaks.0.iter().flat_map(|(_, hash)| *hash).collect();
    verdict.require(I10, tree.range == range, || format!("the compact range in the head of {name} is of another tree"));
}

/// The root at each position, that of nothing first.
fn roots(log: &Log) -> Vec<Hash> {
    let mut peaks = Peaks::default();
    let mut roots = vec![peaks.root()];
    for event in &log.events {
        peaks.add(leaf(&event.bytes));
        roots.push(peaks.root());
    }
    roots
}

/// Perfect subtrees, each with how many leaves it has, smaller ones to the right.
#[derive(Default)]
struct Peaks(Vec<(u64, Hash)>);

impl Peaks {
    fn add(&mut self, leaf: Hash) {
        self.0.push((1, leaf));
        while let [.., (left, a), (right, b)] = self.0[..]
            && left == right
        {
            self.0.truncate(self.0.len() - 2);
            self.0.push((left + right, node(&a, &b)));
        }
    }

    fn root(&self) -> Hash {
        let hashes = self.0.iter().map(|(_, hash)| *hash);
        hashes.rev().reduce(|right, left| node(&left, &right)).unwrap_or_else(|| Sha256::digest(b"").into())
    }
}

fn leaf(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word by word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let leaves: Vec<Hash> = (0..70_u8).map(|number| leaf(&[number])).collect();
        let mut peaks = Peaks::default();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!((peaks.root(), peaks.0.len()), (defined(&leaves[..size]), size.count_ones() as usize), "{size}");
            peaks.add(*leaf);
        }
    }
}
