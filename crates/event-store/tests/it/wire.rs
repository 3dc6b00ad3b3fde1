//! A line to a nats-server that can be cut in the middle of a batch.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// When the line is cut, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The batch's messages have gone through; the one that would have it stored has not.
    BeforeCommit,
    /// The batch is stored, and nobody hears of it.
    BeforeAnswer,
}

/// What marks the message that has a batch stored.
const COMMIT: &[u8] = b"Nats-Batch-Commit";
/// What marks the answer to it.
const ANSWER: &[u8] = b"\"batch\":";

/// The line. It passes everything on, before it was cut and again afterwards.
pub struct Wire {
    address: SocketAddr,
    server: String,
    cuts: Arc<AtomicUsize>,
}

impl Wire {
    /// A line to the server at a URL, which is cut at the next opportunity.
    pub async fn to(server: &str, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cuts, server) = (Arc::new(AtomicUsize::new(0)), server.to_owned());
        let target = server.rsplit('@').next().expect("a host").to_owned();
        let counted = cuts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(&target).await {
                    tokio::spawn(pass(client, server, cut, counted.clone()));
                }
            }
        });
        Self { address, server, cuts }
    }

    /// The server's URL, by this line.
    pub fn url(&self) -> String {
        let login = self.server.rsplit_once('@').expect("a login").0;
        format!("{login}@{}", self.address)
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn pass(client: TcpStream, server: TcpStream, cut: Cut, cuts: Arc<AtomicUsize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let (committed, mut is_committed) = watch::channel(false);
    let (ours, theirs) = (cuts.clone(), cuts);
    let there = async move {
        let (mut chunk, mut seen) = (vec![0; 16 * 1024], Vec::new());
        while let Ok(length @ 1..) = from_client.read(&mut chunk).await {
            let commits = ours.load(Ordering::Relaxed) == 0 && holds(&mut seen, &chunk[..length], COMMIT);
            if commits && cut == Cut::BeforeCommit {
                ours.fetch_add(1, Ordering::Relaxed);
                return;
            }
            committed.send_if_modified(|committed| !std::mem::replace(committed, *committed || commits) && commits);
            if to_server.write_all(&chunk[..length]).await.is_err() {
                return;
            }
        }
    };
    let back = async move {
        let (mut chunk, mut seen) = (vec![0; 16 * 1024], Vec::new());
        while let Ok(length @ 1..) = from_server.read(&mut chunk).await {
            let answers = *is_committed.borrow_and_update() && holds(&mut seen, &chunk[..length], ANSWER);
            if answers && cut == Cut::BeforeAnswer && theirs.fetch_add(1, Ordering::Relaxed) == 0 {
                return;
            }
            if to_client.write_all(&chunk[..length]).await.is_err() {
                return;
            }
        }
    };
    // Where one direction ends, both do, and with them the connections.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// Whether a text was sent by now, also where it came in two pieces.
fn holds(seen: &mut Vec<u8>, chunk: &[u8], text: &[u8]) -> bool {
    seen.extend_from_slice(chunk);
    let found = seen.windows(text.len()).any(|window| window == text);
    seen.drain(..seen.len().saturating_sub(text.len() - 1));
    found
}
