//! `UmaDB`, an event store as a gRPC server of its own, called over one channel that all callers share.

mod wire;

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use bytes::Bytes;
use toguna::local::child::{Child, Program, Signal};
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use super::{Peer, content, installed, spread::spread, tally::Tally};
use crate::{
    ground::Ground,
    measure::{Outcome, Sample},
    process::Watched,
};

/// Its name and version.
pub const NAME: &str = "UmaDB 0.7.8";

/// How long its server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ready to be written to.
pub struct UmaDb {
    program: PathBuf,
    folder: PathBuf,
}

impl UmaDb {
    /// Finds its server; each measurement starts one.
    pub fn prepare(ground: &Ground) -> Result<Self> {
        let program = installed("umadb")?.join("bin/umadb");
        anyhow::ensure!(program.is_file(), "{} is not there", program.display());
        Ok(Self { program, folder: ground.folder("umadb")? })
    }

    /// A server with an empty log, and a channel to it, with the settings of its own client library.
    async fn start(&self) -> Result<(Child, Channel)> {
        let folder = self.folder.join(Uuid::now_v7().to_string());
        std::fs::create_dir(&folder)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let program = Program::new(&self.program, folder.join("server.log"), Signal::Interrupt);
        let listen = format!("127.0.0.1:{port}");
        let program = program.args(["--listen", &listen]).args(["--db-path".as_ref(), folder.as_os_str()]);
        let mut server = program.remove_after(Some(&folder)).start()?;
        server.until(PATIENCE, || TcpStream::connect(&listen).is_ok()).await.context("its server did not start")?;
        let endpoint = Endpoint::from_shared(format!("http://{listen}"))?.tcp_nodelay(true);
        let endpoint = endpoint.initial_stream_window_size(Some(4 << 20)).initial_connection_window_size(Some(8 << 20));
        Ok((server, endpoint.connect().await?))
    }
}

#[async_trait]
impl Peer for UmaDb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn note(&self) -> &'static str {
        "its server with its own settings, called over gRPC without encryption or identity, one shared channel; every \
         append on the condition that no event has the new stream's tag; a file format of its own, no SQL; positions are \
         in order of commit and without gaps"
    }

    async fn append(&self, callers: usize, events: usize, payload: usize, time: Duration) -> Result<Sample> {
        let (mut server, channel) = self.start().await?;
        let content = Bytes::from(content::bytes(payload));
        let tally = Arc::new(Tally::default());
        let (shared, counted) = (channel.clone(), tally.clone());
        let store = Watched::new([server.pid()]);
        let mut sample = spread(&store, callers, time, move |_, _| {
            let (channel, content, counted) = (shared.clone(), content.clone(), counted.clone());
            async move {
                let stream = format!("benchmarks/{}", Uuid::now_v7());
                let outcome = match wire::append(channel, &stream, events, &content).await {
                    Ok(_) => Outcome::Done,
                    Err(status) if status.code() == Code::FailedPrecondition => Outcome::Conflict,
                    Err(_) => Outcome::Failed,
                };
                counted.count(outcome, events)
            }
        })
        .await?;
        sample.peak_rss = store.peak_rss();
        let stored = wire::head(channel).await?;
        server.stop(PATIENCE).await?;
        tally.check(stored)?;
        Ok(sample)
    }
}
