use prost::Message as _;
use rand::Rng as _;

use super::*;
use crate::web::schema;

fn kind() -> MessageDescriptor {
    schema::message("toguna.partnerships.v1.RegisterPartnerRequest").expect("it is ours")
}

const WHOLE: &str = r#"{
    "requestId": "018f3a00-0000-7000-8000-000000000000", "etag": "\"1\"", "validateOnly": true,
    "atLeastAsFresh": ["a", "b"], "name": "partners/ml", "kind": "PARTNER_KIND_STATE", "countryCode": "ML",
    "names": { "fr": { "text": "Mali", "origin": "TEXT_ORIGIN_OFFICIAL" } },
    "act": { "effectiveOn": { "year": 2016, "month": 4 }, "sources": [{ "title": "x", "sha256": "AAEC" }] }
}"#;

#[test]
fn a_message_comes_back_as_it_was_written() {
    let message = read(&kind(), WHOLE.as_bytes()).expect("nothing is wrong with it");
    let written = written(&kind(), &message.encode_to_vec()).expect("it can be written");
    let (before, after): (Value, Value) =
        (serde_json::from_str(WHOLE).expect("JSON"), serde_json::from_slice(&written).expect("JSON"));
    assert_eq!(before, after);
}

#[test]
fn nothing_that_is_written_brings_the_reader_down() {
    let mut chance = rand::rng();
    let pieces = ["{", "}", "[", "]", "null", "\"", ":", ",", "1e9", "-0", "\\u0000", "true", "\"act\":", "💥", " "];
    let mut refused = 0;
    for _ in 0..5000 {
        let mut text = WHOLE.as_bytes().to_vec();
        for _ in 0..chance.random_range(1..4) {
            let at = chance.random_range(0..text.len());
            match chance.random_range(0..3) {
                0 => text[at] = chance.random(),
                1 => drop(text.drain(at..(at + 20).min(text.len()))),
                _ => {
                    let piece = pieces[chance.random_range(0..pieces.len())];
                    text.splice(at..at, piece.bytes());
                }
            }
            if text.is_empty() {
                text.push(b'x');
            }
        }
        if let Err(violations) = read(&kind(), &text) {
            assert!(!violations.is_empty(), "{}", String::from_utf8_lossy(&text));
            refused += 1;
        }
    }
    assert!(refused > 1000, "most of it cannot be read: {refused}");
}
