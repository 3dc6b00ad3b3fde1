use proptest::prelude::*;

use super::*;
use crate::{KeyKind, SigningKey};

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::new(name, KeyKind::Note, &[seed; 32]).expect("a key")
}

fn signed(text: &str, keys: &[&SigningKey]) -> Note {
    let mut note = Note::unsigned(text.to_owned()).expect("a text");
    for key in keys {
        note.add(key.sign(text, 0));
    }
    note
}

#[test]
fn a_note_is_read_as_it_is_written() {
    let (one, two) = (key("one", 1), key("two", 2));
    for text in ["a\n", "a\n\nb\n", "\n", "é — ½\n"] {
        let note = signed(text, &[&one, &two]);
        let read = Note::parse(note.to_string().as_bytes()).expect("a note");
        assert_eq!(read, note);
        let keys = [two.verifier().clone(), one.verifier().clone()];
        assert_eq!(read.verify(&keys).expect("it holds").len(), 2);
    }
}

#[test]
fn unknown_keys_are_passed_over_and_a_known_one_must_hold() {
    let (one, two, three) = (key("one", 1), key("two", 2), key("three", 3));
    let note = signed("a\n", &[&one, &two]);
    assert_eq!(note.verify(&[one.verifier().clone()]).expect("it holds").len(), 1);
    assert_eq!(note.verify(&[three.verifier().clone()]), Err(NoteError::Unknown));
    let mut forged = note;
    forged.add(two.sign("b\n", 0));
    let keys = [one.verifier().clone(), two.verifier().clone()];
    assert_eq!(forged.verify(&keys), Err(NoteError::Wrong("two".to_owned())));
    // The same name with another key is another key.
    let imposter = key("two", 9);
    let note = signed("a\n", &[&one, &imposter]);
    assert_eq!(note.verify(&keys).expect("it holds").len(), 1);
}

#[test]
fn what_is_no_note_is_refused() {
    let line = key("one", 1).sign("a\n", 0).to_string();
    let whole = format!("a\n\n{line}\n");
    assert!(Note::parse(whole.as_bytes()).is_ok());
    for other in [
        String::new(),
        "a\n".to_owned(),
        "a\n\n".to_owned(),
        format!("a\n{line}\n"),
        format!("a\n\n{line}"),
        format!("a\n\n{line}\n\n"),
        format!("a\r\n\n{line}\n"),
        format!("a\n\n{line} \n"),
        format!("a\n\n{}\n", line.replace('\u{2014}', "-")),
        format!("a\n\n{}\n", &line[..line.len() - 1]),
        "a\n\n\u{2014} one AAAA\n".to_owned(),
        format!("a\n\n{}", format!("{line}\n").repeat(MAX_SIGNATURES + 1)),
    ] {
        assert!(Note::parse(other.as_bytes()).is_err(), "{other:?}");
    }
    assert_eq!(Note::parse(&[0xff, b'\n']), Err(NoteError::NotText));
    assert_eq!(Note::parse(&vec![b'a'; MAX_NOTE_BYTES + 1]), Err(NoteError::TooLong));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Note::parse(&bytes);
    }
}

proptest! {
    // Signatures take their time in a build without optimisation.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let key = key("one", 1);
        let text = "log.example/x\n12\nAAAA\n";
        let mut bytes = signed(text, &[&key]).to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        let held = Note::parse(&bytes).is_ok_and(|note| note.verify(&[key.verifier().clone()]).is_ok());
        prop_assert!(!held, "byte {} was changed", place);
    }
}
