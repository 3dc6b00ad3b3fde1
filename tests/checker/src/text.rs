//! Bytes as text, and the short digests by which records are told apart.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String never fails");
        text
    })
}

/// What [`hex`] wrote.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.map(|pair| byte(pair).with_context(|| format!("{text:?} is not hexadecimal"))).collect()
}

/// The first 8 bytes of a record's SHA-256, in hexadecimal: enough to tell two records of one place apart.
pub fn digest(record: &[u8]) -> String {
    hex(&Sha256::digest(record)[..8])
}
