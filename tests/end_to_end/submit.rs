//! Commands from tables, over good lines and bad ones.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use toguna::local::random_hex;

use crate::{
    line::{Quality, WeakLine},
    stack::{Stack, program},
};

/// Files and an outbox of one test.
struct Desk(PathBuf);

impl Desk {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("toguna-desk-{}", random_hex(6)));
        fs::create_dir(&folder).expect("a folder can be made");
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("it can be written");
        path.to_string_lossy().into_owned()
    }

    /// `toguna submit`, on this desk's outbox.
    fn submit(&self, stack: &Stack, caller: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["submit", "--as", caller, "--outbox"]).arg(self.0.join("outbox")).args(arguments);
        stack.surround(&mut command);
        command
    }

    /// The same over a line, with a token in a file.
    fn submit_over(&self, stack: &Stack, line: &WeakLine, caller: &str, arguments: &[&str]) -> Command {
        let token = self.file("token", &stack.text(&["token", caller]));
        let server = format!("partnerships=http://127.0.0.1:{}", line.port);
        let mut command = Command::new(program());
        command
            .args(["submit", "--token", &token, "--server", &server, "--outbox"])
            .arg(self.0.join("outbox"))
            .args(arguments);
        stack.surround(&mut command);
        command
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the command line runs")
}

/// What it printed, where it ended as it should.
fn json(output: &Output, well: bool) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), well, "{error}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|failure| panic!("{failure}: {error}"))
}

/// Made-up partners, each registered and then renamed.
fn partners(family: &str, count: usize) -> String {
    let mut lines = vec!["command,name,kind,names.fr.official,country_code,certainty,reason".to_owned()];
    for index in 0..count {
        let name = format!("partners/{family}-{index}");
        lines.push(format!("RegisterPartner,{name},ministry,Ministère {index},ML,illustrative,A test"));
        lines.push(format!("RenamePartner,{name},,Ministère renommé {index},,illustrative,A test"));
    }
    lines.join("\n")
}

const SECRETARIAT: &str = "secretariat@ml-mmeia";

/// Fails unless the log holds each partner of the family, registered once and renamed once, in this order.
fn each_once(stack: &Stack, family: &str, count: usize) {
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in stack.replay("partnerships") {
        let stream = event["stream"].as_str().expect("a name");
        if stream.starts_with(&format!("partners/{family}-")) {
            let name = event["type"].as_str().and_then(|it| it.rsplit('.').next()).expect("a type");
            streams.entry(stream.to_owned()).or_default().push(name.to_owned());
        }
    }
    assert_eq!(streams.len(), count, "nothing is lost");
    for (stream, events) in streams {
        assert_eq!(events, ["PartnerRegistered", "PartnerRenamed"], "{stream}: nothing is doubled");
    }
}

fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join("docs/examples").join(name).to_string_lossy().into_owned()
}

#[tokio::test]
async fn the_examples_of_the_documentation_are_accepted_dry_and_for_real_and_once() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    for (name, focal_point) in [("initiatives.csv", "focal_point@ml"), ("initiatives.fr.csv", "focal_point@ml")] {
        let file = example(name);
        let offline = json(&run(&mut desk.submit(stack, focal_point, &[&file, "--offline", "--json"])), true);
        assert_eq!(offline["rows"], 4, "{offline}");
        let before = stack.replay("commitments").len();
        let dry = json(&run(&mut desk.submit(stack, focal_point, &[&file, "--dry-run", "--json"])), true);
        assert_eq!((&dry["rows"][0]["outcome"], &dry["summary"]["undecided"]), (&"done".into(), &3.into()), "{dry}");
        let told = &dry["rows"][0]["events"][0];
        assert!(told["payload"]["responsible"] == "partners/ml" && told["effective_on"].is_string(), "{told}");
        let words = run(&mut desk.submit(stack, focal_point, &[&file, "--dry-run"]));
        let words = String::from_utf8_lossy(&words.stdout).into_owned();
        assert!(words.contains("InitiativeRegistered, 2"), "what would be written is said: {words}");
        assert_eq!(stack.replay("commitments").len(), before, "a dry run writes nothing");
        let report = desk.0.join("report.csv").to_string_lossy().into_owned();
        let sent = json(&run(&mut desk.submit(stack, focal_point, &[&file, "--report", &report, "--json"])), true);
        assert_eq!((&sent["summary"]["done"], &sent["summary"]["events"]), (&4.into(), &4.into()), "{sent}");
        let written = stack.replay("commitments").len();
        assert_eq!(written, before + 4);
        let report = fs::read_to_string(report).expect("a report");
        assert_eq!(report.matches(",done,").count(), 4, "{report}");
        let again = json(&run(&mut desk.submit(stack, focal_point, &[&file, "--json"])), true);
        assert_eq!(again["summary"]["replayed"], 4, "{again}");
        assert_eq!(stack.replay("commitments").len(), written);
    }
    let budget = stack.replay("commitments").into_iter().filter(|it| it["stream"] == "initiatives/ml-exemple-guichet");
    let amounts: Vec<Value> = budget.map(|it| it["payload"]["amount"].clone()).filter(Value::is_object).collect();
    let expected = [("XOF", "12135168"), ("EUR", "150050")];
    for (amount, (currency, units)) in amounts.iter().zip(expected) {
        assert_eq!((&amount["currencyCode"], &amount["minorUnits"]), (&currency.into(), &units.into()));
    }
    assert_eq!(amounts.len(), 2);
}

