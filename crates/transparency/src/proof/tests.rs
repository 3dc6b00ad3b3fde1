use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::{CompactRange, leaf_hash};

fn leaves(number: u64) -> Vec<Hash> {
    (0..number).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// The perfect subtree of some leaves, hashed anew each time.
fn nodes(leaves: &[Hash]) -> impl Fn(u8, u64) -> Result<Hash, Infallible> {
    move |level, index| {
        let begin = usize::try_from(index << level).expect("few leaves");
        let mut range = CompactRange::new();
        for leaf in &leaves[begin..begin + (1 << level)] {
            range.push(*leaf);
        }
        Ok(range.root())
    }
}

fn root_of(leaves: &[Hash]) -> Hash {
    let Ok(root) = root(&nodes(leaves), leaves.len() as u64);
    root
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_no_other_one() {
    for size in 0..70 {
        let leaves = leaves(size);
        let (nodes, root) = (nodes(&leaves), root_of(&leaves));
        for index in 0..size {
            let Ok(proof) = inclusion_proof(&nodes, index, size);
            let proof = proof.expect("the leaf is in the tree");
            let leaf = &leaves[usize::try_from(index).expect("few leaves")];
            assert_eq!(verify_inclusion(leaf, index, size, &root, &proof), Ok(()), "{index} of {size}");
            assert!(verify_inclusion(&leaf_hash(b"another"), index, size, &root, &proof).is_err());
            assert!(size == 1 || verify_inclusion(leaf, (index + 1) % size, size, &root, &proof).is_err());
            let longer = [&proof[..], &[root]].concat();
            assert!(verify_inclusion(leaf, index, size, &root, &longer).is_err());
            assert!(proof.is_empty() || verify_inclusion(leaf, index, size, &root, &proof[1..]).is_err());
        }
        assert_eq!(inclusion_proof(&nodes, size, size), Ok(None));
        assert_eq!(verify_inclusion(&root, size, size, &root, &[]), Err(ProofError::Beyond(size, size)));
    }
}

#[test]
fn every_small_tree_goes_on_from_every_smaller_one_and_from_no_other() {
    let all = leaves(70);
    let nodes = nodes(&all);
    let roots: Vec<Hash> = (0..=all.len()).map(|size| root_of(&all[..size])).collect();
    for (size, root) in (0..).zip(&roots) {
        for (old, old_root) in (0..=size).zip(&roots) {
            let Ok(proof) = consistency_proof(&nodes, old, size);
            let proof = proof.expect("a smaller tree");
            assert_eq!(verify_consistency((old, old_root), (size, root), &proof), Ok(()), "{old} to {size}");
            let other = leaf_hash(b"another");
            assert!(verify_consistency((old, &other), (size, root), &proof).is_err(), "{old} to {size}");
            assert!(old == 0 || verify_consistency((old, old_root), (size, &other), &proof).is_err());
            let longer = [&proof[..], &[other]].concat();
            assert!(verify_consistency((old, old_root), (size, root), &longer).is_err());
            assert!(proof.is_empty() || verify_consistency((old, old_root), (size, root), &proof[1..]).is_err());
        }
        assert_eq!(consistency_proof(&nodes, size + 1, size), Ok(None));
    }
}

proptest! {
    #[test]
    fn any_hashes_are_judged_without_a_panic(
        (index, size) in (any::<u64>(), any::<u64>()),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from), 0..70),
    ) {
        let root = Hash::EMPTY_TREE;
        prop_assert!(verify_inclusion(&root, index, size, &leaf_hash(b"root"), &proof).is_err());
        prop_assert!(index == 0 || verify_consistency((index, &root), (size, &leaf_hash(b"root")), &proof).is_err());
    }
}
