//! Pages of what is read in one order and is no list of resources: at most so many elements, and an opaque token that
//! leads to the next ones.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Fields;

/// Elements of a page where the caller leaves it to us.
const DEFAULT_SIZE: usize = 50;
/// Elements of a page at most; whoever asks for more gets these.
const MAX_SIZE: usize = 500;
/// Bytes of the filter's hash that a token carries.
const FILTER_BYTES: usize = 8;

/// Which page of a list is asked for. Lists are ordered by a key that no two elements share, and a page begins after
/// the last key of the one before: elements that come or go meanwhile repeat none and hide none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    after: String,
    size: usize,
    filter: [u8; FILTER_BYTES],
}

impl Page {
    /// Reads `page_size` and `page_token`. The token is bound to the filter: all that the list is filtered by, in the
    /// order of the request's fields.
    pub fn read(fields: &mut Fields, page_size: i32, page_token: &str, filter: &[&str]) -> Self {
        let size = match usize::try_from(page_size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => {
                fields.violation("page_size", ("must not be negative", "ne doit pas être négatif"));
                DEFAULT_SIZE
            }
        };
        let filter = hash(filter);
        let after = if page_token.is_empty() { Some(String::new()) } else { key_of(page_token, filter) };
        let after = after.unwrap_or_else(|| {
            fields.violation(
                "page_token",
                (
                    "must be the `next_page_token` of the page before, with the same filter",
                    "doit être le `next_page_token` de la page précédente, avec le même filtre",
                ),
            );
            String::new()
        });
        Self { after, size, filter }
    }

    /// The page begins after this key; empty: with the first.
    pub fn after(&self) -> &str {
        &self.after
    }

    /// How many rows to read: one more than are shown, to know whether there are more.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size + 1).expect("a page is small")
    }

    /// Leaves the elements of this page, and gives the `next_page_token`.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> &str) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        let last = rows.last().map(key).unwrap_or_default();
        hex(&[self.filter.as_slice(), last.as_bytes()].concat())
    }
}

fn hash(filter: &[&str]) -> [u8; FILTER_BYTES] {
    let mut hash = Sha256::new();
    for part in filter {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    *hash.first_chunk().expect("a hash is longer")
}

fn key_of(token: &str, filter: [u8; FILTER_BYTES]) -> Option<String> {
    let digits = token.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let key = bytes?.strip_prefix(&filter)?.to_vec();
    String::from_utf8(key).ok().filter(|key| !key.is_empty())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: i32, token: &str, filter: &[&str]) -> Page {
        let mut fields = Fields::new();
        let page = Page::read(&mut fields, size, token, filter);
        fields.finish().expect("a good page");
        page
    }

    fn is_refused(size: i32, token: &str, filter: &[&str]) -> bool {
        let mut fields = Fields::new();
        Page::read(&mut fields, size, token, filter);
        fields.finish().is_err()
    }

    #[test]
    fn the_pages_of_a_list_are_the_list() {
        let all = ["a", "b", "c", "d", "é"];
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = page(2, &token, &["funds/x"]);
            let limit = usize::try_from(page.limit()).expect("small");
            let mut rows: Vec<&str> = all.into_iter().filter(|key| *key > page.after()).take(limit).collect();
            token = page.cut(&mut rows, |key| key);
            seen.extend(rows);
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_token_leads_nowhere_in_a_list_with_another_filter() {
        let token = page(1, "", &["funds/x", ""]).cut(&mut vec!["a", "b"], |key| key);
        assert!(!is_refused(1, &token, &["funds/x", ""]));
        for filter in [&["funds/y", ""][..], &["", "funds/x"], &["funds/x"]] {
            assert!(is_refused(1, &token, filter), "{filter:?}");
        }
    }

    #[test]
    fn what_is_no_token_or_no_size_is_refused() {
        for token in ["0", "zz", "00", "é0", "0000000000000000"] {
            assert!(is_refused(1, token, &[]), "{token}");
        }
        assert!(is_refused(-1, "", &[]));
    }

    #[test]
    fn a_page_has_a_limit() {
        assert_eq!(page(i32::MAX, "", &[]).limit(), 501);
        assert_eq!(page(0, "", &[]).limit(), 51);
    }
}
