//! What is published of the logs, taken home: checked by us and by programs of others, and folded to the figures that
//! the services answer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use harness::Program;
use jiff::Timestamp;
use serde_json::Value;
use toguna::local::random_hex;

use crate::stack::Stack;

/// How long a second's work may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A copy of what is published, as somebody took it home; gone when it is dropped.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Checkpoints before tiles: what a checkpoint speaks of is there before it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(from).expect("it can be read").map(|it| it.expect("an entry").path()).collect();
    paths.sort_by_key(|path| path.is_dir());
    for path in paths {
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("it can be copied");
        }
    }
}

impl Home {
    /// Taken once the witnesses have signed all that the logs hold now.
    async fn taken(stack: &Stack) -> Self {
        let status = stack.json(&["log", "status"]);
        let begun = Instant::now();
        for log in ["commitments", "disbursements", "partnerships"] {
            let head = status[log]["head"].as_u64().expect("a head");
            let published = stack.home().join("publication").join(log);
            while witnessed(&published) < head {
                assert!(begun.elapsed() < LIMIT, "{head} of {log} is not witnessed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let home = Self(std::env::temp_dir().join(format!("toguna-archive-{}", random_hex(6))));
        copy(&stack.home().join("publication"), &home.0);
        home
    }

    /// The folder of one log.
    fn log(&self, log: &str) -> PathBuf {
        only(&self.0.join(log))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path of text")
    }
}

/// The one folder in a folder.
fn only(folder: &Path) -> PathBuf {
    let mut below = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let first = below.next().expect("an epoch");
    assert!(below.next().is_none(), "{} has one epoch", folder.display());
    first
}

fn witnessed(log: &Path) -> u64 {
    let Ok(mut epochs) = fs::read_dir(log) else { return 0 };
    let text = epochs.next().and_then(|epoch| fs::read_to_string(epoch.ok()?.path().join("checkpoint")).ok());
    text.and_then(|text| text.lines().nth(1)?.parse().ok()).unwrap_or(0)
}

/// The verifier keys of a policy: those of the log, then those of its witnesses.
fn keys(folder: &Path) -> (Vec<String>, Vec<String>) {
    let policy = fs::read_to_string(folder.join("policy")).expect("a policy");
    let of = |kind: &str, place: usize| {
        let lines = policy.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|words| words.first() == Some(&kind)).map(|words| words[place].to_owned()).collect()
    };
    (of("log", 1), of("witness", 2))
}

/// Changes one byte of a file.
fn damage(file: &Path, byte: usize) {
    let mut bytes = fs::read(file).expect("it is there");
    bytes[byte] ^= 1;
    fs::write(file, bytes).expect("it can be written");
}

fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null()).output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn what_was_taken_home_is_sound_and_gives_the_figures_of_the_services() {
    let stack = Stack::shared().await;
    let known_at = Timestamp::now().to_string();
    let home = Home::taken(stack).await;
    let verdicts = stack.json(&["archive", "verify", home.path()]);
    let verdicts = verdicts.as_array().expect("a verdict for each log");
    assert_eq!(verdicts.len(), 3);
    for verdict in verdicts {
        assert_eq!(verdict["faults"], Value::Array(Vec::new()), "{verdict}");
        assert!(verdict["size"].as_u64() > Some(0) && verdict["witnesses"].as_array().is_some_and(|it| it.len() >= 2));
    }
    for report in [
        &["portfolio", "--as-of", "2016-12-11"][..],
        &["scoreboard", "frameworks/joint-valletta-action-plan"],
        &["chain", "contracts/t05-eutf-sah-ml-07-02"],
    ] {
        let view = ["--known-at", &known_at, "--json"];
        let on_line = stack.text(&[&["report"], report, &view].concat());
        let off_line = stack.text(&[&["archive", "report", home.path()], report, &view].concat());
        assert_eq!(off_line, on_line, "{report:?}");
    }
}

#[tokio::test]
async fn a_changed_byte_is_named_and_no_figure_is_made_of_it() {
    let stack = Stack::shared().await;
    let home = Home::taken(stack).await;
    let bundles = fs::read_dir(home.log("partnerships").join("tile/entries")).expect("bundles");
    let mut bundles: Vec<PathBuf> = bundles.map(|entry| entry.expect("an entry").path()).collect();
    bundles.sort();
    let first = bundles.iter().find(|path| path.is_file()).cloned();
    // A log of fewer than 256 events has its entries in a partial bundle: the newest is the one that counts.
    let newest = first.unwrap_or_else(|| {
        let partial = fs::read_dir(&bundles[0]).expect("partial bundles").map(|entry| entry.expect("an entry").path());
        partial.max_by_key(|path| path.file_name().and_then(|it| it.to_str()?.parse::<u64>().ok())).expect("a bundle")
    });
    damage(&newest, 40);
    let told = stack.run(&["archive", "verify", home.path(), "--lang", "en"]);
    assert!(!told.status.success() && said(&told).contains("! position 1,"), "{}", said(&told));
    let refused = stack.run(&["archive", "report", home.path(), "portfolio"]);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{}", said(&refused));
}

#[tokio::test]
async fn the_checksum_database_of_go_accepts_what_is_published_and_nothing_else() {
    let program = match Program::ready("sumdb", &["apt-get", "dpkg-deb"], &["./verify"]) {
        Ok(program) => program,
        Err(why) => return harness::not_tried("the verifier of Go's checksum database", &why),
    };
    let stack = Stack::shared().await;
    let home = Home::taken(stack).await;
    let verify = |folder: &Path| {
        let (logs, _) = keys(folder);
        let mut command = program.command();
        command.arg(folder).arg(&logs[0]);
        run(command)
    };
    for log in ["commitments", "disbursements", "partnerships"] {
        let output = verify(&home.log(log));
        assert!(output.status.success(), "{log}: {}", said(&output));
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(found["entries"].as_u64(), Some(witnessed(&home.0.join(log))), "{log}");
    }
    let damaged = home.log("commitments");
    damage(&damaged.join("checkpoint"), 60);
    assert!(!verify(&damaged).status.success(), "a checkpoint that was changed is refused");
}

#[tokio::test]
async fn another_verifier_of_transparency_logs_accepts_what_is_published_and_nothing_else() {
    let program = match Program::ready("tlog", &["sh"], &[".venv/bin/aics-tlog"]) {
        Ok(program) => program,
        Err(why) => return harness::not_tried("the verifier aics-tlog", &why),
    };
    let stack = Stack::shared().await;
    let home = Home::taken(stack).await;
    let verify = |folder: &Path, what: &[&str]| {
        let (logs, witnesses) = keys(folder);
        let mut command = program.command();
        command.args(what).arg("--tiles").arg(folder).args(["--log-key", &logs[0], "--quorum", "2"]);
        for witness in witnesses {
            command.args(["--witness-key", &witness]);
        }
        run(command)
    };
    let folder = home.log("disbursements");
    for what in
        [&["verify-checkpoint"][..], &["verify-inclusion", "--index", "0"], &["verify-inclusion", "--index", "17"]]
    {
        let output = verify(&folder, what);
        assert!(output.status.success(), "{what:?}: {}", said(&output));
    }
    damage(&folder.join("checkpoint"), 60);
    assert!(!verify(&folder, &["verify-checkpoint"]).status.success(), "a checkpoint that was changed is refused");
}
