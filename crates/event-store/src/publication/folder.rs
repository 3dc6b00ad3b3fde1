//! What is published of one epoch of a log, file by file.
//!
//! A file is there whole or not at all: it is written aside, synced, and renamed, and so is the name of every folder on
//! the way to it. What is of the tree is written once: where another content stands in its place, it stays there, and
//! whoever wanted to write is told.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use transparency::Tile;

/// Where a file is while it is written. There is one writer, so one name is enough, and a crash leaves one file.
const UNFINISHED: &str = ".unfinished";
/// Held by the one writer for as long as it lives.
const LOCK: &str = ".lock";

/// A folder that this process alone writes.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

/// A file of the tree, by its path below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub path: String,
    pub bytes: Vec<u8>,
}

impl Piece {
    /// What a tile holds.
    pub fn of(tile: Tile, bytes: Vec<u8>) -> Self {
        Self { path: tile.to_string(), bytes }
    }
}

/// What a folder does not take or give.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    #[error("{} cannot be read or written", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is written by another publisher", .0.display())]
    Taken(PathBuf),
    #[error("{path} holds other bytes than the log")]
    OtherBytes { path: String },
}

impl Folder {
    /// Makes the folder where it is missing, and becomes its only writer.
    pub fn open(root: PathBuf) -> Result<Self, FolderError> {
        let io = |source| FolderError::Io { path: root.clone(), source };
        let missing: Vec<&Path> = root.ancestors().take_while(|folder| !folder.is_dir()).collect();
        fs::create_dir_all(&root).map_err(io)?;
        for parent in missing.iter().filter_map(|folder| folder.parent()) {
            sync(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }).map_err(io)?;
        }
        let lock = File::create(root.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Taken(root)),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The content of a file; `None`: there is none.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.error(path, source)),
        }
    }

    /// Writes what is of the tree, and returns once all of it would outlast a loss of power. What is there already, with
    /// the same bytes, is not written again.
    pub fn add(&self, pieces: &[Piece]) -> Result<(), FolderError> {
        let mut touched = BTreeSet::new();
        for Piece { path, bytes } in pieces {
            match self.read(path)? {
                Some(present) if present == *bytes => {}
                Some(_) => return Err(FolderError::OtherBytes { path: path.clone() }),
                None => self.write(path, bytes, &mut touched).map_err(|source| self.error(path, source))?,
            }
        }
        Self::sync_all(touched)
    }

    /// Writes a file in the place of what was there.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let mut touched = BTreeSet::new();
        self.write(path, bytes, &mut touched).map_err(|source| self.error(path, source))?;
        Self::sync_all(touched)
    }

    /// Adds a line to a file, after its last whole one: what a crash left of another is cut off.
    pub fn append(&self, path: &str, line: &str) -> Result<(), FolderError> {
        self.append_line(path, line).map_err(|source| self.error(path, source))
    }

    fn append_line(&self, path: &str, line: &str) -> io::Result<()> {
        use io::{Read as _, Seek as _, SeekFrom};
        let place = self.root.join(path);
        let is_new = !place.exists();
        let mut file = fs::OpenOptions::new().create(true).read(true).write(true).truncate(false).open(place)?;
        let mut end = file.metadata()?.len();
        while end > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(end - 1))?;
            file.read_exact(&mut last)?;
            if last == *b"\n" {
                break;
            }
            end -= 1;
        }
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()?;
        if is_new { sync(&self.root) } else { Ok(()) }
    }

    /// Removes a folder of partial tiles, whose full one is there.
    pub fn remove(&self, path: &str) -> Result<(), FolderError> {
        match fs::remove_dir_all(self.root.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.error(path, error)),
            _ => Ok(()),
        }
    }

    fn write(&self, path: &str, bytes: &[u8], touched: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let (place, unfinished) = (self.root.join(path), self.root.join(UNFINISHED));
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let folder = place.parent().unwrap_or(&self.root);
        for missing in folder.ancestors().take_while(|folder| !folder.is_dir()) {
            touched.extend(missing.parent().map(Path::to_owned));
        }
        fs::create_dir_all(folder)?;
        touched.insert(folder.to_owned());
        fs::rename(unfinished, place)
    }

    fn sync_all(folders: BTreeSet<PathBuf>) -> Result<(), FolderError> {
        folders.into_iter().try_for_each(|path| sync(&path).map_err(|source| FolderError::Io { path, source }))
    }

    fn error(&self, path: &str, source: io::Error) -> FolderError {
        FolderError::Io { path: self.root.join(path), source }
    }
}

/// The names in a folder outlast a loss of power from then on.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
