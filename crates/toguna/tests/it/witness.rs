//! A witness as logs and its operator meet it: over HTTP, and by what it keeps in its folder.

mod place;
mod tree;

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use place::{Answer, Folder, Served, json, refusal};
use serde_json::{Value, json as value};
use transparency::{KeyKind, Note, SigningKey, VerifierKey};
use tree::Log;

const NAME: &str = "witness.example/w1";
const ORIGIN: &str = "log.example/payments";

/// A new witness that knows a log of eight entries.
fn witness() -> (Folder, PathBuf, Log) {
    let folder = Folder::new();
    let (store, log) = (folder.join("store"), Log::new(ORIGIN, 8));
    json(&store, &["witness", "init", "--name", NAME]);
    json(&store, &["witness", "add-log", ORIGIN, "--trust", &log.verifier_key()]);
    (folder, store, log)
}

fn status(store: &Path) -> Value {
    json(store, &["witness", "status"])
}

/// The page of what was signed last.
fn page(store: &Path) -> String {
    format!("/{}/checkpoint", status(store)["logs"][0]["id"].as_str().expect("a log has an id"))
}

/// Whether an answer is one line of the witness's, over what the log said.
fn is_cosigned(store: &Path, answer: &Answer, text: &str) -> bool {
    let key = status(store)["verifier_key"].as_str().expect("a witness has a key").parse();
    let key: VerifierKey = key.expect("it is a key");
    let note = format!("{text}\n{}", answer.body);
    let note = Note::parse(note.as_bytes()).expect("it is a note");
    answer.status == 200 && note.verify(&[key]).is_ok_and(|lines| lines.len() == 1)
}

#[test]
fn a_witness_signs_what_only_grew_and_tells_what_it_signed_last() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    assert_eq!(served.ask("GET", &page(&store), "").status, 404, "nothing is signed yet");
    for (old, size) in [(0, 3), (3, 3), (3, 7), (7, 8)] {
        let answer = served.add(&log.request(old, size));
        assert!(is_cosigned(&store, &answer, &log.text(size)), "{old} to {size}: {answer:?}");
        let last = served.ask("GET", &page(&store), "");
        assert_eq!((last.status, last.body.as_str()), (200, &*format!("{}{}", log.note(size), answer.body)));
    }
    let told = status(&store);
    assert_eq!(told["logs"][0]["size"], 8);
    assert_eq!(told["logs"][0]["root"], log.text(8).lines().nth(2).expect("a root"));
    assert_eq!(told["logs"][0]["refused"], value!([]));
    assert!(told["served"].as_str().is_some_and(|by| by.starts_with(&served.address.to_string())), "{told}");
}

#[test]
fn an_empty_tree_is_signed_too_and_grows_from_there() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    for (old, size) in [(0, 0), (0, 0), (0, 5)] {
        let answer = served.add(&log.request(old, size));
        assert!(is_cosigned(&store, &answer, &log.text(size)), "{old} to {size}: {answer:?}");
    }
}

#[test]
fn who_asks_from_another_size_is_told_the_one_that_was_signed() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    let told = |answer: Answer| (answer.status, answer.content_type, answer.body);
    assert_eq!(told(served.add(&log.request(2, 4))), (409, "text/x.tlog.size".to_owned(), "0\n".to_owned()));
    assert_eq!(served.add(&log.request(0, 5)).status, 200);
    for old in [0, 4] {
        assert_eq!(told(served.add(&log.request(old, 6))), (409, "text/x.tlog.size".to_owned(), "5\n".to_owned()));
    }
    assert_eq!(told(served.add(&log.request(3, 4))).0, 409, "nor does it go back");
    assert_eq!(served.add(&log.request(5, 6)).status, 200);
}

#[test]
fn what_is_malformed_unknown_or_signed_by_nobody_that_it_trusts_gets_no_signature() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    let stranger = Log::new("log.example/other", 8);
    let mut forged = Log::new(ORIGIN, 8);
    forged.key = stranger.key.clone();
    let good = log.request(0, 4);
    let damaged = good.replace("\n4\n", "\n5\n");
    for (what, request, status) in [
        ("nothing", String::new(), 400),
        ("no request", "old 0\n".to_owned(), 400),
        ("a size with a zero before it", good.replacen("old 0", "old 00", 1), 400),
        ("an old size beyond the new one", good.replacen("old 0", "old 5", 1), 400),
        ("another origin", stranger.request(0, 4), 404),
        ("the key of somebody else", forged.request(0, 4), 403),
        ("a note that was changed", damaged, 403),
        ("a proof where none is due", good.replacen("old 0\n", &format!("old 0\n{}\n", root_line(&log)), 1), 422),
        ("too much", "x".repeat(70_000), 413),
    ] {
        let answer = served.add(&request);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert!(!answer.body.contains('\u{2014}'), "{what}: {answer:?}");
    }
    assert_eq!(served.ask("GET", "/add-checkpoint", "").status, 405);
    assert_eq!(served.ask("GET", "/", "").status, 404);
    assert_eq!(served.ask("GET", "/../../keys/witness", "").status, 404);
    assert_eq!(served.ask("GET", &page(&store), "").status, 404, "nothing was signed");
}

