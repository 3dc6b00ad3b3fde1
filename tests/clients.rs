//! Clients in the languages of partners, each a program that somebody may begin with, hold one conversation with a
//! running service over a bad line: `tests/clients/LANGUAGE`, shown in `docs/clients.md`.
//!
//! The line loses the answer to the first command, and breaks in the middle of the replay, again and again. What a
//! program tells is held against what the service itself tells. A language that is not here, or whose packages cannot
//! be installed now, is passed over with a notice at the end of `make test`.

#[path = "clients/guides.rs"]
mod guides;
#[path = "clients/line.rs"]
mod line;
#[path = "clients/secure.rs"]
mod secure;
#[path = "end_to_end/stack.rs"]
#[expect(dead_code, reason = "the tests from end to end ask more of a stack")]
mod stack;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use contracts::toguna::log::v1::{
    ReplayLogRequest, log_service_client::LogServiceClient, replay_log_response::Message,
};
use harness::Program;
use line::BadLine;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stack::Stack;
use toguna::language::Language;
use tokio::sync::OnceCell;
use tonic::Code;
use tonic_types::StatusExt as _;

/// How long a conversation may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);
/// So many records of 23 KiB, and a replay breaks off twice at least, however it is packed.
const RECORDS: u64 = 48;
const SERVICE: &str = "toguna.partnerships.v1.PartnerService";

static STACK: OnceCell<Stack> = OnceCell::const_new();

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root is there")
}

/// A stack where each organisation may send one command a second, ten at once after a silence, and where the log of
/// partnerships is long enough to be cut.
async fn stack() -> &'static Stack {
    let start = async || {
        let limits = [("TOGUNA_COMMANDS_PER_SECOND", "1"), ("TOGUNA_COMMANDS_BURST", "10")];
        let stack = Stack::told(&limits).await;
        for number in 0..RECORDS {
            fill(&stack, number).await;
        }
        stack
    };
    STACK.get_or_init(start).await
}

/// Records a partner with as many sources as may be cited: some 23 KiB.
async fn fill(stack: &Stack, number: u64) {
    // Words that nothing can pack.
    let words = || (0..12).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect::<String>();
    let source = || json!({ "title": words(), "kind": "note", "issuer": words(), "location": words() });
    let request = json!({
        "name": format!("partners/many-sources-{number}"),
        "kind": "PARTNER_KIND_NGO",
        "names": { "en": { "text": "Made up", "origin": "TEXT_ORIGIN_TRANSLATION" } },
        "act": { "sources": (0..20).map(|_| source()).collect::<Vec<_>>() },
    });
    // Each organisation within its budget.
    let caller = format!("secretariat@writer-{}", number / 8);
    stack.call(&format!("{SERVICE}/RegisterPartner"), &caller, "writer", request).await.expect("it is registered");
}

#[tokio::test]
async fn a_client_in_python_holds_the_conversation() {
    converses("python", "python", &["python3"], &[".venv/bin/python", "flow.py"]).await;
}

#[tokio::test]
async fn a_client_in_typescript_holds_the_conversation() {
    converses("typescript", "typescript", &["node", "npm", "buf"], &["node", "build/flow.js", "grpc"]).await;
}

#[tokio::test]
async fn a_client_by_grpc_web_as_browsers_have_it_holds_the_conversation() {
    let run = &["node", "build/flow.js", "grpc-web"];
    converses("grpc-web", "typescript", &["node", "npm", "buf"], run).await;
}

#[tokio::test]
async fn a_client_in_java_holds_the_conversation() {
    let run = &["java", "-Dfile.encoding=UTF-8", "-cp", "build:lib/*", "Flow"];
    converses("java", "java", &["java", "javac", "apt-get"], run).await;
}

#[tokio::test]
async fn curl_alone_holds_the_conversation() {
    converses("curl", "shell", &["curl", "jq"], &["sh", "flow.sh", "curl"]).await;
}

#[tokio::test]
async fn buf_curl_holds_the_conversation() {
    converses("buf", "shell", &["buf", "jq"], &["sh", "flow.sh", "buf"]).await;
}

/// Runs a program of a folder, which needs these commands, and looks at each thing that it tells.
async fn converses(
    client: &'static str,
    folder: &'static str,
    needs: &'static [&'static str],
    run: &'static [&'static str],
) {
    let Some(program) = ready(client, folder, needs, run).await else { return };
    let stack = stack().await;
    let name = format!("partners/from-{client}");
    let line = BadLine::losing(&name, stack.address("partnerships")).await;
    let told = conversation(stack, &program, &line, &name).await;

    let recorded = stack.replay("partnerships");
    let events: Vec<&Value> = recorded.iter().filter(|event| event["stream"] == name.as_str()).collect();
    let versions: Vec<_> = events.iter().map(|event| event["version"].as_u64().expect("a number")).collect();
    assert_eq!(versions, [1, 2, 3], "each command had its effect once: {told:?}");

    let first = json!({ "position": events[0]["position"], "etag": "\"1\"", "replayed": true });
    assert_eq!(told["command"], first, "its answer was lost on the line, so it was sent again");
    assert_eq!(told["again"], first);
    check_invalid(stack, &told["invalid"]).await;
    let stale = json!({ "code": "ABORTED", "reason": "STALE_VERSION", "etag": "\"2\"", "mended": "\"3\"" });
    assert_eq!(told["stale"], stale);
    let mut limited = told["limited"].clone();
    let wait = limited["wait"].take().as_f64().expect("a number of seconds");
    assert!(wait > 0.0 && wait <= 1.0, "the wait is that of RetryInfo, at most one turn: {wait}");
    let answered = json!({ "code": "RESOURCE_EXHAUSTED", "reason": "RATE_LIMITED", "wait": null, "then": "\"4\"" });
    assert_eq!(limited, answered, "after the wait it is answered; nothing was written meanwhile");
    assert_eq!(told["read"], json!({ "name": name, "french": "Agence pour la coopération", "etag": "\"3\"" }));
    check_replay(stack, &told["replay"], line.broken()).await;
}

