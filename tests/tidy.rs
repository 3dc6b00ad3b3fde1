//! The rules of the house, held as tests: who may depend on whom, what stays pure, how large a thing may be, what is
//! named how. ARCHITECTURE.md says why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which of our crates each crate may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("event-sourcing", &[]),
    ("transparency", &[]),
    ("contracts", &[]),
    ("figures", &["contracts"]),
    ("event-store", &["event-sourcing", "transparency", "contracts"]),
    ("service-runtime", &["contracts", "transparency", "event-store"]),
    ("partnerships", &["event-sourcing", "contracts", "event-store", "service-runtime"]),
    ("commitments", &["event-sourcing", "contracts", "event-store", "service-runtime"]),
    ("disbursements", &["event-sourcing", "contracts", "event-store", "service-runtime"]),
    ("oversight", &["event-sourcing", "contracts", "figures", "event-store", "service-runtime"]),
    ("toguna", &["contracts", "transparency", "figures"]),
];

/// It judges the others from the outside, and shares no code with them.
const CHECKER: (&str, &[&str]) = ("checker", &[]);

/// Words that say how a thing works instead of what it is.
const BANNED: &[&str] = &["manager", "helper", "helpers", "util", "utils", "common", "handler", "processor", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root is there")
}

/// Every Rust file of the workspace, with its path from the root and its text.
fn rust_files() -> Vec<(String, String)> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort();
    assert!(files.len() > 50, "the files were looked for in the wrong place");
    files
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

/// Fails with all that was found, a line each.
fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// Each of our crates, with the names of what it depends on to be built (not to be tested).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    packages
        .iter()
        .map(|package| {
            let built = package["dependencies"].as_array().expect("dependencies").iter();
            let built =
                built.filter(|dependency| dependency["kind"].is_null()).map(|dependency| text(&dependency["name"]));
            (text(&package["name"]), built.collect())
        })
        .collect()
}

#[test]
fn crates_use_only_what_the_architecture_lets_them() {
    let ours: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let mut found = Vec::new();
    for (name, used) in dependencies().iter().filter(|(name, _)| !["tests", "harness"].contains(&name.as_str())) {
        let Some((_, allowed)) = MAY_USE.iter().chain([&CHECKER]).find(|(each, _)| each == name) else {
            found.push(format!("{name} is not in the architecture"));
            continue;
        };
        found.extend(
            used.iter()
                .filter(|used| ours.contains(used.as_str()) && !allowed.contains(&used.as_str()))
                .map(|used| format!("{name} uses {used}")),
        );
    }
    none("a crate uses another that it must not know", &found);
}

#[test]
fn only_the_event_store_knows_nats_and_only_stores_know_sql() {
    let mut found = Vec::new();
    for (name, used) in dependencies() {
        if used.contains("async-nats") && !["event-store", CHECKER.0].contains(&name.as_str()) {
            found.push(format!("{name} names async-nats"));
        }
    }
    for (path, text) in rust_files().iter().filter(|(path, _)| !is_test(path)) {
        let store = path.starts_with("crates/event-store/") || path.contains("/src/projections");
        if !store && names(text, "sqlx") {
            found.push(format!("{path} names sqlx"));
        }
        if !path.starts_with("crates/service-runtime/") && text.contains("Server::builder") {
            found.push(format!("{path} builds a server"));
        }
    }
    none("infrastructure has left its place", &found);
}

