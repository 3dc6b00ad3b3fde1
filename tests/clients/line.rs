//! A bad line to a service: it loses the answer to one command, and every connection breaks after so many bytes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinSet,
    time::sleep,
};

/// How many bytes of answers a connection carries before it breaks: a message of a replay and a half, or three packed.
const CARRIES: usize = 200 * 1024;
/// How long each piece of 16 KiB is under way: what a connection brings must be read before it breaks.
const PACE: Duration = Duration::from_millis(10);

/// A line to one port of this machine, until dropped.
pub struct BadLine {
    pub port: u16,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct State {
    /// What the command whose answer is lost has in it.
    words: Vec<u8>,
    sent: AtomicBool,
    has_sent: Notify,
    breaks: Notify,
    broken: AtomicU64,
}

impl BadLine {
    /// A line that lets the first request pass in which these words are, and brings no answer to it.
    pub async fn losing(words: &str, target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State { words: words.into(), ..State::default() });
        let mut tasks = JoinSet::new();
        let shared = state.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                while connections.try_join_next().is_some() {}
                connections.spawn(carry(client, target, shared.clone()));
            }
        });
        Self { port, state, _tasks: tasks }
    }

    /// Until the request has passed.
    pub async fn has_sent(&self) {
        self.state.has_sent.notified().await;
    }

    /// Breaks the connection on which somebody waits for the answer.
    pub fn break_off(&self) {
        self.state.breaks.notify_one();
    }

    /// How many connections broke because they had carried as much as one does.
    pub fn broken(&self) -> u64 {
        self.state.broken.load(Ordering::Relaxed)
    }
}

async fn carry(client: TcpStream, target: SocketAddr, state: Arc<State>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let loses = AtomicBool::new(false);
    tokio::select! {
        () = requests(from_client, to_server, &state, &loses) => {}
        () = answers(from_server, to_client, &state, &loses) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, loses: &AtomicBool) {
    let (mut bytes, mut so_far) = (vec![0; 16 * 1024], Vec::new());
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if !state.sent.load(Ordering::Relaxed) {
            so_far.extend_from_slice(&bytes[..read]);
            if so_far.windows(state.words.len()).any(|words| words == state.words) {
                state.sent.store(true, Ordering::Relaxed);
                loses.store(true, Ordering::Relaxed);
                state.has_sent.notify_one();
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, loses: &AtomicBool) {
    let (mut bytes, mut carried) = (vec![0; 16 * 1024], 0);
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if loses.load(Ordering::Relaxed) {
            state.breaks.notified().await;
            return;
        }
        carried += read;
        if carried > CARRIES {
            state.broken.fetch_add(1, Ordering::Relaxed);
            return;
        }
        sleep(PACE).await;
        if to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
}
