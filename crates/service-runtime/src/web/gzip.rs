//! Packing, which is worth most where lines are worst.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use contracts::toguna::errors::v1::ErrorReason;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use http::{HeaderMap, header};
use tonic::Status;

use crate::status::{self, Violation};

/// Whether whoever sent these headers takes packed answers.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING);
    accepted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let names_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
        names_it && !parts.any(refused)
    })
}

pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.add(bytes);
    packer.end()
}

/// At most so many bytes, however small they were packed.
pub(super) fn unpacked(bytes: &[u8], limit: usize) -> Result<Bytes, Status> {
    let mut unpacked = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(bytes).take(most).read_to_end(&mut unpacked);
    if unpacked.len() > limit {
        return Err(Status::out_of_range("the request unpacks to too much"));
    }
    if read.is_err() {
        let problem = ("is not packed by gzip", "n’est pas compressé par gzip").into();
        let violation = Violation { field: "content-encoding".to_owned(), problem };
        return Err(status::refused(ErrorReason::InvalidRequest).violating(vec![violation]).into());
    }
    Ok(unpacked.into())
}

/// Packs what is sent in pieces.
pub(super) struct Packer(GzEncoder<Vec<u8>>);

impl Packer {
    pub fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("memory can be written");
    }

    /// All of a piece, so that whoever gets it can read it at once.
    pub fn piece(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.add(bytes);
        self.0.flush().expect("memory can be written");
        std::mem::take(self.0.get_mut())
    }

    /// What comes after the last piece.
    pub fn end(self) -> Vec<u8> {
        self.0.finish().expect("memory can be written")
    }
}