/// Whether a text uses a crate.
fn names(text: &str, krate: &str) -> bool {
    code(text).any(|line| {
        line.match_indices(&format!("{krate}::")).any(|(at, _)| {
            !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
        })
    })
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn the_domain_is_pure() {
    let mut found = Vec::new();
    for (path, text) in rust_files().iter().filter(|(path, _)| path.contains("/src/domain") && !is_test(path)) {
        for line in code(text) {
            let used = line.trim_start().trim_start_matches("pub ").strip_prefix("use ");
            let first = used.and_then(|used| used.split([':', ';', ' ', '{']).next());
            let foreign = first.is_some_and(|first| FOREIGN.contains(&first));
            if foreign || IMPURE.iter().any(|impure| line.contains(impure)) {
                found.push(format!("{path}: {}", line.trim()));
            }
        }
    }
    none("a rule of the domain does I/O or knows the outside", &found);
}

/// Crates that a domain must not import.
const FOREIGN: &[&str] = &[
    "sqlx",
    "tonic",
    "prost",
    "tokio",
    "contracts",
    "event_store",
    "service_runtime",
    "async_nats",
    "serde_json",
    "uuid",
    "rand",
    "tracing",
];
/// Words of clocks, chance, files and foreign types.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "new_v4",
    "now_v7",
    "std::fs",
    "std::env",
    "std::net",
    "event_store::",
    "contracts::",
    "sqlx::",
    "tonic::",
    "tokio::",
    "f64",
    "f32",
];

#[test]
fn files_and_functions_stay_small() {
    let mut found = Vec::new();
    for (path, text) in &rust_files() {
        let lines = text.lines().count();
        let limit = match path {
            path if path.ends_with("src/main.rs") => 60,
            path if is_test(path) => 600,
            _ => 400,
        };
        if lines > limit {
            found.push(format!("{path} has {lines} lines, at most {limit}"));
        }
        if !is_test(path) {
            found.extend(
                long_functions(text).map(|(name, lines)| format!("{path}: {name} has {lines} lines, at most 70")),
            );
        }
    }
    none("too large to be read at a sitting", &found);
}

/// Functions of more than 70 lines: from `fn` to the closing brace at the same indentation, as rustfmt sets it.
fn long_functions(text: &str) -> impl Iterator<Item = (String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some((before, name)) = line.trim_start().split_once("fn ") else { continue };
        if !before.split(' ').all(|word| ["", "pub", "pub(crate)", "pub(super)", "async", "const"].contains(&word)) {
            continue;
        }
        let opened = lines[start..].iter().find(|line| line.ends_with('{') || line.ends_with([';', '}']));
        if opened.is_none_or(|line| !line.ends_with('{')) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == closing).unwrap_or(0) + 1;
        if length > 70 {
            found.push((name.split(['(', '<']).next().unwrap_or_default().to_owned(), length));
        }
    }
    found.into_iter()
}

#[test]
fn names_say_what_things_are() {
    let mut found = Vec::new();
    for (path, text) in &rust_files() {
        let stem = path.rsplit('/').next().and_then(|file| file.strip_suffix(".rs")).unwrap_or_default();
        if stem == "mod" || stem.split('_').any(|word| BANNED.contains(&word)) {
            found.push(path.clone());
        }
        for line in code(text) {
            for keyword in ["struct ", "enum ", "trait ", "mod "] {
                let Some(name) = line.trim_start().trim_start_matches("pub ").strip_prefix(keyword) else { continue };
                let name: String = name.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                if words(&name).any(|word| BANNED.contains(&word.as_str())) {
                    found.push(format!("{path}: {keyword}{name}"));
                }
            }
        }
    }
    none("a name says how instead of what", &found);
}

fn words(name: &str) -> impl Iterator<Item = String> {
    let spaced = name.chars().fold(String::new(), |mut spaced, char| {
        if char.is_uppercase() || char == '_' {
            spaced.push(' ');
        }
        spaced.extend(char.to_lowercase().filter(|char| *char != '_'));
        spaced
    });
    spaced.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = rust_files()
        .into_iter()
        .filter(|(path, text)| !text.starts_with("//!") && !path.contains("/tests/") && !path.ends_with("tests.rs"))
        .map(|(path, _)| path)
        .collect();
    none("a module does not begin by saying what it is", &silent);
}

#[test]
fn nothing_is_left_half_done() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("d", "bg!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
    ];
    let found: Vec<String> = rust_files()
        .iter()
        .flat_map(|(path, text)| {
            // A test that another test runs as a process of its own says by which it is run.
            let left =
                code(text).filter(|line| marks.iter().any(|mark| line.contains(mark)) && !line.contains("\"run by "));
            left.map(|line| format!("{path}: {}", line.trim())).collect::<Vec<_>>()
        })
        .collect();
    none("something is left half done", &found);
}

