use proptest::prelude::*;

use super::*;
use crate::{CompactRange, leaf_hash};

fn of(kind: TileKind, index: u64, size: u64) -> Option<String> {
    Tile::of(kind, index, size).map(|tile| tile.to_string())
}

/// The example of C2SP tlog-tiles, and the borders around it.
#[test]
fn tiles_are_where_the_specification_says() {
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(of(TileKind::Hashes(0), 272, 70_000), text("tile/0/272"));
    assert_eq!(of(TileKind::Hashes(0), 273, 70_000), text("tile/0/273.p/112"));
    assert_eq!(of(TileKind::Hashes(0), 274, 70_000), None);
    assert_eq!(of(TileKind::Hashes(1), 0, 70_000), text("tile/1/000"));
    assert_eq!(of(TileKind::Hashes(1), 1, 70_000), text("tile/1/001.p/17"));
    assert_eq!(of(TileKind::Hashes(2), 0, 70_000), text("tile/2/000.p/1"));
    assert_eq!(of(TileKind::Hashes(3), 0, 70_000), None);
    assert_eq!(of(TileKind::Entries, 273, 70_000), text("tile/entries/273.p/112"));
    assert_eq!(of(TileKind::Hashes(0), 1_234_067, u64::MAX), text("tile/0/x001/x234/067"));
    assert_eq!(of(TileKind::Hashes(0), 0, 256), text("tile/0/000"));
    assert_eq!(of(TileKind::Hashes(1), 0, 255), None);
    assert_eq!(of(TileKind::Hashes(40), 0, u64::MAX), None);
}

#[test]
fn a_path_is_read_as_it_is_written_and_no_other() {
    for path in ["tile/0/000", "tile/entries/999.p/255", "tile/63/x001/000.p/1"] {
        assert_eq!(path.parse::<Tile>().map(|tile| tile.to_string()), Ok(path.to_owned()));
    }
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/00/000",
        "tile/+1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/../000",
        "tile/entries/..",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(TileError::Path), "{path}");
    }
}

#[test]
fn what_grew_is_written_again_and_nothing_else() {
    let paths = |old, size| grown(old, size).map(|tile| tile.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(0, 0), [""; 0]);
    assert_eq!(paths(0, 1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert_eq!(
        paths(255, 257),
        ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]
    );
    assert_eq!(paths(257, 257), [""; 0]);
    assert_eq!(paths(256, 257), ["tile/entries/001.p/1", "tile/0/001.p/1"]);
}

#[test]
fn entries_and_hashes_are_read_as_they_are_written_and_nothing_more() {
    let entries: Vec<Vec<u8>> = (0..3).map(|length| vec![7; length * 100]).collect();
    let bytes = entries.iter().flat_map(|entry| bundled(entry).expect("a short one")).collect::<Vec<u8>>();
    let tile = Tile { kind: TileKind::Entries, index: 0, width: 3 };
    assert_eq!(tile.entries(&bytes).expect("three entries"), entries);
    for wrong in [&bytes[..bytes.len() - 1], &bytes[1..], &[&bytes[..], &[0]].concat(), &[]] {
        assert_eq!(tile.entries(wrong), Err(TileError::Length));
    }
    assert_eq!(bundled(&vec![0; MAX_ENTRY_BYTES]).map(|bytes| bytes.len()), Some(MAX_ENTRY_BYTES + 2));
    assert_eq!(bundled(&vec![0; MAX_ENTRY_BYTES + 1]), None);
    assert_eq!(tile.hashes(&[1; 96]).map(|hashes| hashes.len()), Ok(3));
    assert_eq!(tile.hashes(&[1; 95]), Err(TileError::Length));
    assert_eq!(tile.hashes(&[1; 128]), Err(TileError::Length));
}

#[test]
fn a_full_tile_stands_for_its_leaves() {
    let leaves: [Hash; 256] = std::array::from_fn(|index| leaf_hash(&index.to_be_bytes()));
    let mut range = CompactRange::new();
    for leaf in &leaves {
        range.push(*leaf);
    }
    assert_eq!(tile_root(&leaves), range.root());
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(path in "tile/(entries|[0-9]{1,3})/[x0-9/.p]{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
            let _ = (tile.entries(&bytes), tile.hashes(&bytes));
        }
    }
}
