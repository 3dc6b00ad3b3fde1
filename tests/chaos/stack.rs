//! A private stack of real programs.

use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use harness::{Private, Servers};

/// The services that have a log.
pub const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];

/// Servers and services, each of which can be killed.
pub struct Stack {
    pub postgres: Private<toguna::local::postgres::Postgres>,
    pub nats: Private<toguna::local::nats::Nats>,
    pub services: BTreeMap<&'static str, Service>,
}

/// One service's program.
pub struct Service {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    pub port: u16,
    pub database_url: String,
    ready_file: PathBuf,
    child: Option<Child>,
}

impl Stack {
    pub async fn start() -> Self {
        let servers = Servers::shared().await;
        let postgres = servers.private_postgres().await;
        let nats = servers.private_nats().await;
        let mut services = BTreeMap::new();
        for name in LOGS {
            let database_url = postgres.database(name).await.expect("a database");
            services.insert(name, Service::new(name, database_url, &nats.url()));
        }
        let mut stack = Self { postgres, nats, services };
        stack.start_missing();
        stack.until_ready().await;
        stack
    }

    /// Starts every service that does not run.
    pub fn start_missing(&mut self) {
        self.services.values_mut().for_each(Service::start_if_missing);
    }

    /// Waits until all services are ready; one that gave up meanwhile is started again.
    pub async fn until_ready(&mut self) {
        let limit = Instant::now() + Duration::from_secs(90);
        while self.services.values().any(|service| !service.is_ready()) {
            assert!(Instant::now() < limit, "the services do not become ready");
            self.start_missing();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Service {
    fn new(name: &'static str, database_url: String, nats_url: &str) -> Self {
        // A port that nobody has now; the service gets the same one at each start, so that callers find it again.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let ready_file = env::temp_dir().join(format!("toguna-chaos-{}-{port}", std::process::id()));
        let mut environment = Vec::from(harness::environment());
        environment.extend([
            ("TOGUNA_LISTEN", format!("127.0.0.1:{port}")),
            ("TOGUNA_READY_FILE", ready_file.to_string_lossy().into_owned()),
            ("DATABASE_URL", database_url.clone()),
            ("NATS_URL", nats_url.to_owned()),
        ]);
        Self { program: program(name), environment, port, database_url, ready_file, child: None }
    }

    pub fn start_if_missing(&mut self) {
        let runs = self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()));
        if runs {
            return;
        }
        let _ = fs::remove_file(&self.ready_file);
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null());
        if env::var_os("CHAOS_LOGS").is_none() {
            command.stderr(Stdio::null());
        }
        self.child = Some(command.spawn().expect("the service's program starts"));
    }

    pub fn is_ready(&self) -> bool {
        self.ready_file.exists()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
        let _ = fs::remove_file(&self.ready_file);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program of a service, built beside the tests.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the test's own program");
    let folder = test.ancestors().nth(2).expect("the folder of the build");
    let program = folder.join(name);
    assert!(program.exists(), "{} is not built: cargo build --workspace --bins", program.display());
    program
}
