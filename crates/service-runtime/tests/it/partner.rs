//! The copies of logs as a partner reads them from JetStream, in another language and with credentials that let it read
//! and do nothing else: the program that docs/replay.md shows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use contracts::toguna::log::v1::{self as pb, replay_log_response::Message};
use harness::Servers;
use serde_json::Value;
use service_runtime::LogReaders;

use crate::{
    following::restore,
    notes::{Service, by, environment, note},
    replay::{from, next, replay},
};

/// How long the copy may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Python with the client of NATS, installed on first use; `None`, saying why, where this machine cannot have one.
fn python() -> Option<PathBuf> {
    let (place, lock) = (file("../../.tools/partner"), file("tests/it/partner/nats-py.lock"));
    let (program, installed) = (place.join("bin/python"), place.join("installed.lock"));
    let wanted = fs::read(&lock).expect("the lock is there");
    if fs::read(&installed).is_ok_and(|had| had == wanted) {
        return Some(program);
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&place))
        .and_then(|()| run(Command::new(&program).args(pip).args(["--require-hashes", "--requirement"]).arg(&lock)));
    match made {
        Ok(()) => {
            fs::write(&installed, wanted).expect("it can be noted");
            Some(program)
        }
        Err(problem) => {
            harness::not_tried("a partner's way through JetStream, in Python with nats-py", &problem);
            None
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A partner's computer: the program, the address with the login, the log, and the file in which the program remembers.
struct Partner {
    python: PathBuf,
    address: String,
    log: &'static str,
    memory: PathBuf,
}

impl Drop for Partner {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.memory);
    }
}

impl Partner {
    fn runs(&self, script: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.python);
        command.arg(file(script)).arg(&self.address).arg(self.log).args(arguments);
        command.output().expect("Python runs")
    }

    fn reads(&self) -> Output {
        self.runs("../../docs/examples/read_stream.py", &[&self.memory.to_string_lossy()])
    }

    /// Reads, again and again, until it has so many events.
    async fn has(&self, count: usize) -> Vec<Value> {
        let (mut events, started) = (Vec::new(), Instant::now());
        while events.len() < count {
            let output = self.reads();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let lines = String::from_utf8(output.stdout).expect("text");
            events.extend(lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")));
            assert!(started.elapsed() < PATIENCE, "{} of {count} came", events.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(events.len(), count);
        events
    }
}

/// The stored bytes of a log, by gRPC, in hexadecimal.
async fn stored(service: &mut Service) -> Vec<(u64, String)> {
    let mut answers = replay(service, from(1)).await.expect("a replay");
    let mut stored = Vec::new();
    while let Some(message) = next(&mut answers).await {
        if let Message::Events(batch) = message {
            stored.extend(batch.events.iter().map(|event| (event.position, hex(&event.record))));
        }
    }
    stored
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn came(events: &[Value]) -> Vec<(u64, String)> {
    let record = |event: &Value| event["record"].as_str().expect("bytes").to_owned();
    events.iter().map(|event| (event["sequence"].as_u64().expect("a number"), record(event))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_reads_the_same_bytes_from_jetstream_and_can_do_nothing_else() {
    let Some(python) = python() else { return };
    let mut nats = Servers::shared().await.private_nats().await;
    // A login reads the copies of the logs that there are: this one has the name of one of them.
    let (log, mut environment) = ("partnerships", environment().await);
    environment.insert("NATS_URL", nats.service_url(log));
    let memory = std::env::temp_dir().join(format!("toguna-partner-{}.json", std::process::id()));
    let partner = Partner { python, address: nats.reader_url(), log, memory };
    let mut service = Service::start_in(log, &environment, LogReaders::Partners).await;
    for number in [1, 600, 2, 3] {
        service.note(number).await;
    }

    let first = partner.has(4).await;
    assert_eq!(came(&first), stored(&mut service).await, "sequence = position, and the stored bytes");
    let standing = service.log.get_log(by("auditor", pb::GetLogRequest {})).await.expect("an answer").into_inner();
    let epoch = hex(&standing.epoch);
    assert!(first.iter().all(|event| event["epoch"] == epoch.as_str()), "{first:?}");
    assert_eq!(first[1]["type"], "toguna.log.v1.Provenance");
    service.note(4).await;
    assert_eq!(partner.has(1).await[0]["sequence"], 5, "it goes on where it was");

    let tried = partner.runs("tests/it/partner/forbidden.py", &[]);
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    assert_eq!(String::from_utf8_lossy(&tried.stdout), "", "everything else is refused");

    // The broker loses all it has; the relay fills the stream again from the log, which is as it was.
    nats.stop().await.expect("it stops");
    fs::remove_dir_all(nats.store()).expect("it has files");
    nats.resume().await.expect("it starts");
    service.note(5).await;
    assert_eq!(partner.has(1).await[0]["sequence"], 6, "of the same epoch, it is the same stream");

    // The log is restored to an earlier state: the stream begins again, in another epoch.
    restore(&environment["DATABASE_URL"], 2).await;
    let started = Instant::now();
    while service.notes.propose_correction(by("aminata", note(7))).await.is_err() {
        assert!(started.elapsed() < PATIENCE, "the log comes back");
    }
    let told = loop {
        let output = partner.reads();
        assert!(output.stdout.is_empty(), "nothing of the new history is taken for the old one");
        if !output.status.success() {
            break output;
        }
        assert!(started.elapsed() < PATIENCE, "the stream is made again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(told.status.code(), Some(3));
    let problem = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(problem.contains(&format!("the epoch was {epoch}")), "{problem}");

    // Whoever begins anew reads the log as it is now.
    fs::remove_file(&partner.memory).expect("it remembers something");
    let anew = partner.has(3).await;
    assert_eq!(came(&anew), stored(&mut service).await);
    assert_ne!(anew[0]["epoch"], epoch.as_str());
}
