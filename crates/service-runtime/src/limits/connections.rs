//! Connections: how many there may be, from whom, and how each one ends.
//!
//! Each connection is served by a gRPC server of its own, so that each may have its own age: were all the same, all
//! clients that came back after a restart would come back together for ever. When its time has come it is told so
//! (GOAWAY), its endless answers say goodbye, new calls go to another connection, and what is left after the grace is
//! cut off.

use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned},
    task::TaskTracker,
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::{
    Limits,
    places::{Peer, Place, Places, Standing},
    seconds,
};

/// What a client of HTTP/2 says first, and less than the shortest request of HTTP/1.1 that names a host.
const FIRST_BYTES: usize = 24;
/// What is read of a connection before others have their turn: of the smallest frames these are hundreds, each of which
/// may want an answer.
pub(super) const TURN_BYTES: usize = 4 * 1024;
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
    let places = Arc::new(Places::within(limits));
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
        let Some(place) = places.take(address) else {
            // Once for each would let whoever does it fill the disk.
            tracing::debug!(%address, "a connection too many was closed");
            continue;
        };
        // Small answers do not wait for larger ones.
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(place.standing.clone(), limits, stopping);
        let line = Line::new(stream, place, &connection, limits);
        served.spawn(serve(line, connection));
    }
    // Whoever connects from now on is refused at once.
    drop(listener);
    served.close();
    served.wait().await;
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
    standing: Arc<Standing>,
    idle: Duration,
    unverified_idle: Duration,
}

impl Connection {
    fn new(standing: Arc<Standing>, limits: &Limits, stopping: &CancellationToken) -> Self {
        Self {
            peer: standing.peer.clone(),
            leaving: stopping.child_token(),
            age: seconds(limits.age_seconds).mul_f64(rand::random_range(0.9..=1.1)),
            standing,
            idle: seconds(limits.idle_seconds),
            unverified_idle: seconds(limits.unverified_idle_seconds.min(limits.idle_seconds)),
        }
    }

    /// A call of a verified caller has come.
    pub fn becomes_known(&self) {
        self.standing.becomes_known();
    }

    /// A call has begun; it has ended when what this gives is dropped.
    pub fn begin(&self) -> Underway {
        self.standing.calls.fetch_add(1, Ordering::Relaxed);
        Underway(self.standing.clone())
    }

    /// Until it is to end, for whatever reason; those who answer its calls are told.
    pub async fn until_leaving(self) {
        let old = tokio::time::sleep_until(self.standing.opened + self.age);
        tokio::select! {
            () = self.leaving.cancelled() => {}
            () = old => {}
            () = self.until_idle() => {}
        }
        self.leaving.cancel();
    }

    async fn until_idle(&self) {
        loop {
            let limit = if self.standing.is_stranger() { self.unverified_idle } else { self.idle };
            let quiet = self.standing.opened + Duration::from_millis(self.standing.quiet_since.load(Ordering::Relaxed));
            let busy = self.standing.calls.load(Ordering::Relaxed) > 0;
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
pub(crate) struct Underway(Arc<Standing>);

impl Drop for Underway {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.quiet_since.store(now, Ordering::Relaxed);
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of a connection. It fails unless the first of them come in time, and when it has to give its place to
/// another; its place is free when it is closed.
pub(crate) struct Line {
    stream: TcpStream,
    /// Bytes that were read in this turn.
    read: usize,
    /// How many bytes must still come, until when.
    silent: Option<(usize, Pin<Box<Sleep>>)>,
    displaced: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: Place,
    /// Ends what waits for the connection to end.
    _closed: DropGuard,
}

impl Line {
    fn new(stream: TcpStream, place: Place, connection: &Connection, limits: &Limits) -> Self {
        let until = tokio::time::sleep(seconds(limits.handshake_seconds));
        Self {
            stream,
            read: 0,
            silent: Some((FIRST_BYTES, Box::pin(until))),
            displaced: Box::pin(place.standing.displaced.clone().cancelled_owned()),
            _place: place,
            _closed: connection.leaving.clone().drop_guard(),
        }
    }

    /// An error once another has its place; until then, whoever works on the line is woken when that happens.
    fn keeps_its_place(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.displaced.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.keeps_its_place(cx)?;
        if self.read >= TURN_BYTES {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = buffer.remaining().min(TURN_BYTES - self.read);
        let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut piece);
        let came = piece.filled().len();
        buffer.advance(came);
        self.read = if polled.is_pending() { 0 } else { self.read + came };
        let Some((missing, until)) = &mut self.silent else { return polled };
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
        self.keeps_its_place(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.keeps_its_place(cx)?;
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