/// The program of a folder; none where it cannot run here, and then that is told.
async fn ready(
    client: &str,
    folder: &'static str,
    needs: &'static [&'static str],
    run: &'static [&'static str],
) -> Option<Program> {
    let ready = tokio::task::spawn_blocking(move || Program::ready(folder, needs, run));
    let ready = ready.await.expect("it is made ready");
    ready.inspect_err(|why| harness::not_tried(&format!("the client by {client}"), why)).ok()
}

/// What a program tells over a line, by step.
async fn conversation(stack: &Stack, program: &Program, line: &BadLine, name: &str) -> BTreeMap<String, Value> {
    let token = stack.token(&["secretariat"], &format!("partners/of-{}", name.replace('/', "-")), "somebody");
    let mut command = tokio::process::Command::from(program.command());
    command.arg(format!("127.0.0.1:{}", line.port)).arg(name).env("TOGUNA_TOKEN", token).kill_on_drop(true);
    let losing = async {
        line.has_sent().await;
        // The line breaks only once there is an answer to lose.
        while !is_recorded(stack, name).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        line.break_off();
        std::future::pending::<()>().await;
    };
    let output: Output = tokio::select! {
        output = tokio::time::timeout(PATIENCE, command.output()) => output.expect("it ends in time").expect("it runs"),
        () = losing => unreachable!("it goes on for ever"),
    };
    steps(&output)
}

/// What a program that succeeded told, by step.
fn steps(output: &Output) -> BTreeMap<String, Value> {
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{told}\n{errors}", output.status);
    let steps = told.lines().map(|line| {
        let mut values: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let step = values.as_object_mut().and_then(|values| values.remove("step")).expect("a step");
        (step.as_str().expect("a name").to_owned(), values)
    });
    let steps: BTreeMap<String, Value> = steps.collect();
    assert_eq!(steps.len(), 7, "{told}\n{errors}");
    steps
}

async fn is_recorded(stack: &Stack, name: &str) -> bool {
    let rpc = format!("{SERVICE}/GetPartner");
    stack.ask(Language::En, "partnerships", &rpc, "auditor@auditor", "auditor", json!({ "name": name })).await.is_ok()
}

/// The refusal is the one that the service gives to everybody, word by word.
async fn check_invalid(stack: &Stack, told: &Value) {
    let request = json!({
        "name": "partners/No Such Id",
        "names": { "fr": { "text": "?", "origin": "TEXT_ORIGIN_OFFICIAL" } },
    });
    let rpc = format!("{SERVICE}/RegisterPartner");
    let refused = stack.ask(Language::Fr, "partnerships", &rpc, "secretariat@test", "somebody", request).await;
    let status = refused.expect_err("it is malformed");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let violations = &details.bad_request().expect("it says what is wrong").field_violations;
    let violations: BTreeMap<_, _> = violations.iter().map(|each| (&each.field, &each.description)).collect();
    assert!(violations.len() >= 2, "all at once: {violations:?}");
    let message = &details.localized_message().expect("a text for people").message;
    assert!(message.starts_with("La requête est mal formée\u{202f}: "));
    assert_eq!(told["code"], "INVALID_ARGUMENT");
    assert_eq!(told["reason"], details.error_info().expect("a reason").reason);
    assert_eq!(told["violations"], json!(violations));
    assert_eq!((&told["locale"], &told["message"]), (&json!("fr"), &json!(message)));
    let trace = told["trace"].as_str().expect("a text");
    assert!(trace.len() == 32 && trace.chars().all(|char| char.is_ascii_hexdigit()), "{trace}");
}

/// The program has the very bytes that the log has, up to where it came, over as many calls as the line took.
async fn check_replay(stack: &Stack, told: &Value, broken: u64) {
    let last = told["last"].as_u64().expect("a position");
    assert!(last >= RECORDS + 3, "it saw its own events: {told}");
    assert!(broken >= 2, "the line broke {broken} times");
    assert!(told["cuts"].as_u64() >= Some(2), "it went on by tokens: {told}");
    let channel = stack.services().channel("partnerships").expect("it runs");
    let token = stack.token(&["auditor"], "partners/auditor", "auditor");
    let request = stack.services().stream_request(&token, ReplayLogRequest::default()).expect("a request");
    let mut messages = LogServiceClient::new(channel).replay_log(request).await.expect("it replays").into_inner();
    let mut digest = Sha256::new();
    while let Some(message) = messages.message().await.expect("the log is read") {
        let Some(Message::Events(batch)) = message.message else { continue };
        for event in batch.events.iter().filter(|event| event.position <= last) {
            digest.update(&event.record);
        }
    }
    let digest: Vec<String> = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(told["sha256"], digest.concat());
}
