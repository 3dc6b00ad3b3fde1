//! Servers of one's own on this machine, on free loopback ports, below a home directory: PostgreSQL, nats-server, and
//! the keys that callers and services share. Nothing here outlives the process that started it.

pub mod child;
pub mod home;
pub mod identity;
pub mod nats;
pub mod people;
mod persons;
pub mod postgres;
mod server;
pub mod stack;
pub mod witnesses;

use std::{fs, io, net::TcpListener, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use rand::RngCore as _;

/// How long a server may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a server may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A loopback port that nothing listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no loopback port is free")?;
    Ok(listener.local_addr()?.port())
}

/// The seed of a key.
pub(crate) fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    seed
}

/// `bytes` random bytes in hexadecimal.
pub fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    hex(&random)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String never fails");
        text
    })
}

/// What the file holds; where there is none, it is made from `content`, readable by its owner alone.
fn kept(path: &Path, content: impl FnOnce() -> String) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim_end().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let content = content();
            write_private(path, content.as_bytes())?;
            Ok(content)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let open = || fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    open().and_then(|mut file| file.write_all(content)).with_context(|| format!("cannot write {}", path.display()))
}
