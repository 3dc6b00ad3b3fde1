//! Methods: what they are called, what they take and give.

use std::collections::BTreeMap;

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::{Judge, words};

/// AIP-131: a resource by its name, with its etag.
pub const GET: &str = "AIP-131, get";
/// AIP-132 and AIP-158: resources in pages.
pub const LIST: &str = "AIP-132 and AIP-158, list";
/// AIP-157, AIP-160 and AIP-231: part of a resource, resources by filter and order, several at once.
pub const QUERY: &str = "AIP-157, 160 and 231, query";
/// AIP-136: what changes something is called by a verb and a noun.
const VERB_AND_NOUN: &str = "AIP-136, verb and noun";
/// Every request and response has its method's name, and is of this method alone.
const OWN_MESSAGES: &str = "AIP-131 to 136, messages";
/// AIP-154, AIP-155 and AIP-163: what every command carries.
const ENVELOPE: &str = "AIP-154, 155 and 163, command";
/// Answers say what they were made from, and may be asked to have seen something.
pub const FRESH: &str = "consistency tokens";

/// Standard methods that write a state; here commands write what happened.
const STATE_WRITERS: &[&str] = &["create", "update", "delete", "upsert", "patch", "put", "post"];
/// Words that hang two things together that should be two methods, or a field.
const PREPOSITIONS: &[&str] = &["of", "for", "with", "from", "by", "to", "at", "on", "in", "after", "before", "async"];

/// Which fields of resources an answer holds.
const MASK: &str = "google.protobuf.FieldMask";

/// The first fields of every command, by number.
const COMMAND: &[(&str, &str)] = &[
    ("request_id", "string"),
    ("etag", "string"),
    ("validate_only", "bool"),
    ("at_least_as_fresh", "repeated string"),
    ("act", "toguna.log.v1.Act"),
];

