use std::env;

use serde_json::json;

use super::*;
use crate::{local::random_hex, submission::outcome::Effect};

/// A folder that goes when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(env::temp_dir().join(format!("toguna-outbox-{}", random_hex(6))))
    }

    fn open(&self) -> Result<Outbox> {
        Outbox::open(&self.0, "local", false, Language::En)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(id: &str) -> Entry {
    Entry {
        request_id: id.to_owned(),
        fingerprint: format!("content of {id}"),
        organisation: "partners/x".to_owned(),
        file: "x.csv".to_owned(),
        line: 2,
        rpc: "s/m".to_owned(),
        request: json!({ "name": "partners/x" }),
    }
}

fn done() -> Outcome {
    Outcome::Done(Effect { etag: "\"1\"".to_owned(), ..Effect::default() })
}

#[test]
fn what_was_entered_and_answered_is_there_again() {
    let folder = Folder::new();
    let mut outbox = folder.open().expect("it opens");
    outbox.enter(vec![entry("a"), entry("b")]).expect("it is entered");
    outbox.enter(vec![entry("c")]).expect("it is entered");
    outbox.note("content of a", &done()).expect("it is noted");
    outbox.note("content of b", &Outcome::Waiting { text: "the line is down".to_owned() }).expect("it is noted");
    drop(outbox);
    let outbox = folder.open().expect("it opens again");
    assert_eq!(outbox.outcome("content of a"), Some(&done()));
    assert_eq!(outbox.same("content of b"), Some(&entry("b")));
    assert_eq!(outbox.with_id("partners/x", "c"), Some(&entry("c")));
    assert_eq!(outbox.with_id("partners/y", "c"), None, "an id belongs to an organisation");
    assert_eq!(outbox.unanswered("partners/x"), [&entry("b"), &entry("c")]);
}

#[test]
fn an_answer_that_was_cut_short_is_none_and_spoils_no_other() {
    let folder = Folder::new();
    let mut outbox = folder.open().expect("it opens");
    outbox.note("a", &done()).expect("it is noted");
    outbox.note("b", &done()).expect("it is noted");
    drop(outbox);
    let answers = folder.0.join("answers.jsonl");
    let bytes = fs::read(&answers).expect("answers");
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    for cut in first..bytes.len() {
        fs::write(&answers, &bytes[..cut]).expect("it can be cut");
        let mut outbox = folder.open().expect("it opens");
        assert!(outbox.outcome("a").is_some() && outbox.outcome("b").is_none(), "cut at {cut}");
        outbox.note("c", &done()).expect("it is noted");
        drop(outbox);
        assert!(folder.open().expect("it opens").outcome("c").is_some(), "cut at {cut}");
    }
}

#[test]
fn rows_that_were_not_written_whole_were_never_entered() {
    let folder = Folder::new();
    drop(folder.open().expect("it opens"));
    fs::write(folder.0.join("rows/0.unfinished"), b"{\"version\":1").expect("it can be written");
    assert!(folder.open().expect("it opens").unanswered("partners/x").is_empty());
}

#[test]
fn two_programs_never_work_with_one_outbox() {
    let folder = Folder::new();
    let _first = folder.open().expect("it opens");
    let second = folder.open().expect_err("it is taken");
    assert!(second.to_string().contains("another `toguna submit`"), "{second}");
}

#[test]
fn rows_for_one_deployment_are_not_sent_to_another() {
    let folder = Folder::new();
    let mut outbox = folder.open().expect("it opens");
    outbox.enter(vec![entry("a")]).expect("it is entered");
    drop(outbox);
    let open = |moved| Outbox::open(&folder.0, "https://elsewhere", moved, Language::En);
    let refused = open(false).expect_err("another deployment");
    assert!(refused.to_string().contains("--moved"), "{refused}");
    assert_eq!(open(true).expect("the same under another address").unanswered("partners/x").len(), 1);
    assert!(open(false).is_ok(), "it need not be said again");
}
