//! An auditor far away, with a token and a weak line: replays and reports are whole, and nothing in them is twice.

use std::{
    env, fs,
    fs::File,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use toguna::local::random_hex;

use crate::{
    line::{Quality, WeakLine},
    stack::{Stack, program},
};

/// 800 milliseconds there and back, 64 kbit/s, and cut again and again.
const WEAK: Quality =
    Quality { delay: Duration::from_millis(400), bytes_per_second: 8000, cut_after: &[1_000, 30_000, 12_000] };
/// How long what is followed may take to come over such a line.
const PATIENCE: Duration = Duration::from_mins(2);

/// What an auditor has: a folder, a token in it, and the address of a line to one service.
struct Auditor {
    folder: PathBuf,
    service: &'static str,
    line: WeakLine,
}

impl Auditor {
    async fn of(stack: &Stack, service: &'static str, quality: Quality) -> Self {
        let folder = env::temp_dir().join(format!("toguna-auditor-{}", random_hex(6)));
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("token"), stack.token(&["auditor"], "partners/auditor", "auditor"))
            .expect("it can be written");
        let target: SocketAddr = stack.address(service);
        Self { folder, service, line: WeakLine::to(target, quality).await }
    }

    /// A command of one who has no stack, and so no home.
    fn toguna(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        let server = format!("{}=http://127.0.0.1:{}", self.service, self.line.port);
        command.args(arguments).args(["--server", &server, "--token"]).arg(self.folder.join("token"));
        command.env("TOGUNA_HOME", self.folder.join("no-home")).env("LANG", "C").env_remove("LC_ALL");
        command
    }

    /// What a command prints.
    async fn text(&self, arguments: &[&str]) -> String {
        let mut command = self.toguna(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "toguna {}: {told}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("the output is text")
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn a_replay_over_a_line_that_is_cut_again_and_again_prints_each_event_once() {
    let stack = Stack::shared().await;
    let auditor = Auditor::of(stack, "disbursements", WEAK).await;
    let before = stack.replay("disbursements");
    let place = auditor.folder.join("place").to_string_lossy().into_owned();
    let replay = ["replay", "disbursements", "--json", "--resume-file", &place];
    let begun = Instant::now();
    let printed = lines(&auditor.text(&replay).await);
    println!("{} events, {} cuts, {:?}", printed.len(), auditor.line.cuts(), begun.elapsed());
    assert!(auditor.line.cuts() >= 3, "the line was cut {} times only", auditor.line.cuts());
    assert!(printed.len() >= before.len(), "{} of {} came", printed.len(), before.len());
    assert_eq!(printed[..], stack.replay("disbursements")[..printed.len()]);
    let more = lines(&auditor.text(&replay).await);
    assert!(more.iter().all(|event| event["position"].as_u64() > Some(printed.len() as u64)), "it went on from there");
}

#[tokio::test]
async fn whoever_follows_a_log_over_such_a_line_hears_of_each_event_once_and_of_no_loss() {
    let stack = Stack::reference().await;
    // What comes here comes in small pieces, packed.
    let auditor = Auditor::of(stack, "partnerships", Quality { cut_after: &[1_000, 6_000, 3_000], ..WEAK }).await;
    let first = stack.replay("partnerships").len() as u64 + 1;
    let (out, err) = (auditor.folder.join("out"), auditor.folder.join("err"));
    let mut command = auditor.toguna(&["replay", "partnerships", "--json", "--follow", "--from", &first.to_string()]);
    command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
    let mut follower = Follower(command.stdin(Stdio::null()).spawn().expect("it runs"));
    let mut last = 0;
    for number in 0..40 {
        let name = format!("partners/followed-{number}");
        // Words that nothing packs: the line is full while they come.
        let words = (0..12).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect::<String>();
        let source = json!({ "title": words, "kind": "note", "issuer": words, "location": words });
        let request = json!({
            "name": name,
            "kind": "PARTNER_KIND_NGO",
            "names": { "en": { "text": "Made up", "origin": "TEXT_ORIGIN_TRANSLATION" } },
            "act": { "sources": [source.clone(), source] },
        });
        let rpc = "toguna.partnerships.v1.PartnerService/RegisterPartner";
        let receipt = stack.call(rpc, "secretariat@ml-mmeia", "writer", request).await.expect("it is registered");
        last = receipt["events"][0]["position"].as_str().and_then(|it| it.parse().ok()).expect("a position");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let begun = Instant::now();
    // Its last line may be half written.
    let printed = || {
        let text = fs::read_to_string(&out).expect("it is text");
        lines(text.rsplit_once('\n').map_or("", |(whole, _)| whole))
    };
    while printed().last().and_then(|event| event["position"].as_u64()) < Some(last) {
        let told = fs::read_to_string(&err).unwrap_or_default();
        assert!(follower.0.try_wait().expect("it is ours").is_none(), "it gave up: {told}");
        assert!(begun.elapsed() < PATIENCE, "{} events came: {told}", printed().len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let printed = printed();
    println!("{} events, {} cuts, {:?} after the last", printed.len(), auditor.line.cuts(), begun.elapsed());
    assert!(auditor.line.cuts() >= 3, "the line was cut {} times only", auditor.line.cuts());
    let all = stack.replay("partnerships");
    let from = usize::try_from(first - 1).expect("a log is not that long");
    assert_eq!(printed[..], all[from..from + printed.len()]);
}

/// A program that goes on until the test is over.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn reports_over_such_a_line_are_those_of_a_good_one() {
    let stack = Stack::shared().await;
    // An answer comes whole or not at all: every second connection must hold for as long as the longest one takes.
    let quality = Quality { cut_after: &[1_000, 100_000], ..WEAK };
    let auditor = Auditor::of(stack, "oversight", quality).await;
    let known_at = Timestamp::now().to_string();
    for report in [
        &["report", "portfolio"][..],
        &["report", "scoreboard", "frameworks/joint-valletta-action-plan"],
        &["report", "chain", "contracts/t05-eutf-sah-ml-07-02"],
    ] {
        let report = [report, &["--known-at", &known_at, "--json"]].concat();
        let begun = Instant::now();
        assert_eq!(auditor.text(&report).await, stack.text(&report), "{report:?}");
        println!("{report:?}: {:?}, {} cuts so far", begun.elapsed(), auditor.line.cuts());
    }
    assert!(auditor.line.cuts() >= 1, "the line was not cut");
}

#[tokio::test]
async fn a_token_that_is_none_is_told_at_once_however_patient_one_is() {
    let stack = Stack::shared().await;
    let auditor = Auditor::of(stack, "disbursements", Quality { cut_after: &[], ..WEAK }).await;
    fs::write(auditor.folder.join("token"), "no.such.token").expect("it can be written");
    for command in [&["replay", "disbursements"][..], &["show", "decisions/t05-eutf-sah-ml-07"]] {
        let mut command = auditor.toguna(command);
        let begun = Instant::now();
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty(), "{told}");
        assert!(told.contains("TOKEN_INVALID"), "{told}");
        assert!(begun.elapsed() < PATIENCE, "it was asked again and again: {told}");
    }
}
