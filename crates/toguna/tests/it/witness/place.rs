//! A witness as its operator runs it, and whoever asks it over HTTP.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long a program may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A folder of the test's own; removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("toguna-witness-{}", toguna::local::random_hex(6)));
        fs::create_dir(&folder).expect("a folder can be made");
        Self(folder)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks the program for something about a store.
pub fn toguna(store: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toguna"));
    command.env("TOGUNA_WITNESS_STORE", store).env("LANG", "C").env_remove("LC_ALL").env_remove("LC_MESSAGES");
    command.args(arguments).output().expect("the program runs")
}

/// What the program prints as JSON.
pub fn json(store: &Path, arguments: &[&str]) -> Value {
    let output = toguna(store, &[arguments, &["--json"]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// Why the program did not do what it was asked.
pub fn refusal(store: &Path, arguments: &[&str]) -> String {
    let output = toguna(store, arguments);
    assert!(!output.status.success(), "{arguments:?} went well");
    String::from_utf8(output.stderr).expect("it is text")
}

/// A store that is served. Killed when dropped.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    pub fn start(store: &Path) -> Self {
        let ready = store.join("ready");
        let _ = fs::remove_file(&ready);
        let mut child = Command::new(env!("CARGO_BIN_EXE_toguna"))
            .args(["witness", "serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .spawn()
            .expect("the program runs");
        let begun = Instant::now();
        while !ready.exists() {
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none() && begun.elapsed() < LIMIT, "it does not answer: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        let address = fs::read_to_string(ready).expect("it says where").trim().parse().expect("an address");
        Self { child, address }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends a checkpoint for its signature.
    pub fn add(&self, request: &str) -> Answer {
        self.ask("POST", "/add-checkpoint", request)
    }

    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = self.send(method, path, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        Answer::read(&answer)
    }

    /// Sends a request and does not wait for the answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit can be set");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: witness\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it reads");
        stream
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: "));
        Self { status, content_type: content_type.unwrap_or_default().to_owned(), body: body.to_owned() }
    }
}
