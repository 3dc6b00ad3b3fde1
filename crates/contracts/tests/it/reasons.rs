//! Every reason is given somewhere: a reason that no program names is a promise that nobody keeps.

use std::{collections::BTreeMap, fs, path::Path};

use contracts::reasons::REASONS;

use crate::{none, root};

/// Where the reasons of a package are given, where that is not the crate of the same name.
const ELSEWHERE: &[(&str, &str)] = &[("toguna.errors.v1", ""), ("toguna.operations.v1", "service-runtime")];

#[test]
fn every_reason_is_given_by_some_program() {
    let mut silent = Vec::new();
    let mut read: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for reason in REASONS {
        let service = reason.package.split('.').nth(1).expect("toguna.<service>.v1");
        let krate =
            ELSEWHERE.iter().find(|(package, _)| *package == reason.package).map_or(service, |(_, krate)| krate);
        let programs = read.entry(krate).or_insert_with(|| programs(&root().join("crates").join(krate)));
        if !programs.iter().any(|code| gives(code, &variant(reason.name))) {
            silent.push(format!("{}.{}", reason.package, reason.name));
        }
    }
    none("a reason is given by no program", &silent);
}

/// The code of a crate, or of all of them, without tests.
fn programs(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "target", "contracts"].contains(&name.as_str()) {
            found.extend(programs(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            let code = fs::read_to_string(&path).expect("text");
            // Tests at the end of a file give nothing to callers.
            found.push(code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
    found
}

/// Whether code names a variant of an `ErrorReason`, under whatever name it imports that.
fn gives(code: &str, variant: &str) -> bool {
    let imported = code.split("ErrorReason as ").skip(1).filter_map(|rest| rest.split([',', '}', ';']).next());
    let mut names: Vec<&str> = imported.map(str::trim).collect();
    names.push("ErrorReason");
    names.iter().any(|name| {
        let used = format!("{name}::{variant}");
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        code.match_indices(&used).any(|(at, _)| ends(&code[at + used.len()..]))
    })
}

fn variant(screaming: &str) -> String {
    let word = |word: &str| format!("{}{}", &word[..1], word[1..].to_lowercase());
    screaming.split('_').map(word).collect()
}

#[test]
fn a_reason_that_is_only_part_of_another_is_not_given() {
    let code = "use x::{v1::ErrorReason as AnyService};\n AnyService::NotFound.reason(); ErrorReason::PlanExists";
    assert!(gives(code, "NotFound") && gives(code, "PlanExists"));
    assert!(!gives(code, "Not") && !gives(code, "Plan") && !gives("NotFound", "NotFound"));
    assert_eq!(variant("ACTS_FOR_ANOTHER"), "ActsForAnother");
}
