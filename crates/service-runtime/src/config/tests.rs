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

fn published(folder: &Folder, origin: &str, names: &str) -> HashMap<&'static str, String> {
    let key = |name: &str, seed: u8| {
        let key = transparency::SigningKey::new(name, transparency::KeyKind::Note, &[seed; 32]);
        key.expect("the name of a key")
    };
    let witness = transparency::SigningKey::new(&format!("{names}w"), transparency::KeyKind::Cosigner, &[3; 32]);
    let witness = witness.expect("the name of a key");
    let policy = format!("witness w {} http://127.0.0.1:1/\nquorum w\n", witness.verifier());
    let mut variables = complete(folder);
    variables.extend([
        ("TOGUNA_PUBLICATION_DIR", folder.0.display().to_string()),
        ("TOGUNA_LOG_ORIGIN", origin.into()),
        ("TOGUNA_SIGNER_URL", "http://127.0.0.1:2".into()),
        ("TOGUNA_SUBMISSION_KEY", folder.file("submission.key", &key(&format!("{names}s"), 1).to_secret_text())),
        ("TOGUNA_LOG_KEY", folder.file("log.vkey", &format!("{}\n", key("any", 2).verifier()))),
        ("TOGUNA_WITNESS_POLICY", folder.file("policy", &policy)),
    ]);
    variables
}

#[test]
fn a_log_is_published_where_all_of_it_is_said_and_not_where_nothing_is() {
    let folder = Folder::new("published");
    assert!(read(&complete(&folder)).expect("nothing is missing").publication.is_none());
    let config = read(&published(&folder, "toguna.example.org", "ministry.example/")).expect("nothing is missing");
    assert_eq!(config.publication.expect("it is said").folder(), folder.0);
    assert!(!config.log_is_public);
}

#[test]
fn what_is_said_of_publication_by_halves_or_wrongly_is_told() {
    let folder = Folder::new("half-published");
    let problems = |variables: &HashMap<_, _>| read(variables).expect_err("something is wrong").0;
    let whole = published(&folder, "toguna.example.org", "ministry.example/");
    let mut half = complete(&folder);
    half.insert("TOGUNA_LOG_ORIGIN", whole["TOGUNA_LOG_ORIGIN"].clone());
    let told = problems(&half);
    assert_eq!(told.len(), 5, "{told:?}");
    for name in ["TOGUNA_PUBLICATION_DIR", "TOGUNA_SIGNER_URL", "TOGUNA_SUBMISSION_KEY", "TOGUNA_WITNESS_POLICY"] {
        assert!(told.iter().any(|problem| problem.starts_with(&format!("{name}: set "))), "{name} in {told:?}");
    }
    for (name, wrong, says) in [
        ("TOGUNA_LOG_ORIGIN", "https://toguna.example.org/".to_owned(), "without a scheme"),
        ("TOGUNA_SIGNER_URL", "ftp://signer".into(), "begins with http://"),
        ("TOGUNA_LOG_KEY", folder.file("none.vkey", ""), "no key of the log"),
        ("TOGUNA_SUBMISSION_KEY", folder.file("wrong.key", "PRIVATE+KEY+x"), "file of keys"),
        ("TOGUNA_WITNESS_POLICY", folder.file("wrong-policy", "quorum w\n"), "policy is none: line 1"),
    ] {
        let mut variables = whole.clone();
        variables.insert(name, wrong);
        let told = problems(&variables);
        assert!(told.len() == 1 && told[0].contains(says), "{says} in {told:?}");
    }
}

#[test]
fn keys_of_a_local_stack_sign_for_no_other_deployment() {
    let folder = Folder::new("demo-keys");
    let names = "toguna.localhost/demo-";
    assert!(read(&published(&folder, "toguna.localhost", names)).is_ok());
    let ConfigError(told) = read(&published(&folder, "toguna.example.org", names)).expect_err("demo keys");
    assert!(told.len() == 1 && told[0].contains("prove nothing"), "{told:?}");
}
