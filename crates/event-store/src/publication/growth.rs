//! The tree of one epoch as it is published: taken up from its folder, and grown from the stored bytes of the log.
//!
//! Every byte is read back from the database and hashed again. What does not give the root in the head is not
//! published, and what is published stays.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use transparency::{Hash, TILE_WIDTH, Tile, TileKind, grown, leaf_hash};

use super::{
    edge::{Edge, WIDTH, hashes, root_of},
    folder::{Folder, Piece},
    trouble::Trouble,
};
use crate::{Log, PageLimit, StoredEvent, TreeHead};

/// What is read of the log at once.
const PAGE: PageLimit = PageLimit { events: 8 * 1024, bytes: 8 * 1024 * 1024 };
/// A page that has not come by then is asked for again.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A published tree.
pub(super) struct Tree {
    log: Log,
    pub folder: Arc<Folder>,
    edge: Edge,
}

impl Tree {
    /// Takes up what was published of a log: a tree of that size, which must have that root in the folder and in the
    /// log alike.
    pub async fn resume(log: Log, folder: Arc<Folder>, size: u64, root: Hash) -> Result<Self, Trouble> {
        let levels = in_background(&folder, move |folder| partial_tiles(folder, size)).await?;
        let edge = Edge::resume(size - size % WIDTH, levels).map_err(|_| Trouble::Inconsistent { size })?;
        let mut tree = Self { log, folder, edge };
        let mut edge = tree.edge.clone();
        while edge.size() < size {
            for event in tree.page(edge.size(), size).await? {
                edge.push(&event.record, &mut Vec::new());
            }
        }
        if edge.range().root() != root {
            return Err(tree.difference(size).await?.unwrap_or(Trouble::Inconsistent { size }));
        }
        tree.edge = edge;
        Ok(tree)
    }

    /// Records that are published.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root of their tree.
    pub fn root(&self) -> Hash {
        self.edge.range().root()
    }

    /// Publishes the records up to the head, if they give the root that is in it. They can be read then, though nobody
    /// has signed that they are the log.
    pub async fn grow(&mut self, head: &TreeHead) -> Result<(), Trouble> {
        let (mut range, mut page) = (self.edge.range().clone(), Vec::new());
        while range.end() < head.size {
            page = self.page(range.end(), head.size).await?;
            for event in &page {
                range.push_entry(&event.record);
            }
        }
        if range.root() != head.root {
            let found = self.difference(self.size()).await?;
            let (from, to) = (self.size() + 1, head.size);
            return Err(found.unwrap_or(Trouble::OtherRoot { from, to, stored: range.root(), head: head.root }));
        }
        let mut edge = self.edge.clone();
        while edge.size() < head.size {
            // Where one page holds all, it is not read again.
            if page.first().is_none_or(|event| event.position != edge.size() + 1) {
                page = self.page(edge.size(), head.size).await?;
            }
            let mut full = Vec::new();
            page.drain(..).for_each(|event| edge.push(&event.record, &mut full));
            self.write(full).await?;
        }
        if edge.range().root() != head.root {
            return Err(Trouble::LogMoved);
        }
        self.write(edge.partial()).await?;
        self.edge = edge;
        Ok(())
    }

    /// Removes what was partial in a tree of that size, and is full now.
    pub async fn forget_partial(&self, before: u64) -> Result<(), Trouble> {
        let now = self.size();
        in_background(&self.folder, move |folder| {
            let full = |tile: &Tile| tile.width == TILE_WIDTH && Tile::of(tile.kind, tile.index, before).is_some();
            for tile in grown(before, now).filter(full) {
                folder.remove(&format!("{tile}.p"))?;
            }
            Ok(())
        })
        .await
    }

    async fn write(&self, pieces: Vec<Piece>) -> Result<(), Trouble> {
        in_background(&self.folder, move |folder| Ok(folder.add(&pieces)?)).await
    }

