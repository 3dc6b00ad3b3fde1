//! Pages of a list: at most so many elements, and a token that leads to the next ones.
//!
//! A page begins after the place of the last element of the one before: elements that come or go meanwhile repeat none
//! and hide none. The token that leads to it is sealed: it holds for the same request of the same organisation, and for
//! nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use prost::{Message as _, Name};
use sha2::Sha256;

use crate::Fields;

/// Elements of a page where the caller leaves it to us.
const DEFAULT_SIZE: usize = 50;
/// Elements of a page at most; whoever asks for more gets these.
const MAX_SIZE: usize = 500;
/// Bytes of a token that seal the rest.
const SEAL_BYTES: usize = 16;

/// Where a page begins, and what it must have seen.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Place {
    /// Keys of the element before, in the list's order.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// What the page before has seen.
    #[prost(string, tag = "2")]
    pub seen: String,
    /// The day on which the first page was asked for.
    #[prost(string, tag = "3")]
    pub today: String,
}

/// What makes tokens of one request of one organisation.
#[derive(Clone)]
pub(crate) struct Seal(Hmac<Sha256>);

/// How many elements are asked for, where proto/ has it that they are not fewer than none.
pub(crate) fn size(page_size: i32) -> usize {
    match usize::try_from(page_size) {
        Ok(0) | Err(_) => DEFAULT_SIZE,
        Ok(size) => size.min(MAX_SIZE),
    }
}

/// How many rows to read: one more than are shown, to know whether there are more.
pub(crate) fn limit(size: usize) -> i64 {
    i64::try_from(size + 1).expect("a page is small")
}

/// Leaves the elements of a page; the last one where there are more.
pub(crate) fn cut<T>(rows: &mut Vec<T>, size: usize) -> Option<&T> {
    let is_full = rows.len() > size;
    rows.truncate(size);
    rows.last().filter(|_| is_full)
}

impl Seal {
    /// `content`: what is asked for, whatever the size and the token of the page.
    pub fn of<Q: Name>(key: &[u8; 32], organisation: &str, content: &[u8]) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [Q::full_name().as_bytes(), organisation.as_bytes(), content] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        Self(mac)
    }

    /// The token that leads to a place.
    pub fn close(&self, place: &Place) -> String {
        let place = place.encode_to_vec();
        let mac = self.0.clone().chain_update(&place).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&mac[..SEAL_BYTES], &place].concat())
    }

    /// The place that a request's `page_token` leads to; `None`: the beginning.
    pub fn open(&self, fields: &mut Fields, token: &str) -> Option<Place> {
        if token.is_empty() {
            return None;
        }
        let opened = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| {
            let (seal, place) = bytes.split_at_checked(SEAL_BYTES)?;
            self.0.clone().chain_update(place).verify_truncated_left(seal).ok()?;
            Place::decode(place).ok()
        });
        if opened.is_none() {
            fields.violation(
                "page_token",
                (
                    "must be the `next_page_token` of the page before, with everything else the same",
                    "doit être le `next_page_token` de la page précédente, tout le reste étant pareil",
                ),
            );
        }
        opened
    }
}

#[cfg(test)]
mod tests;