#[test]
fn every_dependency_has_its_reason_and_every_crate_its_lints() {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let (_, dependencies) = manifest.split_once("[workspace.dependencies]").expect("dependencies");
    let (dependencies, _) = dependencies.split_once("\n[").unwrap_or((dependencies, ""));
    // A reason holds for the lines below it, up to an empty line or the next reason.
    let mut reason = false;
    let mut found = Vec::new();
    for line in dependencies.lines() {
        match line.trim() {
            "" => reason = false,
            line if line.starts_with('#') => reason = true,
            line if !reason => found.push(line.to_owned()),
            _ => {}
        }
    }
    for (name, _) in MAY_USE.iter().filter(|(name, _)| *name != "contracts") {
        let manifest = fs::read_to_string(root.join("crates").join(name).join("Cargo.toml")).expect("a manifest");
        if !manifest.contains("[lints]\nworkspace = true") {
            found.push(format!("{name} does not take the lints of the workspace"));
        }
    }
    none("without a reason, or without lints", &found);
}

#[test]
fn every_planted_fault_can_still_be_planted() {
    let root = root();
    let folder = root.join("tests/chaos/planted");
    let patches = fs::read_dir(&folder).expect("planted faults").map(|entry| entry.expect("an entry").path());
    let patches: Vec<PathBuf> = patches.filter(|path| path.extension().is_some_and(|is| is == "patch")).collect();
    assert!(patches.len() >= 6, "the planted faults were looked for in the wrong place");
    let mut found = Vec::new();
    for patch in patches {
        let text = fs::read_to_string(&patch).expect("text");
        let said = ["What: ", "Expect: ", "Faults: ", "Services: ", "Seconds: ", "Runs: "];
        let silent = said.iter().filter(|word| !text.lines().any(|line| line.starts_with(*word)));
        found.extend(silent.map(|word| format!("{} does not say {word:?}", patch.display())));
        let git = Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(&root).output();
        let git = git.expect("git runs");
        if !git.status.success() {
            found.push(format!("{}: {}", patch.display(), String::from_utf8_lossy(&git.stderr).trim()));
        }
    }
    none("a planted fault has no ground any more", &found);
}

#[test]
fn the_map_shows_the_house_as_it_is() {
    let root = root();
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the map");
    let mut found: Vec<String> = MAY_USE
        .iter()
        .filter(|(name, _)| !map.contains(&format!("crates/{name}")))
        .map(|(name, _)| format!("{name} is not on it"))
        .collect();
    for path in map.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
        if !root.join(path).exists() {
            found.push(format!("{path} is not there"));
        }
    }
    none("ARCHITECTURE.md is not true", &found);
}

fn is_path(quoted: &str) -> bool {
    let top = ["crates/", "proto/", "deploy/", "tests/", "docs/", ".ci/"];
    top.iter().any(|top| quoted.starts_with(top)) && !quoted.contains(['<', '*', ' ', '{'])
}

/// Every `module::test` that a text names beside the two that explain the form, with the file that it should be in.
fn named_tests(text: &str) -> Vec<(PathBuf, &str)> {
    let quoted = text.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once("::"));
    let file = |module: &str| {
        let here = if module.contains('/') { "" } else { "event-store/tests/it/" };
        root().join(format!("crates/{here}{module}.rs"))
    };
    quoted.filter(|(_, test)| *test != "test").map(|(module, test)| (file(module), test)).collect()
}

#[test]
fn every_test_that_the_list_of_cases_names_is_there() {
    let text = fs::read_to_string(root().join("docs/cases.md")).expect("the list of cases");
    let named = named_tests(&text);
    assert!(named.len() > 80, "the tests were looked for in the wrong place");
    let holds =
        |file: &Path, test: &str| fs::read_to_string(file).is_ok_and(|found| found.contains(&format!("fn {test}(")));
    let missing = named.iter().filter(|(file, test)| !holds(file, test));
    let missing: Vec<String> = missing.map(|(file, test)| format!("{} holds no {test}", file.display())).collect();
    none("docs/cases.md is not true", &missing);
}