#[tokio::test]
async fn a_corrected_file_sends_what_was_refused_and_nothing_else_again() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let head = "commande;ressource;nature;noms.fr.officiel;pays;certitude;motif\n";
    let rows = |country: &str| {
        format!(
            "{head}RegisterPartner;partners/juste-1;ministère;Un;ML;illustratif;Essai\n\
             RegisterPartner;partners/faux-1;ministère;Deux;{country};illustratif;Essai\n\
             RenamePartner;partners/faux-1;;Trois;;illustratif;Essai\n"
        )
    };
    let file = desk.file("partenaires.csv", &rows("MLI"));
    let refused = run(&mut desk.submit(stack, SECRETARIAT, &["--lang", "fr", &file, "--json"]));
    let report = json(&refused, false);
    let outcomes = |report: &Value| {
        let rows = report["rows"].as_array().expect("rows").clone();
        rows.into_iter().map(|row| row["outcome"].as_str().expect("an outcome").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&report), ["done", "refused", "refused"], "{report}");
    assert_eq!(report["rows"][1]["violations"][0][0], "pays (country_code)", "{report}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("2 lignes ont été refusées"));
    let file = desk.file("partenaires-bis.csv", &rows("ML"));
    let report = json(&run(&mut desk.submit(stack, SECRETARIAT, &[&file, "--json"])), true);
    assert_eq!(outcomes(&report), ["replayed", "done", "done"], "{report}");
}

#[tokio::test]
async fn after_a_refusal_nothing_is_sent_where_that_was_asked_for() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let head = "command,name,kind,names.fr.official,country_code,certainty,reason\n";
    let row = |id: &str, country: &str| {
        format!("RegisterPartner,partners/stop-{id},ministry,Un,{country},illustrative,A test\n")
    };
    let file = desk.file("x.csv", &(head.to_owned() + &row("1", "ML") + &row("2", "MLI") + &row("3", "ML")));
    let report = json(&run(&mut desk.submit(stack, SECRETARIAT, &[&file, "--stop-on-refusal", "--json"])), false);
    let summary = &report["summary"];
    assert_eq!((&summary["done"], &summary["refused"], &summary["waiting"]), (&1.into(), &1.into(), &1.into()));
    let report = json(&run(&mut desk.submit(stack, SECRETARIAT, &["--resume", "--json"])), true);
    assert_eq!((&report["summary"]["rows"], &report["summary"]["done"]), (&1.into(), &1.into()), "{report}");
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_file_is_said_before_anything_is_sent() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let file = desk.file(
        "x.csv",
        "command,name,knd,date\nRegisterPartner,partners/wrong-1,ministry,1/2/2016\nRegisterPartnr,partners/wrong-2,ministry,\n",
    );
    let output = run(&mut desk.submit(stack, SECRETARIAT, &[&file, "--json"]));
    let problems = json(&output, false)["problems"].as_array().expect("problems").clone();
    let places: Vec<_> = problems.iter().map(|it| (it["line"].as_u64(), it["column"].as_str())).collect();
    assert_eq!(places, [(Some(2), Some("knd")), (Some(2), Some("date")), (Some(3), Some("command"))]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was sent"));
}

/// 800 milliseconds there and back, 64 kbit/s.
const WEAK: Quality = Quality { delay: Duration::from_millis(400), bytes_per_second: 8000, cut_after: &[] };

