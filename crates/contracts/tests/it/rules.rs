//! What a request carries has a form that `proto/` declares: nothing in it is longer, more, or of another kind than
//! somebody thought of.

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::{none, pool};

#[test]
fn every_text_list_and_enumeration_of_a_request_has_a_rule() {
    let pool = pool();
    let mut found = Vec::new();
    for message in messages_of_requests(&pool) {
        for field in message.fields() {
            let rules = rules(&pool, &field);
            let (list, one) = match rules.as_ref().and_then(|rules| part(rules, "repeated")) {
                Some(list) if field.is_list() => (Some(list.clone()), part(&list, "items")),
                _ => (None, rules.clone()),
            };
            let counted = list.is_some_and(|list| has(&list, "max_items"));
            if field.is_list() && !counted {
                found.push(format!("{} may have any number of elements", field.full_name()));
            }
            let held = match field.kind() {
                Kind::String => one.as_ref().and_then(|one| part(one, "string")).is_some_and(|text| bounds(&text)),
                Kind::Bytes => one.as_ref().and_then(|one| part(one, "bytes")).is_some(),
                Kind::Enum(_) => {
                    one.as_ref().and_then(|one| part(one, "enum")).is_some_and(|kind| has(&kind, "defined_only"))
                }
                _ => true,
            };
            if !held {
                found.push(format!("{} may be anything", field.full_name()));
            }
        }
    }
    none("a field of a request without a rule", &found);
}

/// Every rule of ours is an expression that others can evaluate, and says in both languages what breaks it.
#[test]
fn every_rule_says_what_breaks_it() {
    let pool = pool();
    let [predefined, problem] = ["buf.validate.predefined", "toguna.rules.v1.problem"]
        .map(|name| pool.get_extension_by_name(name).expect("it is defined"));
    let mut count = 0;
    for rule in pool.all_extensions().filter(|rule| rule.containing_message().package_name() == "buf.validate") {
        if rule.parent_file().package_name() != "toguna.rules.v1" {
            continue;
        }
        count += 1;
        let options = rule.options();
        assert!(options.has_extension(&predefined) && options.has_extension(&problem), "{}", rule.full_name());
        let said = options.get_extension(&problem);
        let said = said.as_message().expect("a message");
        for language in ["en", "fr"] {
            let said = said.get_field_by_name(language).expect("a text");
            assert!(said.as_str().is_some_and(|said| !said.is_empty()), "{} in {language}", rule.full_name());
        }
        let french = said.get_field_by_name("fr").expect("a text").as_str().unwrap_or_default().to_owned();
        none("French that is not well set", &crate::french::faults(&french));
    }
    assert!(count > 5, "rules were looked for in the wrong place");
}

fn messages_of_requests(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut open: Vec<_> = methods.map(|method| method.input()).collect();
    assert!(open.len() > 120, "requests were looked for in the wrong place");
    let mut seen = HashSet::new();
    let mut messages = Vec::new();
    while let Some(message) = open.pop() {
        let ours = message.package_name().starts_with("toguna.");
        if ours && seen.insert(message.full_name().to_owned()) {
            open.extend(message.fields().filter_map(|field| field.kind().as_message().cloned()));
            messages.push(message);
        }
    }
    messages
}

fn rules(pool: &DescriptorPool, field: &FieldDescriptor) -> Option<DynamicMessage> {
    let option = pool.get_extension_by_name("buf.validate.field").expect("it is defined");
    let options = field.options();
    options.has_extension(&option).then(|| options.get_extension(&option).as_message().cloned()).flatten()
}

fn part(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    has(rules, name).then(|| rules.get_field_by_name(name)?.as_message().cloned()).flatten()
}

fn has(rules: &DynamicMessage, name: &str) -> bool {
    rules.has_field_by_name(name)
}

/// A text has a length, or a form that has one.
fn bounds(text: &DynamicMessage) -> bool {
    let formed = text.extensions().any(|(rule, value)| *value != Value::Bool(false) && rule.name() != "line");
    has(text, "max_len") || has(text, "uuid") || formed
}
