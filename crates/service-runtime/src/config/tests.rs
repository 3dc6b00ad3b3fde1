use std::collections::HashMap;

use super::*;
use crate::testing::{ANYTHING, Folder, Issuer};

fn issuers(folder: &Folder) -> String {
    folder.issuers(&[("https://id.example", &[&Issuer::new(1)], ANYTHING)]).display().to_string()
}

fn complete(folder: &Folder) -> HashMap<&'static str, String> {
    HashMap::from([
        ("DATABASE_URL", "postgres://owner:hunter2@127.0.0.1/partnerships".into()),
        ("NATS_URL", "nats://user:hunter2@127.0.0.1:4222".into()),
        ("TOGUNA_ISSUERS", issuers(folder)),
        ("TOGUNA_AUDIENCE", "toguna".into()),
        ("TOGUNA_PSEUDONYM_KEY", folder.file("pseudonym.key", &format!("{}\n", "ab".repeat(32)))),
    ])
}

fn read(variables: &HashMap<&'static str, String>) -> Result<Config, ConfigError> {
    Config::read("partnerships", |name| variables.get(name).cloned())
}

#[test]
fn a_complete_environment_is_read() {
    let folder = Folder::new("complete");
    let config = read(&complete(&folder)).expect("nothing is missing");
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
    assert!(config.database_url.expose().ends_with("/partnerships"));
    assert_eq!(config.otlp_endpoint, None);
    assert_eq!(config.ready_file, None);
}

#[test]
fn an_empty_environment_is_told_everything_to_set() {
    let ConfigError(problems) = read(&HashMap::new()).expect_err("everything is missing");
    let names: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap_or_default()).collect();
    let required = ["DATABASE_URL", "NATS_URL", "TOGUNA_ISSUERS", "TOGUNA_AUDIENCE", "TOGUNA_PSEUDONYM_KEY"];
    assert_eq!(names, required);
    assert!(problems.iter().all(|problem| problem.contains(": set ")), "{problems:?}");
}

#[test]
fn every_wrong_setting_is_told_at_once() {
    let folder = Folder::new("wrong");
    let variables = HashMap::from([
        ("TOGUNA_LISTEN", "everywhere".into()),
        ("DATABASE_URL", "mysql://owner:hunter2@127.0.0.1/x".into()),
        ("NATS_URL", "127.0.0.1:4222".into()),
        ("TOGUNA_ISSUERS", folder.file("issuers.toml", "[[issuer]]\niss = 'a'\njwks = 'none.json'")),
        ("TOGUNA_PSEUDONYM_KEY", folder.file("pseudonym.key", "abc")),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4317".into()),
        ("TOGUNA_LOG_FORMAT", "xml".into()),
        ("RUST_LOG", "event_store=loud".into()),
    ]);
    let error = read(&variables).expect_err("all is wrong");
    let text = error.to_string();
    for name in variables.keys().chain(&["TOGUNA_AUDIENCE"]) {
        assert!(text.contains(&format!("\n  {name}: ")), "{name} in {text}");
    }
    assert_eq!(error.0.len(), 12, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::new("missing");
    let mut variables = complete(&folder);
    variables.insert("TOGUNA_ISSUERS", "/nowhere/issuers.toml".into());
    let text = read(&variables).expect_err("it is not there").to_string();
    assert!(text.contains("/nowhere/issuers.toml"), "{text}");
}

#[test]
fn secrets_are_not_printed() {
    let folder = Folder::new("secrets");
    let mut variables = complete(&folder);
    variables.insert("TOGUNA_PSEUDONYM_KEY", folder.file("pseudonym.key", &"a9".repeat(32)));
    let printed = format!("{:?}", read(&variables).expect("nothing is missing"));
    assert!(!printed.contains("hunter2") && !printed.contains("a9a9") && !printed.contains("169, 169"), "{printed}");
}

#[test]
fn a_key_is_thirty_two_bytes_of_hexadecimal() {
    assert_eq!(key_from_hex(&"0f".repeat(32)), Some([15; 32]));
    for text in ["", "0f", &"0f".repeat(33), &"zz".repeat(32), &"+f".repeat(32), &"é".repeat(32)] {
        assert_eq!(key_from_hex(text), None, "{text}");
    }
}
