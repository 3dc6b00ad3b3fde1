//! The folder of a published log: one tree, laid out as C2SP tlog-tiles says, its entries as they are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use transparency::{Hash, Tile, TileKind};

use super::verdict::{Fault, Wrong};

/// One log in one epoch.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// As it is shown: from the archive's own folder.
    name: String,
}

impl Folder {
    /// Every log below a folder, in order: the folder itself, where it holds one, or `LOG/EPOCH` in it.
    pub fn all(root: &Path) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        look(root, String::new(), 2, &mut found).with_context(|| format!("cannot read {}", root.display()))?;
        found.sort_by(|one: &Self, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// How a file of it is called, from the archive's own folder.
    pub fn called(&self, file: &str) -> String {
        if self.name.is_empty() { file.to_owned() } else { format!("{}/{file}", self.name) }
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, file: &str) -> Result<Vec<u8>, Wrong> {
        fs::read(self.root.join(file)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Wrong::Missing,
            _ => Wrong::Unreadable(error.to_string()),
        })
    }

    /// The text of a file.
    pub(super) fn text(&self, file: &str) -> Result<String, Fault> {
        let text = self
            .bytes(file)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| Wrong::Unreadable("it is no text".to_owned())));
        text.map_err(|wrong| Fault::in_file(self.called(file), wrong))
    }

    /// The hashes of a tile, 256 of them or fewer.
    pub(super) fn hashes(&self, tile: &Tile) -> Result<Vec<Hash>, Wrong> {
        let bytes = self.bytes(&tile.to_string())?;
        tile.hashes(&bytes).map_err(|error| Wrong::Unreadable(error.to_string()))
    }

    /// Compares what hashes must be with the tiles of a tree of `size` leaves; `begin` is the place of the first of them
    /// in its level. Says what differs first, if anything does.
    pub(super) fn compare(&self, level: u8, begin: u64, hashes: &[Hash], size: u64) -> Option<Fault> {
        let mut rest = hashes;
        let mut place = begin;
        while !rest.is_empty() {
            let tile = Tile::of(TileKind::Hashes(level), place / 256, size)?;
            let (mine, after) = rest.split_at(rest.len().min(usize::from(tile.width)));
            let name = || self.called(&tile.to_string());
            let position = |at: u64| (at << (8 * u32::from(level))) + 1;
            match self.hashes(&tile) {
                Ok(theirs) => {
                    let differing = mine.iter().zip(&theirs).position(|(mine, theirs)| mine != theirs);
                    if let Some(differing) = differing {
                        return Some(Fault::of(position(place + differing as u64), name(), Wrong::Node));
                    }
                }
                Err(wrong) => return Some(Fault::of(position(place), name(), wrong)),
            }
            place += mine.len() as u64;
            rest = after;
        }
        None
    }
}

fn look(folder: &Path, name: String, depth: usize, found: &mut Vec<Folder>) -> io::Result<()> {
    if folder.join("checkpoint").is_file() || folder.join("tile").is_dir() {
        found.push(Folder { root: folder.to_owned(), name });
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(below) = entry.file_name().to_str().filter(|_| entry.path().is_dir()) {
            let below = if name.is_empty() { below.to_owned() } else { format!("{name}/{below}") };
            look(&entry.path(), below, depth - 1, found)?;
        }
    }
    Ok(())
}
