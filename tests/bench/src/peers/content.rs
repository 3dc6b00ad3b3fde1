//! What the events hold: text that does not compress away, the same for every peer.

use serde_json::{Value, json};

/// Letters that JSON writes as they are.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A payload of so many bytes.
pub fn bytes(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let letters = std::iter::repeat_with(|| {
        // xorshift: the same text in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        LETTERS[(state >> 58) as usize]
    });
    letters.take(size).collect()
}

/// A payload of so many bytes in all for stores that take JSON, at least the few that its frame needs.
pub fn document(size: usize) -> Value {
    let frame = json!({ "text": "" }).to_string().len();
    let text = String::from_utf8(bytes(size.saturating_sub(frame))).expect("letters are UTF-8");
    json!({ "text": text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_as_long_as_asked() {
        assert_eq!(document(256).to_string().len(), 256);
        assert_eq!(bytes(1024).len(), 1024);
    }
}
