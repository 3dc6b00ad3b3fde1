use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::{CompactRange, KeyKind, SigningKey, consistency_proof, leaf_hash};

const ORIGIN: &str = "log.example/x";

fn log() -> SigningKey {
    SigningKey::new(ORIGIN, KeyKind::Note, &[1; 32]).expect("a key")
}

fn range(begin: u64, end: u64, other: u64) -> CompactRange {
    let mut range = CompactRange::at(begin);
    (begin..end).for_each(|index| range.push(leaf_hash(&[index.to_be_bytes(), other.to_be_bytes()].concat())));
    range
}

fn known(size: u64) -> Known {
    Known { size, root: range(0, size, 0).root() }
}

/// A request of a log that grew from `old` to `size`, in one of its histories.
fn request(old: u64, size: u64, history: u64) -> AddCheckpoint {
    let node = |level: u8, index: u64| Ok::<_, Infallible>(range(index << level, (index + 1) << level, history).root());
    let Ok(proof) = consistency_proof(&node, old.min(size), size);
    signed(old, size, range(0, size, history).root(), proof.unwrap_or_default(), &log())
}

fn signed(old: u64, size: u64, root: Hash, proof: Vec<Hash>, key: &SigningKey) -> AddCheckpoint {
    let text = Checkpoint::new(ORIGIN, size, root).expect("an origin").to_string();
    let mut note = Note::unsigned(text.clone()).expect("a text");
    note.add(key.sign(&text, 0));
    AddCheckpoint::new(old, proof, note).expect("a checkpoint")
}

fn status(request: &AddCheckpoint, known: Option<Known>) -> u16 {
    request.judge(&[log().verifier().clone()], known).map_or_else(|refused| refused.status(), |_| 200)
}

#[test]
fn what_goes_on_is_signed_and_nothing_else() {
    assert_eq!(status(&request(0, 5, 0), None), 200);
    assert_eq!(status(&request(0, 0, 0), None), 200);
    assert_eq!(status(&request(5, 9, 0), Some(known(5))), 200);
    assert_eq!(status(&request(5, 5, 0), Some(known(5))), 200, "again, with a later time");
    assert_eq!(request(5, 9, 0).judge(&[log().verifier().clone()], Some(known(5))), Ok(known(9)));
    assert_eq!(status(&request(10, 9, 0), Some(known(9))), 400);
    let stranger = SigningKey::new(ORIGIN, KeyKind::Note, &[2; 32]).expect("a key");
    assert_eq!(status(&signed(0, 5, known(5).root, Vec::new(), &stranger), None), 403);
    assert_eq!(request(4, 9, 0).judge(&[log().verifier().clone()], Some(known(5))), Err(Refused::Conflict(known(5))));
    assert_eq!(status(&request(0, 9, 0), Some(known(5))), 409);
    assert_eq!(status(&request(5, 9, 1), Some(known(5))), 422, "another history");
    assert_eq!(status(&request(5, 5, 1), Some(known(5))), 422, "another root for the same size");
    assert_eq!(status(&signed(0, 0, known(5).root, Vec::new(), &log()), None), 422);
    assert_eq!(status(&signed(0, 5, known(5).root, vec![known(5).root], &log()), None), 422);
    assert!(request(0, 5, 1).contradicts(known(5)) && !request(0, 5, 0).contradicts(known(5)));
}

#[test]
fn a_request_is_read_as_it_is_written_and_what_is_none_is_refused() {
    let request = request(5, 9, 0);
    let text = request.to_string();
    assert_eq!(AddCheckpoint::parse(text.as_bytes()), Ok(request.clone()));
    let hash = format!("{}\n", known(1).root);
    let many = text.replacen("old 5\n", &format!("old 5\n{}", hash.repeat(MAX_PROOF)), 1);
    for (other, wrong) in [
        (String::new(), RequestError::Old),
        (text.replacen("old 5", "old 05", 1), RequestError::Old),
        (text.replacen("old 5", "OLD 5", 1), RequestError::Old),
        (text.replacen("old 5\n", "old 5\nnonsense\n", 1), RequestError::Proof),
        (many, RequestError::Proof),
        ("old 5\n".to_owned(), RequestError::Proof),
        ("old 5\n\n".to_owned(), RequestError::Note(NoteError::NoSignatures)),
        (text.replacen(&format!("{ORIGIN}\n9\n"), &format!("{ORIGIN}\n9\n\n"), 1), RequestError::Checkpoint),
    ] {
        assert_eq!(AddCheckpoint::parse(other.as_bytes()), Err(wrong), "{other}");
    }
}

proptest! {
    // Signatures take their time in a build without optimisation.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
        let _ = AddCheckpoint::parse(&bytes);
        let mut mixed = request(5, 9, 0).to_string().into_bytes();
        let at = at.index(mixed.len());
        mixed.splice(at..at, bytes);
        let _ = AddCheckpoint::parse(&mixed);
    }

    #[test]
    fn no_order_of_requests_makes_it_sign_two_histories(sizes in prop::collection::vec((0..40_u64, 0..40_u64, 0..2_u64), 1..30)) {
        let mut memory = None;
        let mut histories = std::collections::BTreeSet::new();
        for (old, size, history) in sizes {
            if let Ok(next) = request(old, size, history).judge(&[log().verifier().clone()], memory) {
                prop_assert!(next.size >= memory.map_or(0, |known: Known| known.size));
                memory = Some(next);
                if size > 0 {
                    histories.insert(history);
                }
            }
        }
        prop_assert!(histories.len() < 2);
    }
}
