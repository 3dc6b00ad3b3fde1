//! Connections: how many there may be, from whom, and how each one ends.
//!
//! Each connection is served by a gRPC server of its own, so that each may have its own age: were all the same, all
//! clients that came back after a restart would come back together for ever. When its time has come it is told so
//! (GOAWAY), its endless answers say goodbye, new calls go to another connection, and what is left after the grace is
//! cut off.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::{Limits, seconds};

/// What a client of HTTP/2 says first, and less than the shortest request of HTTP/1.1 that names a host.
const FIRST_BYTES: usize = 24;
/// After the process could not take a connection, for want of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stopping`, gives each to `serve`, and ends when the last one has ended.
///
/// `serve` serves one connection until it is told to end it in order.
pub(crate) async fn serve_all<F, S>(listener: TcpListener, limits: &Limits, stopping: &CancellationToken, serve: F)
where
    F: Fn(Line, Connection) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Places::default());
    let served = TaskTracker::new();
    while let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await {
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.take(address, limits) else {
            // Once for each would let whoever does it fill the disk.
            tracing::debug!(%address, "a connection too many was closed");
            continue;
        };
        // Small answers do not wait for larger ones.
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(place.peer.clone(), limits, stopping);
        let line = Line::new(stream, place, &connection, limits);
        served.spawn(serve(line, connection));
    }
    // Whoever connects from now on is refused at once.
    drop(listener);
    served.close();
    served.wait().await;
}

/// Who has how many connections.
#[derive(Default)]
struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: u32,
    of_peer: HashMap<IpAddr, Arc<Peer>>,
}

/// What one address takes of the service.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    connections: AtomicU32,
    /// Bytes of requests that have come in part.
    pub unread: AtomicUsize,
}

impl Places {
    fn take(self: &Arc<Self>, address: SocketAddr, limits: &Limits) -> Option<Place> {
        let address = network(address.ip());
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= limits.connections {
            return None;
        }
        let peer = taken.of_peer.entry(address).or_default().clone();
        if peer.connections.load(Ordering::Relaxed) >= limits.connections_per_peer {
            return None;
        }
        peer.connections.fetch_add(1, Ordering::Relaxed);
        taken.all += 1;
        Some(Place { places: self.clone(), address, peer })
    }
}

/// One who has many addresses of IPv6 has them in one network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// The place of one connection, free again when dropped.
struct Place {
    places: Arc<Places>,
    address: IpAddr,
    peer: Arc<Peer>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if self.peer.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            taken.of_peer.remove(&self.address);
        }
    }
}

/// What the calls of a connection know of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Who is at its other end.
    pub peer: Arc<Peer>,
    /// Cancelled when it takes no more calls: answers without an end are to end.
    pub leaving: CancellationToken,
    /// How old it gets.
    pub age: Duration,
    use_of: Arc<Use>,
    idle: Duration,
}

/// Whether a connection is used.
#[derive(Debug)]
struct Use {
    opened: Instant,
    calls: AtomicUsize,
    /// Milliseconds after it was opened at which the last call ended.
    quiet_since: AtomicU64,
}

impl Connection {
    fn new(peer: Arc<Peer>, limits: &Limits, stopping: &CancellationToken) -> Self {
        let use_of = Use { opened: Instant::now(), calls: AtomicUsize::new(0), quiet_since: AtomicU64::new(0) };
        Self {
            peer,
            leaving: stopping.child_token(),
            age: seconds(limits.age_seconds).mul_f64(rand::random_range(0.9..=1.1)),
            use_of: Arc::new(use_of),
            idle: seconds(limits.idle_seconds),
        }
    }

    /// A call has begun; it has ended when what this gives is dropped.
    pub fn begin(&self) -> Underway {
        self.use_of.calls.fetch_add(1, Ordering::Relaxed);
        Underway(self.use_of.clone())
    }

    /// Until it is to end, for whatever reason; those who answer its calls are told.
    pub async fn until_leaving(self) {
        let old = tokio::time::sleep_until(self.use_of.opened + self.age);
        tokio::select! {
            () = self.leaving.cancelled() => {}
            () = old => {}
            () = self.use_of.until_idle(self.idle) => {}
        }
        self.leaving.cancel();
    }
}

impl Use {
    async fn until_idle(&self, limit: Duration) {
        loop {
            let quiet = self.opened + Duration::from_millis(self.quiet_since.load(Ordering::Relaxed));
            let busy = self.calls.load(Ordering::Relaxed) > 0;
            let due = if busy { Instant::now() + limit } else { quiet + limit };
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// A call that has not ended.
#[derive(Debug)]
pub(crate) struct Underway(Arc<Use>);

impl Drop for Underway {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.quiet_since.store(now, Ordering::Relaxed);
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of a connection. It fails unless the first of them come in time; its place is free when it is closed.
pub(crate) struct Line {
    stream: TcpStream,
    /// How many bytes must still come, until when.
    silent: Option<(usize, Pin<Box<Sleep>>)>,
    _place: Place,
    /// Ends what waits for the connection to end.
    _closed: DropGuard,
}

impl Line {
    fn new(stream: TcpStream, place: Place, connection: &Connection, limits: &Limits) -> Self {
        let until = tokio::time::sleep(seconds(limits.handshake_seconds));
        let closed = connection.leaving.clone().drop_guard();
        Self { stream, silent: Some((FIRST_BYTES, Box::pin(until))), _place: place, _closed: closed }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some((missing, until)) = &mut self.silent else { return polled };
        let came = buffer.filled().len() - before;
        if came >= *missing {
            self.silent = None;
            return polled;
        }
        *missing -= came;
        if polled.is_pending() && until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Line {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}
