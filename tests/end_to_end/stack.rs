//! A stack started as a user starts it, and the command line asked as a user asks it.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use jiff::SignedDuration;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use toguna::{
    language::Language,
    local::{
        child::{Child, Program, Signal},
        home::StackFile,
        identity::Identity,
        random_hex,
    },
    services::{self, Services, refusal::Refusal},
};
use tokio::sync::OnceCell;
use tonic::Status;
use uuid::Uuid;

static SHARED: OnceCell<Stack> = OnceCell::const_new();
static REFERENCE: OnceCell<Stack> = OnceCell::const_new();

/// How long the servers, the first tables and the whole scenario may take on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// The one stack of this process. It stops, and its files go, when the process is gone.
pub struct Stack {
    home: PathBuf,
    addresses: StackFile,
    identity: Identity,
    _up: Child,
}

/// A home without a stack yet; removed when dropped.
pub struct Home(PathBuf);

impl Home {
    pub fn new() -> Self {
        let home = env::temp_dir().join(format!("toguna-home-{}", random_hex(6)));
        fs::create_dir(&home).expect("a home can be made");
        Self(home)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        run(&self.0, arguments)
    }

    /// Where it is.
    pub fn path(&self) -> String {
        self.0.display().to_string()
    }

    /// Writes one of its files.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).expect("it can be written");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stack {
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::with_the_scenario).await
    }

    /// Another one of this process, with reference lists alone, for tests that write much.
    pub async fn reference() -> &'static Self {
        let loaded = |home: &Path| fs::read_to_string(home.join("loaded")).is_ok_and(|what| what == "reference");
        REFERENCE.get_or_init(|| Self::start(&["up", "--empty"], loaded)).await
    }

    /// Where a service answers.
    pub fn address(&self, service: &str) -> SocketAddr {
        self.addresses.services[service].address.parse().expect("an address")
    }

    /// The folder of all that it keeps.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Lets a command work with this stack, in English unless it says otherwise.
    pub fn surround(&self, command: &mut Command) {
        command.env("TOGUNA_HOME", &self.home).env("LANG", "C").env_remove("LC_ALL");
    }

    /// A stack of one's own, with empty logs.
    pub async fn without_the_scenario() -> Self {
        Self::start(&["up", "--no-demo"], |home| home.join("stack.json").exists()).await
    }

    /// A stack of one's own, with the scenario, for whoever spoils it.
    pub async fn with_the_scenario() -> Self {
        let loaded = |home: &Path| fs::read_to_string(home.join("loaded")).is_ok_and(|what| what == "demo");
        Self::start(&["up"], loaded).await
    }

    /// What a service said so far in its own log of what it does.
    pub fn told_by(&self, service: &str) -> String {
        fs::read_to_string(self.home.join(format!("{service}.log"))).expect("it says something")
    }

    /// A stack of one's own, with empty logs, whose processes have these variables in their environment.
    pub async fn told(environment: &[(&str, &str)]) -> Self {
        Self::start_told(environment, &["up", "--no-demo"], |home| home.join("stack.json").exists()).await
    }

    async fn start(arguments: &[&str], is_ready: impl Fn(&Path) -> bool) -> Self {
        Self::start_told(&[], arguments, is_ready).await
    }

    async fn start_told(environment: &[(&str, &str)], arguments: &[&str], is_ready: impl Fn(&Path) -> bool) -> Self {
        let home = env::temp_dir().join(format!("toguna-home-{}", random_hex(6)));
        fs::create_dir(&home).expect("a home can be made");
        if arguments.contains(&"--empty") || arguments.contains(&"--no-demo") {
            // The tests are anybody, on these too.
            fs::create_dir(home.join("keys")).expect("a folder can be made");
            fs::write(home.join("keys/organisations.toml"), "anybody = true\n").expect("it can be written");
        }
        let mut program = Program::new(&program(), home.join("up.log"), Signal::Terminate)
            .args(arguments)
            .env("TOGUNA_HOME", &home)
            .env("LANG", "C")
            .remove_after(Some(&home));
        for (name, value) in environment {
            program = program.env(name, value);
        }
        let mut up = program.start().expect("`toguna up` starts");
        up.until(READY_LIMIT, || is_ready(&home)).await.unwrap_or_else(|error| panic!("{error:#}"));
        let file = fs::read(home.join("stack.json")).expect("the stack says where it is");
        let addresses = serde_json::from_slice(&file).expect("it is JSON");
        let identity = Identity::open(&home.join("keys")).expect("the stack has keys");
        Self { home, addresses, identity, _up: up }
    }

    /// Process id of a service.
    pub fn pid(&self, service: &str) -> u32 {
        self.addresses.services[service].pid
    }

    /// What a command does, whatever comes of it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(&self.home, arguments)
    }

    /// What a command prints, as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// What a command prints.
    pub fn text(&self, arguments: &[&str]) -> String {
        let output = run(&self.home, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "toguna {}: {error}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("the output is text")
    }

    /// What a command that fails says.
    pub fn failure(&self, arguments: &[&str]) -> String {
        let output = run(&self.home, arguments);
        assert!(!output.status.success(), "toguna {} should fail", arguments.join(" "));
        assert!(output.stdout.is_empty(), "a failure prints no data");
        String::from_utf8(output.stderr).expect("an error is text")
    }

    /// Every event of a log.
    pub fn replay(&self, service: &str) -> Vec<Value> {
        let lines = self.text(&["replay", service, "--json"]);
        lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// When a version of a stream was recorded.
    pub fn recorded_at(&self, service: &str, stream: &str, version: u64) -> String {
        let events = self.replay(service);
        let event = events.iter().find(|event| event["stream"] == stream && event["version"] == version);
        event.expect("it was recorded")["recorded_at"].as_str().expect("it says when").to_owned()
    }

    /// Sends a command by gRPC, for `ROLE@ORGANISATION`, and gives its receipt.
    pub async fn call(&self, rpc: &str, caller: &str, person: &str, request: Value) -> Result<Value, Refusal> {
        let service = services::owner(rpc);
        Ok(self.ask(Language::En, service, rpc, caller, person, request).await?["receipt"].clone())
    }

    /// Makes any call for `ROLE@ORGANISATION`, or for nobody where that is empty. A command gets an id where it has none.
    pub async fn ask(
        &self,
        language: Language,
        service: &str,
        rpc: &str,
        caller: &str,
        person: &str,
        mut request: Value,
    ) -> Result<Value, Status> {
        let token = caller.split_once('@').map(|(role, organisation)| {
            let person = format!("{person}@{organisation}");
            let hour = SignedDuration::from_hours(1);
            self.identity.token(&[role], &format!("partners/{organisation}"), &person, hour).expect("a token")
        });
        let method = services::method(rpc).expect("an RPC");
        if method.input().get_field_by_name("request_id").is_some() && request["request_id"].is_null() {
            request["request_id"] = json!(Uuid::now_v7().to_string());
        }
        let request = DynamicMessage::deserialize(method.input(), request).expect("a request");
        let package = services::owner(method.parent_service().package_name()).to_owned();
        let services = Services::at([(package.as_str(), self.addresses.services[service].address.as_str())], language);
        let services = services.expect("the address is right");
        let answer = services.call(&method, &token.unwrap_or_default(), &request).await;
        Ok(serde_json::to_value(answer.expect("the call is made")?).expect("an answer is JSON"))
    }

    /// A token for a person of an organisation, for an hour.
    pub fn token(&self, roles: &[&str], organisation: &str, person: &str) -> String {
        self.identity.token(roles, organisation, person, SignedDuration::from_hours(1)).expect("a token")
    }

    /// Who is behind a pseudonym of the logs, as the directory says now.
    pub fn person(&self, pseudonym: &str) -> Option<String> {
        Identity::open(&self.home.join("keys")).expect("the stack has keys").person(pseudonym)
    }

    /// Files of the stack in which one of these texts stands, from its home.
    pub fn holding(&self, texts: &[&str]) -> Vec<String> {
        let mut grep = Command::new("grep");
        // Servers make and remove files meanwhile: that one is gone is no answer.
        grep.args(["--recursive", "--text", "--files-with-matches", "--fixed-strings", "--no-messages"]);
        for text in texts {
            grep.args(["-e", text]);
        }
        let found = grep.arg(".").current_dir(&self.home).output().expect("there is grep").stdout;
        String::from_utf8_lossy(&found).lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
    }

    /// Address of a service's database, as the service was told it.
    pub fn database(&self, service: &str) -> String {
        let told = fs::read(format!("/proc/{}/environ", self.pid(service))).expect("the service runs");
        let variable = told.split(|byte| *byte == 0).find_map(|it| it.strip_prefix(b"DATABASE_URL=".as_slice()));
        String::from_utf8(variable.expect("it was told").to_vec()).expect("an address is text")
    }

    /// A connection lives as long as the test that made it.
    pub fn services(&self) -> Services {
        let places = self.addresses.services.iter();
        let addresses = places.map(|(name, place)| (name.as_str(), place.address.as_str()));
        Services::at(addresses, Language::En).expect("the addresses are right")
    }

    /// Waits until oversight has seen what a receipt tells of.
    pub async fn seen(&self, receipt: &Value) {
        let method = services::method("toguna.oversight.v1.OversightService/GetPortfolio").expect("an RPC");
        let request = json!({ "country_code": "SN", "at_least_as_fresh": [receipt["consistencyToken"]] });
        let request = DynamicMessage::deserialize(method.input(), request).expect("a request");
        let hour = SignedDuration::from_hours(1);
        let token = self.identity.token(&["auditor"], "partners/auditor", "auditor", hour).expect("a token");
        self.services().call(&method, &token, &request).await.expect("the call is made").expect("it is seen in time");
    }
}

/// A day, as requests write it.
pub fn at(year: i32, month: i32, day: i32) -> Value {
    json!({ "year": year, "month": month, "day": day })
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .env("TOGUNA_HOME", home)
        .env("LANG", "C")
        .env_remove("LC_ALL")
        .output()
        .expect("the command line runs")
}

/// The program, built beside the tests.
pub fn program() -> PathBuf {
    let test = env::current_exe().expect("the test's own program");
    let folder = test.ancestors().nth(2).expect("the folder of the build");
    let program = folder.join("toguna");
    assert!(program.exists(), "{} is not built: cargo build --workspace --bins", program.display());
    program
}
