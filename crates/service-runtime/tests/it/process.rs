//! A service as a process: what operators see of it.

use std::{
    collections::HashMap,
    env,
    path::PathBuf,
    process::{Child, Command, ExitCode, Output, Stdio},
    time::{Duration, Instant},
};

use contracts::toguna::disbursements::v1::correction_service_client::CorrectionServiceClient;
use serde_json::Value;
use service_runtime::{LogReaders, run};
use tonic::transport::Channel;

use crate::notes::{build, by, environment, note, reason, unique_name};

/// The program of these tests is the service too, where one of them started it as a process of its own: this is its
/// `main`. Otherwise there is nothing to do here.
#[test]
fn is_the_service_where_it_was_started_as_one() {
    let Ok(name) = env::var("TEST_SERVICE") else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let code = runtime.block_on(run(name.leak(), |parts| build(parts, LogReaders::Partners)));
    assert_eq!(code, ExitCode::SUCCESS);
}

pub fn start(environment: &HashMap<&'static str, String>) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "process::is_the_service_where_it_was_started_as_one", "--nocapture"])
        .env("TEST_SERVICE", unique_name())
        .envs(environment)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

pub fn tell(child: &Child, signal: &str) {
    // The shell's own `kill`: a small machine has no program of that name.
    let told = Command::new("sh").args(["-c", "kill \"$0\" \"$1\"", signal, &child.id().to_string()]).status();
    let told = told.expect("a shell is there");
    assert!(told.success());
}

pub fn ended(child: Child) -> (Output, String) {
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stderr.clone()).expect("text");
    (output, said)
}

pub async fn address(ready_file: &PathBuf) -> String {
    let started = Instant::now();
    loop {
        if let Ok(address) = std::fs::read_to_string(ready_file) {
            return format!("http://{}", address.trim());
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it does not get ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_listens_logs_with_the_trace_and_stops_when_told_to() {
    for signal in ["-TERM", "-INT"] {
        let mut environment = environment().await;
        let ready_file = env::temp_dir().join(format!("toguna-process-{}", unique_name()));
        environment.insert("TOGUNA_READY_FILE", ready_file.display().to_string());
        environment.insert("TOGUNA_LOG_FORMAT", "json".into());
        environment.insert("RUST_LOG", "service_runtime=debug".into());
        let child = start(&environment);
        let channel = Channel::from_shared(address(&ready_file).await).expect("an address");
        let mut notes = CorrectionServiceClient::new(channel.connect().await.expect("it listens"));
        let mut request = by("aminata", note(1001));
        let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        request.metadata_mut().insert("traceparent", theirs.parse().expect("ASCII"));
        let status = notes.propose_correction(request).await.expect_err("too large");
        assert_eq!(reason(&status), "RECORD_NOT_CORRECTABLE");
        tell(&child, signal);
        let (output, said) = ended(child);
        assert!(output.status.success(), "{said}");
        let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let line = |message: &str| lines.iter().find(|line| line["message"] == message);
        let refused = line("refused").unwrap_or_else(|| panic!("no line in {said}"));
        assert_eq!(refused["span"]["trace_id"], "0af7651916cd43dd8448eb211c80319c", "{refused}");
        assert_eq!(refused["reason"], "RECORD_NOT_CORRECTABLE");
        assert!(line("listening").is_some() && line("serving").is_some() && line("stopped").is_some(), "{said}");
        assert!(!said.contains("aminata"), "{said}");
        std::fs::remove_file(ready_file).expect("it is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_at_once_where_its_environment_is_not_complete() {
    let missing = ["DATABASE_URL", "NATS_URL", "TOGUNA_ISSUERS", "TOGUNA_AUDIENCE", "TOGUNA_PSEUDONYM_KEY"];
    let (output, said) = ended(start(&missing.iter().map(|name| (*name, String::new())).collect()));
    assert!(!output.status.success());
    assert!(missing.iter().all(|name| said.contains(&format!("{name}: set "))), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_a_failure_where_it_cannot_listen() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut environment = environment().await;
    environment.insert("TOGUNA_LISTEN", taken.local_addr().expect("it has one").to_string());
    let (output, said) = ended(start(&environment));
    assert!(!output.status.success());
    assert!(said.contains("TOGUNA_LISTEN: cannot listen on"), "{said}");
}
