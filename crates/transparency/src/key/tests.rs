use super::*;

/// From the documentation of Go's `golang.org/x/mod/sumdb/note`, which the format comes from.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SIGNED: &str = "\
If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(kind: KeyKind) -> SigningKey {
    SigningKey::new("log.example", kind, &[7; 32]).expect("a key")
}

#[test]
fn a_published_note_is_verified_by_its_published_key() {
    let peter: VerifierKey = PETER.parse().expect("a verifier key");
    assert_eq!((peter.name(), peter.kind(), peter.to_string()), ("PeterNeumann", KeyKind::Note, PETER.to_owned()));
    let note = crate::Note::parse(PETER_SIGNED.as_bytes()).expect("a note");
    assert_eq!(note.verify(&[peter]).expect("it holds").len(), 1);
}

#[test]
fn keys_are_read_as_they_are_written() {
    for kind in [KeyKind::Note, KeyKind::Cosigner] {
        let key = key(kind);
        let read: SigningKey = key.to_secret_text().parse().expect("its own text");
        assert_eq!(read.verifier(), key.verifier());
        assert_eq!(key.verifier().to_string().parse().as_ref(), Ok(key.verifier()));
        assert_ne!(key.renamed("other.example").expect("a name").verifier().id(), key.verifier().id());
        assert!(!format!("{key:?}").contains(&key.to_secret_text()["PRIVATE+KEY+log.example+12345678+".len()..]));
    }
}

#[test]
fn what_is_no_key_is_refused_with_what_is_wrong() {
    let text = key(KeyKind::Note).verifier().to_string();
    let (head, encoded) = text.rsplit_once('+').map_or(("", ""), |parts| parts);
    assert_eq!("log.example".parse::<VerifierKey>(), Err(KeyError::Form));
    assert!(text.to_uppercase().parse::<VerifierKey>().is_err());
    assert_eq!(text.replacen("log", "lag", 1).parse::<VerifierKey>(), Err(KeyError::Id));
    assert!(format!("{head}+{}", &encoded[4..]).parse::<VerifierKey>().is_err());
    let of_kind = |kind: u8| BASE64_STANDARD.encode([&[kind][..], &[9; 32]].concat());
    assert_eq!(format!("{head}+{}", of_kind(6)).parse::<VerifierKey>(), Err(KeyError::Kind(6)));
    // The neutral element: everything is signed by it.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VerifierKey::new("log.example", KeyKind::Note, &neutral), Err(KeyError::Weak));
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", &"a".repeat(256)] {
        assert_eq!(SigningKey::new(name, KeyKind::Note, &[7; 32]).err(), Some(KeyError::Name), "{name:?}");
    }
}

#[test]
fn a_cosignature_is_over_its_time_and_says_it() {
    let key = key(KeyKind::Cosigner);
    let line = key.sign("log.example\n1\n…\n", 1_763_000_000);
    assert_eq!(key.verifier().time_of(&line), Some(1_763_000_000));
    assert!(key.verifier().verifies("log.example\n1\n…\n", line.signature()));
    let mut later = line.signature().to_vec();
    later[7] += 1;
    assert!(!key.verifier().verifies("log.example\n1\n…\n", &later));
    assert!(!key.verifier().verifies("log.example\n2\n…\n", line.signature()));
    assert!(!key.verifier().verifies("log.example\n1\n…\n", &line.signature()[8..]));
    let other = SigningKey::new("log.example", KeyKind::Note, &[7; 32]).expect("a key");
    assert!(!other.verifier().verifies("log.example\n1\n…\n", line.signature()));
}