#[tokio::test]
async fn over_a_weak_line_many_rows_are_on_their_way_at_once() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let line = WeakLine::to(stack.address("partnerships"), WEAK).await;
    let file = desk.file("x.csv", &partners("weak", 24));
    let begun = Instant::now();
    let mut command = desk.submit_over(stack, &line, SECRETARIAT, &[&file, "--json"]);
    let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("it runs");
    let took = begun.elapsed();
    let report = json(&output, true);
    assert_eq!((&report["summary"]["rows"], &report["summary"]["done"]), (&48.into(), &48.into()), "{report}");
    println!("48 rows over 800 ms and 64 kbit/s took {took:?}");
    assert!(took < Duration::from_millis(800) * 48 / 2, "48 rows took {took:?}: one after the other");
    each_once(stack, "weak", 24);
}

#[tokio::test]
async fn a_line_that_is_cut_again_and_again_doubles_nothing_and_loses_nothing() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let quality = Quality { cut_after: &[4_000, 16_000, 1_000], ..WEAK };
    let line = WeakLine::to(stack.address("partnerships"), quality).await;
    let file = desk.file("x.csv", &partners("cut", 20));
    let mut command = desk.submit_over(stack, &line, SECRETARIAT, &[&file, "--json"]);
    let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("it runs");
    let report = json(&output, true);
    let summary = &report["summary"];
    println!("{} cuts: {summary}", line.cuts());
    assert!(line.cuts() > 1, "the line was not cut");
    let count = |what: &str| summary[what].as_u64().expect("a count");
    assert_eq!(count("done") + count("replayed"), 40, "{report}");
    each_once(stack, "cut", 20);
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_and_sends_nothing_twice() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let quality = Quality { delay: Duration::from_millis(40), bytes_per_second: 64_000, cut_after: &[] };
    let line = WeakLine::to(stack.address("partnerships"), quality).await;
    let file = desk.file("x.csv", &partners("killed", 30));
    let mut killed = 0;
    for round in 0..6_u64 {
        let mut command = desk.submit_over(stack, &line, SECRETARIAT, &[&file, "--json"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        tokio::time::sleep(Duration::from_millis(150 + 90 * round)).await;
        let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
        if child.try_wait().expect("it can be asked").is_none() {
            kill(pid, Signal::SIGKILL).expect("it can be killed");
            killed += 1;
        }
        child.wait().expect("it is gone");
    }
    assert!(killed > 2, "it was killed {killed} times only");
    let mut command = desk.submit_over(stack, &line, SECRETARIAT, &[&file, "--json"]);
    let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("it runs");
    let report = json(&output, true);
    println!("killed {killed} times: {}", report["summary"]);
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 60);
    for row in rows {
        let events = row["events"].as_array().expect("events");
        assert_eq!(events.len(), 1, "the report knows what each row did: {row}");
        assert!(events[0]["position"].as_u64() > Some(0), "{row}");
    }
    each_once(stack, "killed", 30);
    let nothing = json(&run(&mut desk.submit_over(stack, &line, SECRETARIAT, &["--resume", "--json"])), true);
    assert_eq!(nothing["summary"]["rows"], 0, "{nothing}");
}

#[tokio::test]
async fn without_a_line_rows_wait_and_go_when_it_is_there() {
    let stack = Stack::reference().await;
    let desk = Desk::new();
    let file = desk.file("x.csv", &partners("waits", 2));
    let token = desk.file("token", &stack.text(&["token", SECRETARIAT]));
    let outbox = desk.0.join("outbox");
    let submit = |port: u16, more: &[&str]| {
        let server = format!("partnerships=http://127.0.0.1:{port}");
        let mut command = Command::new(program());
        command.args(["submit", "--token", &token, "--server", &server, "--patience", "1", "--json", "--outbox"]);
        stack.surround(command.arg(&outbox).args(more));
        command
    };
    // Nothing listens there.
    let report = json(&run(&mut submit(9, &[&file])), false);
    assert_eq!(report["summary"]["waiting"], 4, "{report}");
    let port = stack.address("partnerships").port();
    let elsewhere = run(&mut submit(port, &["--resume"]));
    assert!(String::from_utf8_lossy(&elsewhere.stderr).contains("--moved"), "another address may be other services");
    let report = json(&run(&mut submit(port, &["--resume", "--moved"])), true);
    assert_eq!(report["summary"]["done"], 4, "{report}");
    each_once(stack, "waits", 2);
}