pub fn judge(pool: &DescriptorPool, judge: &mut Judge) {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for method in methods(pool) {
        for message in [method.input(), method.output()] {
            *users.entry(message.full_name().to_owned()).or_default() += 1;
        }
    }
    for method in methods(pool) {
        messages(&method, &users, judge);
        match words(method.name())[0].as_str() {
            "get" => get(&method, judge),
            "list" => list(&method, judge),
            _ if is_command(&method) => command(&method, judge),
            // Neither asks for a resource nor writes an event: replay, and what is done to read models.
            _ => name(&method, judge),
        }
    }
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let ours = pool.services().filter(|service| service.package_name().starts_with("toguna."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// What asks for events to be written is answered with their receipt.
fn is_command(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some() || method.output().get_field_by_name("receipt").is_some()
}

fn messages(method: &MethodDescriptor, users: &BTreeMap<String, usize>, judge: &mut Judge) {
    for (message, suffix) in [(method.input(), "Request"), (method.output(), "Response")] {
        let expected = format!("{}.{}{suffix}", method.parent_service().package_name(), method.name());
        let own = message.full_name() == expected && users[message.full_name()] == 1;
        judge.hold(own, OWN_MESSAGES, method.full_name(), &format!("takes or gives {}", message.full_name()));
    }
}

fn name(method: &MethodDescriptor, judge: &mut Judge) {
    let words = words(method.name());
    judge.hold(words.len() > 1, VERB_AND_NOUN, method.full_name(), "is one word");
    let state = STATE_WRITERS.contains(&words[0].as_str());
    judge.hold(!state, VERB_AND_NOUN, method.full_name(), "writes a state instead of saying what happened");
    let preposition = words.iter().any(|word| PREPOSITIONS.contains(&word.as_str()));
    judge.hold(!preposition, VERB_AND_NOUN, method.full_name(), "has a preposition");
}

fn command(method: &MethodDescriptor, judge: &mut Judge) {
    name(method, judge);
    let request = method.input();
    for (number, (name, kind)) in (1..).zip(COMMAND) {
        let field = request.get_field(number);
        let right = field.is_some_and(|field| field.name() == *name && kind_of(&field) == *kind);
        judge.hold(right, ENVELOPE, method.full_name(), &format!("its field {number} is not {kind} {name}"));
    }
    // The other fields come in the order of the resource's name first.
    let named = request.get_field(6).is_some_and(|field| field.name() == "name" && kind_of(&field) == "string");
    judge.hold(named, ENVELOPE, method.full_name(), "its field 6 is not the name of its resource");
    let response = method.output();
    let receipt = response.get_field(1).is_some_and(|field| kind_of(&field) == "toguna.log.v1.Receipt");
    let alone = response.fields().len() == 1;
    judge.hold(receipt && alone, ENVELOPE, method.full_name(), "is not answered with its receipt alone");
    judge.hold(!method.is_server_streaming(), ENVELOPE, method.full_name(), "is streamed");
}

fn get(method: &MethodDescriptor, judge: &mut Judge) {
    let noun = words(method.name())[1..].join("_");
    let (request, response) = (method.input(), method.output());
    let named = request.get_field(1).is_some_and(|field| field.name() == "name" && kind_of(&field) == "string");
    let resource = response.get_field(1).is_some_and(|field| {
        field.name() == noun && matches!(field.kind(), Kind::Message(_)) && field.cardinality() != Cardinality::Repeated
    });
    let etag = has(&response, "etag", "string");
    judge.hold(
        named && resource && etag,
        GET,
        method.full_name(),
        "does not give a resource with its etag by its name",
    );
    if named {
        fresh(method, judge);
    }
    judge.hold(has(&request, "read_mask", MASK), QUERY, method.full_name(), "takes no read mask");
    judge.hold(in_batches(method), QUERY, method.full_name(), "has no batch beside it, of the same fields");
}

/// Whether the service also gives several of these resources at once: in the order of their names, with their etags.
fn in_batches(method: &MethodDescriptor) -> bool {
    let service = method.parent_service();
    let single = |name: &str| method.input().get_field_by_name(name).map(|field| kind_of(&field));
    let resource = method.output().get_field(1).map(|field| kind_of(&field));
    service.methods().filter(|batch| batch.name().starts_with("BatchGet")).any(|batch| {
        let (request, response) = (batch.input(), batch.output());
        let several = response.get_field(1).map(|field| kind_of(&field));
        several == resource.as_ref().map(|resource| format!("repeated {resource}"))
            && request.get_field(1).is_some_and(|it| it.name() == "names" && kind_of(&it) == "repeated string")
            && has(&response, "etags", "repeated string")
            && ["as_of", "at_least_as_fresh", "read_mask"]
                .iter()
                .all(|name| request.get_field_by_name(name).map(|field| kind_of(&field)) == single(name))
            && has(&response, "consistency_token", "string")
    })
}

fn list(method: &MethodDescriptor, judge: &mut Judge) {
    let noun = words(method.name())[1..].join("_");
    let (request, response) = (method.input(), method.output());
    let pages = has(&request, "page_size", "int32")
        && has(&request, "page_token", "string")
        && has(&response, "next_page_token", "string");
    let resources =
        response.get_field(1).is_some_and(|field| field.name() == noun && field.cardinality() == Cardinality::Repeated);
    judge.hold(pages && resources, LIST, method.full_name(), "does not give resources in pages, as its field 1");
    judge.hold(!method.is_server_streaming(), LIST, method.full_name(), "is streamed");
    let chosen = has(&request, "filter", "string") && has(&request, "order_by", "string");
    judge.hold(chosen, QUERY, method.full_name(), "takes no filter or no order");
    judge.hold(has(&request, "read_mask", MASK), QUERY, method.full_name(), "takes no read mask");
    if pages {
        fresh(method, judge);
    }
}

fn fresh(method: &MethodDescriptor, judge: &mut Judge) {
    let asked = has(&method.input(), "at_least_as_fresh", "repeated string");
    let said = has(&method.output(), "consistency_token", "string");
    judge.hold(asked && said, FRESH, method.full_name(), "takes no tokens or gives none");
}

fn has(message: &MessageDescriptor, name: &str, kind: &str) -> bool {
    message.get_field_by_name(name).is_some_and(|field| kind_of(&field) == kind)
}

/// A field's type, as `proto/` writes it.
pub fn kind_of(field: &FieldDescriptor) -> String {
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    if field.is_list() { format!("repeated {kind}") } else { kind }
}
