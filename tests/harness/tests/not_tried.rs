//! What was not tried is seen by whoever runs the tests, though the test passes.

use std::{
    env, fs,
    process::{Command, Output},
};

const WHAT: &str = "a_test_that_lacks_what_it_needs";

#[test]
#[ignore = "the tests below run it"]
fn a_test_that_lacks_what_it_needs() {
    harness::not_tried("a client in a language", "its compiler is not here");
}

/// Runs the test above as anybody runs tests.
fn run(variable: &str, value: &str) -> Output {
    let mut tests = Command::new(env::current_exe().expect("a program"));
    tests.args(["--ignored", "--exact", WHAT]).env_remove("TOGUNA_NOT_TRIED").env_remove("TOGUNA_TRY_ALL");
    tests.env(variable, value).output().expect("it runs")
}

#[test]
fn what_a_passing_test_did_not_try_is_shown_and_kept() {
    let file = env::temp_dir().join(format!("toguna-not-tried-{}", std::process::id()));
    let outputs = [1, 2].map(|_| run("TOGUNA_NOT_TRIED", &file.to_string_lossy()));
    let kept = fs::read_to_string(&file).expect("it is kept");
    fs::remove_file(file).expect("it can be removed");
    let notice = "not tried: a client in a language: its compiler is not here\n";
    assert_eq!(kept, notice.repeat(2), "each run adds to it");
    for output in outputs {
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(notice), "{output:?}");
    }
}

#[test]
fn where_everything_must_be_tried_it_fails() {
    let output = run("TOGUNA_TRY_ALL", "1");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("its compiler is not here"), "{output:?}");
}
