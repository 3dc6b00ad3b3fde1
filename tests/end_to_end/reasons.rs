//! Every reason of every service, given by a running service to somebody who called it: stories that build up what a
//! refusal needs, told in files that anybody can read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use contracts::reasons::{REASONS, Reason};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toguna::{language::Language, services};
use toml::value::Datetime;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::stack::{Stack, at};

/// Reasons that need a fault, a race or a time that no story can tell, and the test that shows each.
const SHOWN_ELSEWHERE: &[(&str, &str, &[&str])] = &[
    (
        "service-runtime/src/layer/tests.rs",
        "a_call_that_takes_too_long_has_exceeded_its_deadline",
        &["DEADLINE_EXCEEDED"],
    ),
    (
        "service-runtime/src/layer/tests.rs",
        "whoever_does_not_say_how_long_it_waits_is_told_how_to_say_it",
        &["DEADLINE_REQUIRED"],
    ),
    ("service-runtime/src/status/tests.rs", "each_failure_of_a_command_has_its_code_and_reason", &["OVERLOADED"]),
    (
        "service-runtime/tests/it/commands.rs",
        "an_event_that_is_too_large_is_refused_before_anything_is_written",
        &["EVENT_TOO_LARGE"],
    ),
    (
        "service-runtime/tests/it/commands.rs",
        "while_the_database_lets_nobody_in_callers_are_told_to_come_again",
        &["LOG_UNAVAILABLE"],
    ),
    (
        "oversight/src/grpc/status/tests.rs",
        "what_stands_in_the_way_of_an_answer_has_its_reason",
        &["FIGURE_TOO_LARGE", "RECORDS_UNAVAILABLE"],
    ),
    (
        "service-runtime/src/operations/wire.rs",
        "each_refusal_of_an_operation_has_its_reason_and_values",
        &[
            "GENERATION_BEHIND",
            "GENERATION_DIFFERS",
            "GENERATION_NOT_COMPARED",
            "GENERATION_OF_ANOTHER_SHAPE",
            "OPERATION_UNDER_WAY",
            "PROJECTION_STOPPED",
            "TABLE_NOT_COMPARABLE",
        ],
    ),
    (
        "service-runtime/src/layer/tests.rs",
        "however_a_call_fails_it_ends_with_a_code_a_reason_and_words_in_the_callers_language",
        &["INTERNAL"],
    ),
    (
        "oversight/tests/it/reading.rs",
        "no_figure_is_given_with_a_hole_in_it",
        &["LOGS_NOT_READ_YET", "LOG_NOT_UNDERSTOOD"],
    ),
    ("service-runtime/src/layer/tests.rs", "a_request_larger_than_any_may_be_is_refused", &["MESSAGE_TOO_LARGE"]),
    ("service-runtime/tests/it/operations.rs", "a_service_without_read_models_says_so", &["NO_GENERATIONS"]),
    ("service-runtime/src/rates/tests.rs", "an_organisation_sends_a_burst_and_then_at_its_rate", &["RATE_LIMITED"]),
    (
        "service-runtime/tests/it/commands.rs",
        "tokens_of_the_future_of_elsewhere_and_of_another_history_are_told_apart",
        &["READ_MODEL_BEHIND", "TOKEN_OTHER_EPOCH"],
    ),
    (
        "service-runtime/tests/it/resuming.rs",
        "a_place_in_another_replay_is_none_in_this_one",
        &["RESUME_TOKEN_FOREIGN_LOG", "RESUME_TOKEN_OTHER_FILTER"],
    ),
    (
        "service-runtime/tests/it/following.rs",
        "a_follower_of_a_log_that_is_restored_is_sent_away_and_its_token_is_refused",
        &["RESUME_TOKEN_OTHER_EPOCH"],
    ),
    (
        "service-runtime/src/rates/tests.rs",
        "an_organisation_has_only_so_many_calls_and_replays_under_way",
        &["TOO_MANY_AT_ONCE"],
    ),
    (
        "service-runtime/src/layer/tests.rs",
        "every_way_in_which_a_call_is_wrong_has_the_code_that_the_specification_gives_it",
        &["UNKNOWN_METHOD"],
    ),
    (
        "service-runtime/src/authorisation/tests.rs",
        "what_no_policy_permits_and_what_is_no_rpc_is_denied",
        &["CALL_NOT_PERMITTED"],
    ),
    (
        "service-runtime/tests/it/evil.rs",
        "whatever_an_evil_client_does_costs_little_memory_and_fails_no_good_callers_call",
        &["TOO_MUCH_UNFINISHED"],
    ),
];

