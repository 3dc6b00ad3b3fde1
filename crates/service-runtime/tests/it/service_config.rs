//! The service config that clients of gRPC load says something of each method, and lets no call be sent twice that may
//! have an effect twice.

use std::collections::{BTreeMap, HashSet};

use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use serde_json::Value;

/// `toguna.log.v1.LogService/GetLog`, and what the descriptors say of it: whether it is a command, and the rest.
fn methods() -> BTreeMap<String, (bool, MethodDescriptorProto)> {
    let set: FileDescriptorSet = prost::Message::decode(contracts::DESCRIPTORS).expect("descriptors");
    let files = || set.file.iter().filter(|file| file.package().starts_with("toguna."));
    let commands: HashSet<String> = files()
        .flat_map(|file| file.message_type.iter().map(move |message| (file.package(), message)))
        .filter(|(_, message)| message.field.iter().any(|field| field.name() == "request_id"))
        .map(|(package, message)| format!(".{package}.{}", message.name()))
        .collect();
    let mut methods = BTreeMap::new();
    for file in files() {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                methods.insert(name, (commands.contains(method.input_type()), method.clone()));
            }
        }
    }
    methods
}

/// What the file says of each method; none twice.
fn configured() -> BTreeMap<String, Value> {
    let config: Value = serde_json::from_str(include_str!("../../../../deploy/service-config.json")).expect("JSON");
    let mut methods = BTreeMap::new();
    for entry in config["methodConfig"].as_array().expect("a list") {
        for name in entry["name"].as_array().expect("names") {
            let text = |key: &str| name[key].as_str().expect("a text").to_owned();
            let name = format!("{}/{}", text("service"), text("method"));
            assert!(methods.insert(name.clone(), entry.clone()).is_none(), "{name} stands there twice");
        }
    }
    methods
}

#[test]
fn the_service_config_names_every_method_and_no_other() {
    let (there, said): (Vec<_>, Vec<_>) = (methods().into_keys().collect(), configured().into_keys().collect());
    assert_eq!(there, said);
}

#[test]
fn only_what_has_one_effect_or_none_is_sent_again_and_only_where_it_was_not_taken() {
    let configured = configured();
    for (name, (is_command, method)) in methods() {
        let config = &configured[&name];
        let reads = ["Get", "List", "BatchGet", "Replay"].iter().any(|verb| method.name().starts_with(verb));
        match &config["retryPolicy"] {
            Value::Null => assert!(!is_command && !reads, "{name} can safely be sent again"),
            policy => {
                assert!(is_command || reads, "{name} may have an effect twice");
                assert_eq!(policy["retryableStatusCodes"], serde_json::json!(["UNAVAILABLE"]), "{name}");
            }
        }
        // What the services ask for: a deadline of at most a minute, where the answer is no stream.
        match config["timeout"].as_str() {
            None => assert!(method.server_streaming(), "{name} needs a deadline"),
            Some(timeout) => {
                let seconds: u32 = timeout.trim_end_matches('s').parse().expect("whole seconds");
                assert!(!method.server_streaming() && (1..=60).contains(&seconds), "{name}: {timeout}");
            }
        }
    }
}
