//! The servers under test. Each is a process of its own: this program again, with a hidden argument.

mod bare;
mod echo;
mod guarded;

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use toguna::local::child::{Child, Program, Signal};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tonic::transport::{Channel, Server as Grpc, server::TcpIncoming};

pub use self::bare::append as append_notes;
use crate::{ground::Ground, process::Watched, stage::Site};

/// How long a server may take to answer: one with a long log to follow needs a while.
const START_LIMIT: Duration = Duration::from_mins(30);
/// How long it may take to answer a call: longer, and the call has failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Names the file in which a server says where it listens, as our services have it.
const READY_FILE: &str = "TOGUNA_READY_FILE";

/// A server that this program can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Kind {
    /// Answers with what it was sent: the limit of this machine's gRPC.
    #[command(name = "serve-echo", hide = true)]
    Echo,
    /// The log under a server: no identity, policy, validation or tracing.
    #[command(name = "serve-bare", hide = true)]
    Bare,
    /// The log under all that surrounds a call of ours.
    #[command(name = "serve-guarded", hide = true)]
    Guarded,
    /// The same command without that.
    #[command(name = "serve-unguarded", hide = true)]
    Unguarded,
    /// The service as users get it.
    #[command(name = "serve-partnerships", hide = true)]
    Partnerships,
}

impl Kind {
    fn argument(self) -> &'static str {
        match self {
            Self::Echo => "serve-echo",
            Self::Bare => "serve-bare",
            Self::Guarded => "serve-guarded",
            Self::Unguarded => "serve-unguarded",
            Self::Partnerships => "serve-partnerships",
        }
    }

    /// Is that server, until told to stop.
    pub async fn serve(self) -> ExitCode {
        let ended = match self {
            Self::Echo => echo::serve().await,
            Self::Bare => bare::serve().await,
            Self::Unguarded => guarded::serve_unguarded().await,
            Self::Guarded => return service_runtime::run(partnerships::SERVICE, guarded::build).await,
            Self::Partnerships => {
                return service_runtime::run(partnerships::SERVICE, partnerships::build).await;
            }
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.argument());
                ExitCode::FAILURE
            }
        }
    }
}

/// A running server under test. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// From its start until it said where it listens.
    pub started_in: Duration,
}

impl Server {
    /// Starts one; its log is on `site`.
    pub async fn start(ground: &Ground, kind: Kind, site: Option<&Site>) -> Result<Self> {
        let folder = ground.folder(kind.argument())?;
        let ready = folder.join("ready");
        let program = env::current_exe()?;
        let mut program = Program::new(&program, folder.join("log"), Signal::Terminate)
            .args([kind.argument()])
            .env(READY_FILE, &ready)
            .env("TOGUNA_LISTEN", "127.0.0.1:0");
        for (name, value) in ground.environment() {
            program = program.env(name, value);
        }
        if let Some(site) = site {
            program = program.env("DATABASE_URL", &site.database_url).env("NATS_URL", site.nats.url());
        }
        let began = Instant::now();
        let mut child = program.start()?;
        child.until(START_LIMIT, || ready.exists()).await?;
        let started_in = began.elapsed();
        let address = fs::read_to_string(&ready)?.trim().parse().context("it says where it listens")?;
        Ok(Self { child, address, started_in })
    }

    /// Connections to it.
    pub async fn connect(&self, connections: usize) -> Result<Vec<Channel>> {
        let endpoint =
            Channel::from_shared(format!("http://{}", self.address))?.tcp_nodelay(true).timeout(ANSWER_LIMIT);
        let connections = (0..connections).map(|_| endpoint.connect());
        Ok(futures::future::try_join_all(connections).await?)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// What it alone uses, without the servers behind it.
    pub fn watch(&self) -> Watched {
        Watched::new([self.pid()])
    }

    /// Stops it in order.
    pub async fn stop(mut self) -> Result<()> {
        self.child.stop(STOP_LIMIT).await
    }
}

/// Serves what a benchmark made, with the same settings of gRPC as our services where they matter for speed.
async fn serve(routes: tonic::service::Routes) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ready = PathBuf::from(env::var_os(READY_FILE).context("TOGUNA_READY_FILE is not set")?);
    announce(&ready, listener.local_addr()?)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopping = async move {
        terminate.recv().await;
    };
    Ok(Grpc::builder()
        .max_concurrent_streams(100)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stopping)
        .await?)
}

/// Whoever looks sees all of it or nothing.
fn announce(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, address.to_string())?;
    fs::rename(unfinished, path)
}