/// Values that are names which somebody gave, or what a program says of itself: the same in both languages. So are names
/// of resources and of RPCs, which have a slash, codes of currencies, and numbers without a fraction.
const NAMES: &[&str] =
    &["amendment", "error", "item", "log", "order", "plan", "projection", "request_id", "table", "token_log", "window"];

/// A story: steps one after the other, at one stack.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    step: Vec<Step>,
}

/// One call, as people tell it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// `FundService/EstablishFund`, of the story's package, or with the package.
    call: String,
    /// The service that is called; empty: that of the method.
    #[serde(default)]
    at: String,
    /// `ROLE@ORGANISATION`; empty: nobody.
    by: String,
    /// Another person of that organisation than the one who always has the role.
    #[serde(default)]
    person: String,
    /// The day of the act.
    on: Option<Datetime>,
    /// Kind of the document that it rests on.
    document: Option<String>,
    /// Its reason.
    why: Option<String>,
    /// The organisation whose published act it is.
    of: Option<String>,
    /// Services of which everything said so far must have been seen.
    #[serde(default)]
    after: Vec<String>,
    /// The fields of the request.
    #[serde(default)]
    send: toml::Table,
    /// The reason that it is refused with; none: it is accepted.
    refused: Option<String>,
}

#[tokio::test]
async fn every_reason_is_given_to_somebody() {
    let stack = Stack::without_the_scenario().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("end_to_end/reasons");
    let mut given: BTreeSet<(String, String)> = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut tokens: BTreeMap<String, String> = BTreeMap::new();
    // In the order in which the services build on each other.
    for service in ["partnerships", "commitments", "disbursements", "oversight", "operations"] {
        let Ok(text) = fs::read_to_string(folder.join(format!("{service}.toml"))) else { continue };
        let story: Story = toml::from_str(&text).unwrap_or_else(|error| panic!("{service}: {error}"));
        for (number, step) in (1..).zip(&story.step) {
            let place = format!("{service}, step {number}, {}", step.call);
            match (tell(&stack, service, step, &tokens).await, &step.refused) {
                (Ok(answer), None) => {
                    if let Some(token) = answer["receipt"]["consistencyToken"].as_str() {
                        tokens.insert(service.to_owned(), token.to_owned());
                    }
                }
                (Err(status), Some(expected)) => match judge(&status, service, expected) {
                    Ok(package) => drop(given.insert((package, expected.clone()))),
                    Err(problem) => wrong.push(format!("{place}: {problem}")),
                },
                (Ok(_), Some(expected)) => wrong.push(format!("{place}: accepted instead of {expected}")),
                (Err(status), None) => wrong.push(format!("{place}: refused: {}", status.message())),
            }
        }
    }
    assert!(wrong.is_empty(), "the stories are not true:\n  {}", wrong.join("\n  "));
    let known = |reason: &Reason| given.contains(&(reason.package.to_owned(), reason.name.to_owned()));
    let missing = REASONS
        .iter()
        .filter(|reason| !known(reason) && !SHOWN_ELSEWHERE.iter().any(|(_, _, names)| names.contains(&reason.name)));
    let missing: Vec<String> = missing.map(|reason| format!("{}.{}", reason.package, reason.name)).collect();
    assert!(missing.is_empty(), "no story tells of:\n  {}", missing.join("\n  "));
}

