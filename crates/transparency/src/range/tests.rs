use proptest::prelude::*;

use super::*;

/// The root by the definition of RFC 6962, 2.1, word by word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_TREE,
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            node_hash(&defined(&leaves[..half]), &defined(&leaves[half..]))
        }
    }
}

fn leaves(number: usize) -> Vec<Hash> {
    (0..number).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn range(begin: usize, leaves: &[Hash]) -> CompactRange {
    let mut range = CompactRange::at(begin as u64);
    for leaf in leaves {
        range.push(*leaf);
    }
    range
}

#[test]
fn the_root_is_that_of_the_definition_at_every_size() {
    let leaves = leaves(300);
    let mut range = CompactRange::new();
    for (size, leaf) in leaves.iter().enumerate() {
        assert_eq!(range.root(), defined(&leaves[..size]), "{size} leaves");
        range.push(*leaf);
    }
}

proptest! {
    #[test]
    fn a_tree_is_taken_up_again_from_its_bytes(size in 0_usize..400, more in 0_usize..100) {
        let leaves = leaves(size + more);
        let kept = range(0, &leaves[..size]).to_bytes();
        let mut resumed = CompactRange::from_bytes(size as u64, &kept).expect("its own bytes");
        for leaf in &leaves[size..] {
            resumed.push(*leaf);
        }
        prop_assert_eq!(&resumed, &range(0, &leaves));
        prop_assert!(CompactRange::from_bytes(size as u64, &[&kept[..], &[0]].concat()).is_err());
    }

    #[test]
    fn parts_that_were_hashed_apart_make_the_same_tree(cuts in prop::collection::vec(0_usize..500, 0..6), size in 0_usize..500) {
        let leaves = leaves(size);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(size)).chain([0, size]).collect();
        cuts.sort_unstable();
        let mut whole = CompactRange::new();
        for part in cuts.windows(2) {
            whole.merge(&range(part[0], &leaves[part[0]..part[1]])).expect("it goes on where the last one ended");
        }
        prop_assert_eq!(&whole, &range(0, &leaves));
        prop_assert!(whole.merge(&CompactRange::at(size as u64 + 1)).is_err());
    }
}
