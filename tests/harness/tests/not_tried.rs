//! What was not tried is seen by whoever runs the tests, though the test passes.

use std::{
    env, fs,
    process::{Command, Output},
};

/// Set for a run of a test that is to lack what it needs.
const LACKING: &str = "TOGUNA_TEST_LACKING";
const NOTICE: &str = "not tried: a client in a language: its compiler is not here\n";

/// Says so where this run is one that lacks something.
fn lacks() -> bool {
    let lacks = env::var_os(LACKING).is_some();
    if lacks {
        harness::not_tried("a client in a language", "its compiler\nis not here");
    }
    lacks
}

/// Runs one of these tests as anybody runs tests, lacking something.
fn run(test: &str, variable: &str, value: &str) -> Output {
    let mut tests = Command::new(env::current_exe().expect("a program"));
    tests.args(["--exact", test]).env_remove("TOGUNA_NOT_TRIED").env_remove("TOGUNA_TRY_ALL").env(LACKING, "1");
    tests.env(variable, value).output().expect("it runs")
}

#[test]
fn what_a_passing_test_did_not_try_is_shown_and_kept() {
    if lacks() {
        return;
    }
    let file = env::temp_dir().join(format!("toguna-not-tried-{}", std::process::id()));
    let this = "what_a_passing_test_did_not_try_is_shown_and_kept";
    let outputs = [1, 2].map(|_| run(this, "TOGUNA_NOT_TRIED", &file.to_string_lossy()));
    let kept = fs::read_to_string(&file).expect("it is kept");
    fs::remove_file(file).expect("it can be removed");
    assert_eq!(kept, NOTICE.repeat(2), "each run adds to it");
    for output in outputs {
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(NOTICE), "{output:?}");
    }
}

#[test]
fn where_everything_must_be_tried_it_fails() {
    if lacks() {
        return;
    }
    let output = run("where_everything_must_be_tried_it_fails", "TOGUNA_TRY_ALL", "1");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains(NOTICE), "{output:?}");
}
