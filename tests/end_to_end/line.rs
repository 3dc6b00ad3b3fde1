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
    sync::{broadcast, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// How long a byte is under way in each direction.
    pub delay: Duration,
    /// How many bytes a second each direction carries.
    pub bytes_per_second: u32,
    /// It is cut after a time up to this, and again; what is under way is lost.
    pub cut_within: Option<Duration>,
}

/// A line to one port of this machine, until dropped.
pub struct WeakLine {
    pub port: u16,
    cuts: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl WeakLine {
    pub async fn to(target: SocketAddr, quality: Quality) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (cut, _) = broadcast::channel(1);
        let cuts = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        if let Some(within) = quality.cut_within {
            tasks.spawn(cut_again_and_again(cut.clone(), within, cuts.clone()));
        }
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                while connections.try_join_next().is_some() {}
                connections.spawn(carry(client, target, quality, cut.subscribe()));
            }
        });
        Self { port, cuts, _tasks: tasks }
    }

    /// How often it was cut while somebody was connected.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn cut_again_and_again(cut: broadcast::Sender<()>, within: Duration, cuts: Arc<AtomicU64>) {
    loop {
        // Chance enough: the first bytes of a random UUID.
        let chance =
            f64::from(u16::from_be_bytes([uuid::Uuid::new_v4().as_bytes()[0], uuid::Uuid::new_v4().as_bytes()[1]]));
        sleep(within.mul_f64(chance / f64::from(u16::MAX))).await;
        if cut.send(()).is_ok() {
            cuts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn carry(client: TcpStream, target: SocketAddr, quality: Quality, mut cut: broadcast::Receiver<()>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, quality) => {}
        () = pump(from_server, to_client, quality) => {}
        _ = cut.recv() => {}
    }
}

/// Carries one direction: each piece leaves when the ones before it have, and arrives a delay later.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, quality: Quality) {
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
        }
    };
    tokio::join!(read, write);
}
