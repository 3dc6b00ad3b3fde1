//! Bytes that are held for callers: so many in all, and of these so many for each address.
//!
//! No address may hold more than what is left free. So those who fill the whole, however many they are, leave to whoever
//! comes next as much as each of them has, and what is held is bounded whatever their number.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use contracts::toguna::errors::v1::ErrorReason;
use tonic::Status;

use crate::status;

const MEBIBYTE: usize = 1024 * 1024;

/// What may be held for all addresses together.
#[derive(Debug)]
pub(crate) struct Whole {
    most: usize,
    most_of_one: usize,
    held: AtomicUsize,
}

impl Whole {
    /// So many mebibytes, and so many of them for one address.
    pub fn new(mebibytes: u32, of_one: u32) -> Arc<Self> {
        let [most, most_of_one] =
            [mebibytes, of_one].map(|number| usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(MEBIBYTE));
        Arc::new(Self { most, most_of_one, held: AtomicUsize::new(0) })
    }
}

/// What is held for one address.
#[derive(Debug)]
pub(crate) struct Share {
    whole: Arc<Whole>,
    held: AtomicUsize,
}

impl Share {
    /// Nothing of this yet.
    pub fn of(whole: &Arc<Whole>) -> Self {
        Self { whole: whole.clone(), held: AtomicUsize::new(0) }
    }

    /// Holds so many bytes more until what this gives is dropped; `TOO_MUCH_UNFINISHED` where they are too many.
    pub fn hold(self: &Arc<Self>, bytes: usize) -> Result<Held, Status> {
        let mine = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let all = self.whole.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let held = Held { share: self.clone(), bytes };
        if mine <= self.whole.most_of_one.min(self.whole.most.saturating_sub(all)) {
            return Ok(held);
        }
        let mebibytes = (mine - bytes).div_ceil(MEBIBYTE);
        Err(status::refused(ErrorReason::TooMuchUnfinished).with("mebibytes", mebibytes.to_string()).into())
    }

    /// The same bytes, held until the last piece of them is dropped.
    pub fn keep(self: &Arc<Self>, bytes: Bytes) -> Result<Bytes, Status> {
        let held = self.hold(bytes.len())?;
        Ok(Bytes::from_owner(Kept { bytes, _held: held }))
    }
}

/// So many bytes of a share.
#[derive(Debug)]
pub(crate) struct Held {
    share: Arc<Share>,
    bytes: usize,
}

impl Held {
    /// Makes one of both.
    pub fn add(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.share.held.fetch_sub(self.bytes, Ordering::Relaxed);
        self.share.whole.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Kept {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests;