#[test]
fn what_is_shown_elsewhere_is_shown_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut wrong = Vec::new();
    for (file, test, reasons) in SHOWN_ELSEWHERE {
        let text = fs::read_to_string(crates.join(file)).unwrap_or_default();
        if !text.contains(&format!("fn {test}(")) {
            wrong.push(format!("{file} holds no {test}"));
        }
        let unknown = reasons.iter().filter(|name| !REASONS.iter().any(|reason| reason.name == **name));
        wrong.extend(unknown.map(|name| format!("there is no reason {name}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes the call.
async fn tell(stack: &Stack, service: &str, step: &Step, tokens: &BTreeMap<String, String>) -> Result<Value, Status> {
    let rpc = if step.call.contains('.') { step.call.clone() } else { format!("toguna.{service}.v1.{}", step.call) };
    let method = services::method(&rpc).expect("an RPC");
    let mut request = object(&step.send, &method.input());
    if method.input().get_field_by_name("act").is_some() {
        request.insert("act".into(), act(step));
    }
    if !step.after.is_empty() {
        let seen: Vec<&String> = step.after.iter().map(|service| &tokens[service]).collect();
        request.insert("at_least_as_fresh".into(), json!(seen));
    }
    let person = if step.person.is_empty() { step.by.split('@').next().expect("a role") } else { &step.person };
    let asked = if step.at.is_empty() { services::owner(&rpc) } else { &step.at };
    stack.ask(Language::Fr, asked, &rpc, &step.by, person, Value::Object(request)).await
}

fn act(step: &Step) -> Value {
    let mut act = Map::new();
    if let Some(day) = &step.on {
        act.insert("effective_on".into(), date(day));
    }
    if let Some(kind) = &step.document {
        act.insert("sources".into(), json!([{ "title": "A document", "kind": kind, "issuer": "Its issuer" }]));
    }
    if let Some(why) = &step.why {
        act.insert("reason".into(), json!(why));
    }
    if let Some(organisation) = &step.of {
        act.insert("on_behalf_of".into(), json!(organisation));
        act.insert("basis".into(), json!("BASIS_RECORDED_FROM_SOURCE"));
    }
    Value::Object(act)
}

fn date(day: &Datetime) -> Value {
    let day = day.date.expect("a day");
    at(i32::from(day.year), i32::from(day.month), i32::from(day.day))
}

/// A message as JSON, with what people write shorter: `"EUR 100"`, days, titles, `"2016-01-01 2017-12-31"`.
fn object(table: &toml::Table, message: &MessageDescriptor) -> Map<String, Value> {
    let field = |name: &str| message.get_field_by_name(name);
    table
        .iter()
        .map(|(name, value)| {
            let value = field(name).map_or_else(|| plain(value), |field| typed(value, &field));
            (name.clone(), value)
        })
        .collect()
}

fn typed(value: &toml::Value, field: &FieldDescriptor) -> Value {
    if let toml::Value::Array(values) = value {
        return values.iter().map(|value| typed(value, field)).collect();
    }
    let Kind::Message(message) = field.kind() else { return plain(value) };
    match (message.full_name(), value) {
        ("toguna.type.v1.Date", toml::Value::Datetime(day)) => date(day),
        ("toguna.type.v1.Money", toml::Value::String(text)) => {
            let (currency, minor_units) = text.split_once(' ').expect("EUR 100");
            json!({ "currency_code": currency, "minor_units": minor_units })
        }
        ("toguna.type.v1.LocalizedText", toml::Value::String(text)) => {
            json!({ "en": { "text": text, "origin": "TEXT_ORIGIN_OFFICIAL" } })
        }
        ("toguna.type.v1.Decimal", toml::Value::String(text)) => json!({ "value": text }),
        // What an event says is written as the event's own fields.
        ("google.protobuf.Any", toml::Value::Table(table)) => {
            let kind = table["type"].as_str().expect("its type");
            let message = services::pool().get_message_by_name(kind).expect("an event");
            let mut event = object(&table.iter().filter(|(name, _)| *name != "type").map(own).collect(), &message);
            event.insert("@type".into(), json!(format!("type.googleapis.com/{kind}")));
            Value::Object(event)
        }
        (_, toml::Value::Table(table)) => Value::Object(object(table, &message)),
        (_, other) => plain(other),
    }
}

fn own((name, value): (&String, &toml::Value)) -> (String, toml::Value) {
    (name.clone(), value.clone())
}

fn plain(value: &toml::Value) -> Value {
    serde_json::to_value(value).expect("it is JSON")
}

/// The package of the reason, where the status is as every status must be.
fn judge(status: &Status, service: &str, expected: &str) -> Result<String, String> {
    let details = status.get_error_details();
    let info = details.error_info().ok_or_else(|| format!("no ErrorInfo: {status:?}"))?;
    if info.reason != expected {
        return Err(format!("{} instead of {expected}: {}", info.reason, status.message()));
    }
    let own = format!("toguna.{service}.v1");
    let of = |package: &str| REASONS.iter().find(|reason| reason.package == package && reason.name == expected);
    let reason = of(&own).or_else(|| of("toguna.errors.v1")).ok_or("a reason of another service")?;
    let mut problems = Vec::new();
    let mut hold = |holds: bool, problem: &str| {
        if !holds {
            problems.push(problem.to_owned());
        }
    };
    hold(info.domain == "toguna", "another domain");
    hold(i32::from(status.code()) == reason.code, "another code");
    for key in reason.en.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)) {
        hold(key == "violations" || info.metadata.contains_key(key), &format!("no value for {key}"));
    }
    hold(details.request_info().is_some_and(|info| info.request_id.len() == 32), "no trace id");
    hold(details.retry_info().is_some() == reason.retryable, "waiting is not said as it is");
    let said = details.localized_message();
    hold(said.is_some_and(|said| said.locale == "fr" && said.message != status.message()), "nothing in French");
    let french = said.map_or("", |said| said.message.as_str());
    for key in same_in_both((reason.en, status.message()), (reason.fr, french)) {
        hold(false, &format!("{key} is the same in both languages: {french}"));
    }
    let violations = details.bad_request().is_some_and(|bad| !bad.field_violations.is_empty());
    // Of several resources that are asked for, violations say which are missing.
    hold(
        violations == (expected == "INVALID_REQUEST") || expected == "NOT_FOUND",
        "violations are not told as they are",
    );
    let stale = details.precondition_failure().is_some();
    hold(stale == (expected == "STALE_VERSION"), "etags are not told as they are");
    if problems.is_empty() {
        Ok(reason.package.to_owned())
    } else {
        Err(format!("{expected}: {}", problems.join(", ")))
    }
}

/// Values that two texts say alike and that are no names: words, dates and amounts that one of the languages writes
/// otherwise. Each text stands beside that which it was made from.
fn same_in_both(english: (&str, &str), french: (&str, &str)) -> Vec<String> {
    let (english, french) = (values_of(english.0, english.1), values_of(french.0, french.1));
    let is_name = |key: &str, value: &str| {
        let is_currency = value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b"\", ".contains(&byte));
        let is_trace = key == "trace_id" && value.len() == 32;
        NAMES.contains(&key) || value.contains('/') || is_currency || is_number || is_trace
    };
    let same = |(key, value): &(&String, &String)| french.get(*key) == Some(*value) && !is_name(key, value);
    english.iter().filter(same).map(|(key, _)| key.clone()).collect()
}

/// What stands in a text where the placeholders of its template were.
fn values_of(template: &str, text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let (first, mut places) = template.split_once('{').unwrap_or((template, ""));
    let mut rest = text.strip_prefix(first).unwrap_or_else(|| panic!("{text} is no {template}"));
    while let Some((key, after)) = places.split_once('}') {
        let (until, next) = after.split_once('{').unwrap_or((after, ""));
        let split = if next.is_empty() { rest.rsplit_once(until) } else { rest.split_once(until) };
        let (value, after) = split.unwrap_or_else(|| panic!("{text} is no {template}"));
        if key != "violations" {
            values.insert(key.to_owned(), value.to_owned());
        }
        (rest, places) = (after, next);
    }
    values
}

#[test]
fn a_value_that_only_one_of_the_languages_writes_so_is_found() {
    let same = |value: &str| {
        same_in_both(("Is {state} now.", &format!("Is {value} now.")), ("Est {state}.", &format!("Est {value}.")))
    };
    for words in ["partly fulfilled", "AUTHORISED", "2021-12-31", "3200000.00", "record 7 is of another kind"] {
        assert_eq!(same(words), ["state"], "{words}");
    }
    for name in ["funds/eutf-africa", "EUR", "17", "contracts/a, contracts/b"] {
        assert_eq!(same(name), [""; 0], "{name}");
    }
    assert_eq!(
        values_of("{a} and {b}", "1 and 2"),
        BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())])
    );
}