fn root_line(log: &Log) -> String {
    log.text(4).lines().nth(2).expect("a root").to_owned()
}

#[test]
fn a_fork_is_refused_and_kept_with_what_was_known() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    assert_eq!(served.add(&log.request(0, 6)).status, 200);
    let known = served.ask("GET", &page(&store), "").body;
    let fork = log.forked(2);
    for (what, request, status) in [
        ("grown from another history", fork.request(6, 8), 422),
        ("another history of the same size", fork.request(6, 6), 422),
        ("the same tried again", fork.request(6, 6), 422),
    ] {
        assert_eq!(served.add(&request).status, status, "{what}");
    }
    let told = status_of_one(&store);
    let refused = told["refused"].as_array().expect("refusals");
    assert_eq!(refused.len(), 2, "each once: {told}");
    for (refused, request) in refused.iter().zip([fork.request(6, 8), fork.request(6, 6)]) {
        let file = fs::read(refused["file"].as_str().expect("a file")).expect("it is there");
        let file: Value = serde_json::from_slice(&file).expect("it is JSON");
        assert_eq!((&file["origin"], &file["status"]), (&value!(ORIGIN), &value!(422)));
        assert_eq!((&file["request"], &file["known"]), (&value!(request), &value!(known)), "byte by byte");
    }
    assert_eq!(served.ask("GET", &page(&store), "").body, known, "what was signed stays");
    assert_eq!(served.add(&log.request(6, 8)).status, 200, "and the log itself goes on");
}

fn status_of_one(store: &Path) -> Value {
    status(store)["logs"][0].clone()
}

#[test]
fn of_many_histories_sent_at_once_one_is_signed() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    assert_eq!(served.add(&log.request(0, 2)).status, 200);
    let histories: Vec<Log> = (2..8).map(|at| log.forked(at)).collect();
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let ask = |log: &Log| (served.add(&log.request(2, 8)).status, log.text(8));
        let asked: Vec<_> = histories.iter().map(|log| scope.spawn(move || ask(log))).collect();
        asked.into_iter().map(|asked| asked.join().expect("it answers")).collect()
    });
    let signed: Vec<&String> = answers.iter().filter(|(status, _)| *status == 200).map(|(_, text)| text).collect();
    assert_eq!(signed.len(), 1, "{answers:?}");
    assert!(served.ask("GET", &page(&store), "").body.starts_with(signed[0]));
}

#[test]
fn a_witness_that_is_killed_after_it_has_written_and_before_it_has_answered_signs_no_other_history() {
    let (_folder, store, log) = witness();
    let id = status_of_one(&store)["id"].as_str().expect("a log has an id").to_owned();
    let state = store.join("state").join(&id);
    let fork = log.forked(2);
    let mut served = Served::start(&store);
    assert_eq!(served.add(&log.request(0, 4)).status, 200);
    // The answer is never read: the file tells when it is written.
    let _unread = served.send("POST", "/add-checkpoint", &log.request(4, 6));
    let begun = Instant::now();
    while !fs::read_to_string(&state).expect("it was signed").starts_with(&log.text(6)) {
        assert!(begun.elapsed() < Duration::from_mins(1), "it does not sign");
        std::thread::yield_now();
    }
    served.kill();
    // A crash while it writes leaves this behind.
    fs::write(state.with_file_name(format!("{id}.unfinished")), "log.exam").expect("it can be written");
    let served = Served::start(&store);
    assert_eq!(served.add(&fork.request(4, 6)).body, "6\n", "what was written counts as signed");
    assert_eq!(served.add(&fork.request(6, 6)).status, 422);
    assert!(is_cosigned(&store, &served.add(&log.request(6, 6)), &log.text(6)), "the same again is signed again");
    assert!(is_cosigned(&store, &served.add(&log.request(6, 8)), &log.text(8)));
}

#[test]
fn two_processes_never_serve_one_store() {
    let (_folder, store, _) = witness();
    let mut served = Served::start(&store);
    let told = refusal(&store, &["witness", "serve", "--listen", "127.0.0.1:0"]);
    assert!(told.contains("served already") && told.contains(&served.address.to_string()), "{told}");
    served.kill();
    Served::start(&store);
}