    /// Records after a position, not beyond the head.
    async fn page(&self, after: u64, head: u64) -> Result<Vec<StoredEvent>, Trouble> {
        let page = timeout(READ_TIMEOUT, self.log.page(after + 1, PAGE)).await.map_err(|_| Trouble::LogTooSlow)??;
        let follows = (after + 1..=head).zip(&page).take_while(|(position, event)| event.position == *position).count();
        let hole = after + 1 + follows as u64;
        if follows == 0 || follows < page.len() && hole <= head {
            return Err(Trouble::NoRecord { position: hole });
        }
        Ok(page.into_iter().take(follows).collect())
    }

    /// The first record that is not the one that was published, among as many as were.
    async fn difference(&self, size: u64) -> Result<Option<Trouble>, Trouble> {
        let (mut compared, mut published) = (0, Vec::new());
        while compared < size {
            for event in self.page(compared, size).await? {
                let index = compared / WIDTH;
                if compared.is_multiple_of(WIDTH) {
                    let leaves = move |folder: &Folder| tile_of(folder, size, 0, index);
                    published = in_background(&self.folder, leaves).await?;
                }
                if published.get(within(compared)) != Some(&leaf_hash(&event.record)) {
                    let path = Tile { kind: TileKind::Hashes(0), index, width: TILE_WIDTH }.to_string();
                    return Ok(Some(Trouble::OtherRecord { position: event.position, path }));
                }
                compared += 1;
            }
        }
        Ok(None)
    }
}

/// Runs what waits for the disk where nobody waits for it.
pub(super) async fn in_background<T: Send + 'static>(
    folder: &Arc<Folder>,
    work: impl FnOnce(&Folder) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let folder = folder.clone();
    tokio::task::spawn_blocking(move || work(&folder)).await.unwrap_or(Err(Trouble::Ending))
}

/// The root of a perfect subtree of a published tree: of 2^`height` leaves, with `index` such before it.
pub(super) fn subtree(folder: &Folder, size: u64, height: u8, index: u64) -> Result<Hash, Trouble> {
    let (level, rest) = (height / 8, height % 8);
    let first = index << rest;
    let tile = tile_of(folder, size, level, first / WIDTH)?;
    let place = within(first);
    tile.get(place..place + (1 << rest)).map(root_of).ok_or(Trouble::Inconsistent { size })
}

/// The place of a hash in its tile.
fn within(index: u64) -> usize {
    usize::try_from(index % WIDTH).unwrap_or_default()
}

/// The hashes of the partial tiles of a tree from the level of the leaves up, whose own are left out.
fn partial_tiles(folder: &Folder, size: u64) -> Result<Vec<Vec<Hash>>, Trouble> {
    let mut levels = Vec::new();
    for level in 0_u8.. {
        let length = hashes(size, level);
        if length == 0 {
            break;
        }
        let is_partial = level > 0 && !length.is_multiple_of(WIDTH);
        levels.push(if is_partial { tile_of(folder, size, level, length / WIDTH)? } else { Vec::new() });
    }
    Ok(levels)
}

/// The hashes of a tile as a tree of that size has them.
fn tile_of(folder: &Folder, size: u64, level: u8, index: u64) -> Result<Vec<Hash>, Trouble> {
    let tile = Tile::of(TileKind::Hashes(level), index, size).ok_or(Trouble::Inconsistent { size })?;
    // What was partial may have gone since there is a full one.
    let full = Tile { width: TILE_WIDTH, ..tile };
    for tile in [tile, full] {
        let Some(bytes) = folder.read(&tile.to_string())? else { continue };
        let mut found = tile.hashes(&bytes).map_err(|_| Trouble::NoTile { path: tile.to_string(), size })?;
        found.truncate(usize::try_from(hashes(size, level) - tile.begin()).unwrap_or(usize::MAX));
        return Ok(found);
    }
    Err(Trouble::NoTile { path: tile.to_string(), size })
}
