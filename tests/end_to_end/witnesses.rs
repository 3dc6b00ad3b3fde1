//! The signer of the stack's logs and its three witnesses: what they have signed of what the services recorded.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::stack::Stack;

/// The logs of the stack.
const LOGS: [&str; 3] = ["commitments", "disbursements", "partnerships"];

/// How long a second's work may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// What one of them has signed of each log, by the log's name.
fn signed(stack: &Stack, store: &str) -> BTreeMap<String, Value> {
    let store = stack.home().join("witnesses").join(store);
    let status = stack.json(&["witness", "status", "--store", store.to_str().expect("a path of text")]);
    assert!(status["served"].is_string() && status["trouble"].is_null(), "{status}");
    let logs = status["logs"].as_array().expect("logs").iter();
    let name = |log: &Value| log["origin"].as_str().and_then(|it| it.split('/').nth(1)).expect("an origin").to_owned();
    logs.map(|log| (name(log), log.clone())).collect()
}

#[tokio::test]
async fn all_that_was_recorded_is_signed_by_the_log_and_by_the_witnesses_of_the_governments() {
    let stack = Stack::shared().await;
    let status = stack.json(&["log", "status"]);
    let begun = Instant::now();
    for store in ["signer", "witness-es", "witness-ml", "witness-sn"] {
        for log in LOGS {
            let head = status[log]["head"].as_u64().expect("a head");
            let entry = loop {
                let entry = signed(stack, store)[log].clone();
                if entry["size"].as_u64().is_some_and(|size| size >= head) {
                    break entry;
                }
                assert!(begun.elapsed() < LIMIT, "{store} has not signed {head} of {log}: {entry}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            assert_eq!(entry["refused"], Value::Array(Vec::new()), "{store} never saw another history of {log}");
        }
    }
}

#[tokio::test]
async fn the_summary_says_how_much_is_witnessed_and_what_the_policy_withstands() {
    let stack = Stack::shared().await;
    let begun = Instant::now();
    let told = loop {
        let told = stack.told_by("up");
        if told.contains("Try, in another terminal:") {
            break told;
        }
        assert!(begun.elapsed() < LIMIT, "the summary is not written: {told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let line = |begin: &str| told.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{told}"));
    let signed = line("Events that the witnesses have signed: ");
    for log in LOGS {
        let extent = signed.split([':', ',', '.']).find_map(|part| part.trim().strip_prefix(log)).expect("each log");
        let (size, head) = extent.trim().split_once(" of ").expect("of how many");
        let (size, head): (u64, u64) = (size.parse().expect("a number"), head.parse().expect("a number"));
        assert!(size <= head && head > 0, "{signed}");
    }
    assert!(line("2 of the witnesses es, ml, sn must sign").ends_with("one may be down, none dishonest."), "{told}");
}