#[test]
fn a_store_whose_memory_is_lost_is_not_served() {
    let (_folder, store, log) = witness();
    let mut served = Served::start(&store);
    assert_eq!(served.add(&log.request(0, 4)).status, 200);
    served.kill();
    let (state, aside) = (store.join("state"), store.join("aside"));
    let is_refused = || {
        let told = refusal(&store, &["witness", "serve", "--listen", "127.0.0.1:0"]);
        assert!(told.contains("is missing") && told.contains("retire the name") && told.contains(NAME), "{told}");
        assert!(refusal(&store, &["witness", "status"]).contains("is missing"));
    };
    fs::rename(&state, &aside).expect("it can be moved");
    is_refused();
    fs::create_dir(&state).expect("it can be made");
    is_refused();
    fs::remove_dir(&state).expect("it is empty");
    fs::rename(&aside, &state).expect("it can be moved back");
    let served = Served::start(&store);
    assert_eq!(served.add(&log.request(4, 8)).status, 200);
}

#[test]
fn a_signer_signs_with_the_logs_key_what_its_service_has_signed() {
    let folder = Folder::new();
    let store = folder.join("store");
    json(&store, &["witness", "init", "--signer"]);
    let served = Served::start(&store);
    let mut log = Log::new("log.example/payments/0123", 8);
    log.key = SigningKey::new("service.example/submission", KeyKind::Note, &[7; 32]).expect("it is a name");
    assert_eq!(served.add(&log.request(0, 4)).status, 404, "it does not know the log yet");
    let key = json(&store, &["witness", "add-key", "payments"])["verifier_key"].clone();
    let added = json(&store, &["witness", "add-log", &log.origin, "--trust", &log.verifier_key(), "--key", "payments"]);
    let own: VerifierKey = added["verifier_keys"][0].as_str().expect("a key").parse().expect("it is a key");
    assert_eq!(own.name(), log.origin);
    assert_eq!(key.as_str().and_then(|key| key.rsplit('+').next()), own.to_string().rsplit('+').next());
    let answer = served.add(&log.request(0, 4));
    assert_eq!(answer.status, 200, "what is added while it runs counts at once: {answer:?}");
    let note = format!("{}\n{}", log.text(4), answer.body);
    let note = Note::parse(note.as_bytes()).expect("it is a note");
    assert!(note.verify(&[own]).is_ok_and(|lines| lines.len() == 1), "{answer:?}");
    assert_eq!(served.add(&log.forked(1).request(4, 8)).status, 422);
    assert_eq!(served.add(&log.request(4, 8)).status, 200);
}

#[test]
fn who_sends_slowly_keeps_nobody_waiting() {
    let (_folder, store, log) = witness();
    let served = Served::start(&store);
    let mut slow: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(served.address).expect("it listens");
            stream
                .write_all(b"POST /add-checkpoint HTTP/1.1\r\nhost: witness\r\ncontent-length: 900\r\n\r\nold")
                .expect("it reads");
            stream
        })
        .collect();
    assert_eq!(served.add(&log.request(0, 8)).status, 200);
    let mut answer = String::new();
    slow[0].read_to_string(&mut answer).expect("it is told at last");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[test]
fn keys_are_read_by_their_owner_alone_and_never_made_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, store, _) = witness();
    let key = fs::read(store.join("keys/witness")).expect("there is a key");
    for file in ["keys/witness", "witness.toml"] {
        let mode = fs::metadata(store.join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(refusal(&store, &["witness", "init", "--name", "witness.example/w2"]).contains("already"));
    assert_eq!(fs::read(store.join("keys/witness")).expect("it is there still"), key);
}

#[test]
fn what_does_not_go_together_is_told() {
    let (folder, store, log) = witness();
    let key = log.verifier_key();
    for (arguments, says) in [
        (&["add-log", ORIGIN, "--trust", "log.example+00000000+AAAA"][..], "is no verifier key"),
        (&["add-log", "two\nlines", "--trust", &key], "is no origin"),
        (&["add-log", ORIGIN, "--trust", &key, "--key", "payments"], "a witness has one key"),
        (&["add-key", "payments"], "a witness has one key"),
    ] {
        let told = refusal(&store, &[&["witness"], arguments].concat());
        assert!(told.contains(says), "{arguments:?}: {told}");
    }
    let new = folder.join("new");
    assert!(refusal(&new, &["witness", "init", "--name", "two words"]).contains("is no name of a key"));
    assert!(refusal(&new, &["witness", "status"]).contains("witness init"));
    json(&new, &["witness", "init", "--signer"]);
    assert!(refusal(&new, &["witness", "add-key", "../witness"]).contains("is no short name"));
}
