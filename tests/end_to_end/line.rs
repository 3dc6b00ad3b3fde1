//! A weak line to a service: slow, narrow, and cut again and again.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// How long a byte is under way in each direction.
    pub delay: Duration,
    /// How many bytes a second each direction carries.
    pub bytes_per_second: u32,
    /// After how many bytes, both directions together, the first connection is cut, the second, and so on, again from
    /// the first of these; what is under way is lost. None: never.
    pub cut_after: &'static [u64],
}

/// A line to one port of this machine, until dropped.
pub struct WeakLine {
    pub port: u16,
    cuts: Arc<AtomicU64>,
    _connections: JoinSet<()>,
}

impl WeakLine {
    pub async fn to(target: SocketAddr, quality: Quality) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let cuts = Arc::new(AtomicU64::new(0));
        let counted = cuts.clone();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            let mut allowances = quality.cut_after.iter().copied().cycle();
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                while connections.try_join_next().is_some() {}
                let allowance = Allowance::of(allowances.next().unwrap_or(u64::MAX));
                connections.spawn(carry(client, target, quality, allowance, counted.clone()));
            }
        });
        Self { port, cuts, _connections: accepting }
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

/// What a connection may still carry.
struct Allowance {
    left: AtomicU64,
    used_up: Notify,
}

impl Allowance {
    fn of(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes), used_up: Notify::new() }
    }

    fn take(&self, bytes: usize) {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(bytes as u64);
        self.left.store(left, Ordering::Relaxed);
        if left == 0 {
            self.used_up.notify_one();
        }
    }
}

async fn carry(client: TcpStream, target: SocketAddr, quality: Quality, allowance: Allowance, cuts: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        biased;
        () = allowance.used_up.notified() => { cuts.fetch_add(1, Ordering::Relaxed); }
        () = pump(from_client, to_server, quality, &allowance) => {}
        () = pump(from_server, to_client, quality, &allowance) => {}
    }
}

/// Carries one direction: each piece leaves when the ones before it have, and arrives a delay later.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    quality: Quality,
    allowance: &Allowance,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let read = async move {
        let mut bytes = vec![0; 1024];
        let mut free = Instant::now();
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            let took = Duration::from_secs(1) * u32::try_from(read).expect("a KiB") / quality.bytes_per_second;
            free = free.max(Instant::now()) + took;
            // A narrow line takes no more than it can carry.
            sleep_until(free).await;
            if sender.send((free + quality.delay, bytes[..read].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
            allowance.take(bytes.len());
        }
    };
    tokio::join!(read, write);
}
