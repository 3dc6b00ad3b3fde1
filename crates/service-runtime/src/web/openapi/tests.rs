use std::{collections::BTreeSet, fs, path::PathBuf};

use super::*;

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

/// The document of every service of ours.
fn of_all() -> Value {
    let names: Vec<String> = schema::all().services().map(|service| service.full_name().to_owned()).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.starts_with("toguna.")).collect();
    names.sort_unstable();
    document(&names)
}

/// Written anew with `TOGUNA_WRITE=1 cargo test -p service-runtime openapi`.
#[test]
fn the_committed_document_says_what_the_protos_say() {
    let written = serde_json::to_string_pretty(&of_all()).expect("it is JSON") + "\n";
    if std::env::var_os("TOGUNA_WRITE").is_some() {
        fs::write(committed(), &written).expect("docs can be written");
    }
    let told = fs::read_to_string(committed()).unwrap_or_default();
    assert!(told == written, "docs/openapi.json: TOGUNA_WRITE=1 cargo test -p service-runtime openapi writes it anew");
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_described() {
    let document = of_all();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 100, "the references were looked for in the wrong place");
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        assert!(schema["description"].as_str().is_some_and(|told| !told.is_empty()), "{name}");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["description"].as_str().is_some_and(|told| !told.is_empty()), "{name}.{field}");
        }
    }
    for (path, calls) in document["paths"].as_object().expect("paths") {
        for (_, call) in calls.as_object().expect("calls") {
            assert!(call["description"].as_str().is_some_and(|told| !told.is_empty()), "{path}");
        }
    }
}

#[test]
fn what_a_request_must_be_is_said_as_far_as_json_schema_can() {
    let document = of_all();
    let schemas = &document["components"]["schemas"];
    let sign = &schemas["toguna.disbursements.v1.SignContractRequest"];
    let required: Vec<&str> = sign["required"].as_array().expect("some").iter().filter_map(Value::as_str).collect();
    assert_eq!(required, ["requestId", "name", "decision", "title", "implementer", "fundShare"]);
    let fields = &sign["properties"];
    assert_eq!(fields["requestId"]["format"], "uuid");
    assert_eq!(fields["name"]["pattern"], "^(contracts)/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
    assert_eq!(fields["agreements"]["maxItems"], 100);
    assert_eq!(fields["reference"]["maxLength"], 64);
    let on_behalf_of = &schemas["toguna.log.v1.Act"]["properties"]["onBehalfOf"];
    assert!(on_behalf_of["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^$|^(partners)/")));
    let line = &schemas["toguna.log.v1.Act"]["properties"]["reason"]["pattern"];
    assert!(line.as_str().is_some_and(|line| line.contains(r"\u202A-\u202E") && !line.contains(r"\x")), "{line}");
    assert_eq!(schemas["toguna.partnerships.events.v1.Delay"]["properties"]["days"]["maximum"], 36_500);
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn every_call_has_a_path_and_a_replay_has_its_query() {
    let document = of_all();
    let paths = document["paths"].as_object().expect("paths");
    let calls = schema::all().services().filter(|service| service.full_name().starts_with("toguna."));
    for method in calls.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        assert_eq!(paths.contains_key(&path), !method.is_server_streaming(), "{path}");
    }
    let query = document["paths"][replay::PATH]["get"]["parameters"].as_array().expect("parameters");
    let names: Vec<&str> = query.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert!(names.contains(&"resume_token") && names.contains(&"filter.stream"), "{names:?}");
}
