use super::*;
use crate::{KeyKind, SigningKey};

fn key(number: u8) -> SigningKey {
    SigningKey::new(&format!("w{number}.example"), KeyKind::Cosigner, &[number; 32]).expect("a key")
}

fn witnesses(number: u8) -> String {
    (1..=number).fold(String::new(), |text, number| {
        format!("{text}witness W{number} {} http://w{number}.example\n", key(number).verifier())
    })
}

fn of(number: u8, rest: &str) -> Policy {
    Policy::parse(&format!("{}{rest}", witnesses(number))).expect("a policy")
}

fn cosigned(by: &[u8]) -> Note {
    let text = "log.example\n1\n…\n";
    let mut note = Note::unsigned(text.to_owned()).expect("a text");
    for number in by {
        note.add(key(*number).sign(text, 9));
    }
    note
}

#[test]
fn a_quorum_is_met_by_as_many_as_it_asks_for() {
    let policy = of(3, "group partners 2 W1 W2 W3\nquorum partners\n");
    for (by, met) in [(&[][..], false), (&[1], false), (&[1, 3], true), (&[1, 2, 3], true), (&[1, 9], false)] {
        assert_eq!(policy.is_met_by(&cosigned(by)), Ok(met), "{by:?}");
    }
    assert_eq!(policy.witnesses()[0].url.as_deref(), Some("http://w1.example"));
    assert_eq!(of(1, "quorum none").is_met_by(&cosigned(&[])), Ok(true));
    assert_eq!(of(1, "quorum W1").is_met_by(&cosigned(&[1])), Ok(true));
}

#[test]
fn groups_of_groups_need_each_of_their_kind() {
    let policy = of(4, "group a any W1 W2\ngroup b all W3 W4\ngroup all-sides all a b\nquorum all-sides\n");
    for (by, met) in [(&[1, 3, 4][..], true), (&[1, 2, 3], false), (&[3, 4], false), (&[2, 3, 4], true)] {
        assert_eq!(policy.is_met_by(&cosigned(by)), Ok(met), "{by:?}");
    }
}

#[test]
fn a_known_witness_whose_line_does_not_hold_is_an_error() {
    let policy = of(2, "group two all W1 W2\nquorum two\n");
    let mut note = cosigned(&[1]);
    note.add(key(2).sign("log.example\n2\n…\n", 9));
    assert_eq!(policy.is_met_by(&note), Err(NoteError::Wrong("w2.example".to_owned())));
}

/// k of n stops a fork with d dishonest ones if k > d + ⌊(n − d) / 2⌋.
#[test]
fn what_it_withstands_is_known_from_the_numbers() {
    for (n, k, dishonest, down) in
        [(3, 2, 0, 1), (4, 3, 1, 1), (5, 3, 0, 2), (5, 4, 2, 1), (6, 5, 3, 1), (7, 5, 2, 2), (9, 7, 4, 2)]
    {
        let names = (1..=n).fold(String::new(), |names, number| format!("{names} W{number}"));
        let policy = of(n, &format!("group g {k}{names}\nquorum g\n"));
        assert_eq!(policy.tolerates(), Some(Tolerance { down, dishonest }), "{k} of {n}");
    }
    assert_eq!(of(1, "quorum none").tolerates(), None);
}

#[test]
fn what_is_no_policy_is_refused_with_its_line() {
    let (one, log) = (witnesses(1), key(1).verifier().clone());
    for (text, line) in [
        (String::new(), 1),
        (one.clone(), 2),
        (format!("{one}quorum W2\n"), 2),
        (format!("{one}quorum W1\nquorum W1\n"), 3),
        (format!("{one}witness W2 {log}\nquorum W1\n"), 2),
        (format!("{one}witness W1 {}\nquorum W1\n", key(2).verifier()), 2),
        (format!("{one}group g 2 W1\nquorum g\n"), 2),
        (format!("{one}group g 0 W1\nquorum g\n"), 2),
        (format!("{one}group g any W1\ngroup h any W1\nquorum g\n"), 3),
        (format!("{one}group g any W1\nquorum W1\n"), 3),
        (format!("{one}group none any W1\nquorum none\n"), 2),
        (format!("{one}group g any\nquorum g\n"), 2),
        ("witness W1 nonsense\n".to_owned(), 1),
        ("says nothing\n".to_owned(), 1),
    ] {
        assert_eq!(Policy::parse(&text).map_err(|error| error.line), Err(line), "{text}");
    }
    let policy = Policy::parse(&format!("# who\n\nlog {log} https://log.example\n{one}quorum W1 # enough\n"));
    assert_eq!(policy.expect("a policy").logs()[0].url.as_deref(), Some("https://log.example"));
}
