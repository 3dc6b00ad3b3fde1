//! Turns: what one address may make the threads do at a time that is long. Whoever sends large requests on many
//! connections would otherwise fill all threads with the reading of them.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;
use tonic::{Status, body::Body};
use tower::{Layer, Service};

/// To read a request longer than this is a long step: an address takes one of these at a time, so that its large lists
/// do not fill all threads.
const LARGE_BYTES: usize = 16 * 1024;

/// The turns of one address. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    large: Arc<Semaphore>,
}

impl Turns {
    /// All of them free.
    pub fn new() -> Self {
        Self { large: Arc::new(Semaphore::new(1)) }
    }
}

/// A call that goes each step in a turn once its request is a large one. Whoever is given a turn must be polled to give
/// it back: this is for calls, which always are, and not for answers, which are not while their window is shut.
struct InTurn<F> {
    call: F,
    turns: PollSemaphore,
    /// Bytes of its request.
    came: Arc<AtomicUsize>,
}

impl<F: Future + Unpin> Future for InTurn<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let is_large = self.came.load(Ordering::Relaxed) > LARGE_BYTES;
        let _turn = if is_large { ready!(self.turns.poll_acquire(cx)) } else { None };
        Pin::new(&mut self.call).poll(cx)
    }
}

/// A request, whose length is noted as it comes. Once it is a large one it goes on only in the next turn, which is one
/// for those.
struct Weighed {
    body: Body,
    came: Arc<AtomicUsize>,
    kept: Option<Frame<Bytes>>,
}

impl http_body::Body for Weighed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(frame) = self.kept.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()? else {
            return Poll::Ready(None);
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let before = self.came.fetch_add(bytes, Ordering::Relaxed);
        if before <= LARGE_BYTES && before + bytes > LARGE_BYTES {
            self.kept = Some(frame);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.kept.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.kept {
            None => self.body.size_hint(),
            Some(_) => SizeHint::default(),
        }
    }
}

/// Surrounds everything that answers on a connection.
#[derive(Debug, Clone)]
pub(crate) struct TurnLayer(Turns);

impl TurnLayer {
    /// That of a connection of whoever has these turns.
    pub fn new(turns: Turns) -> Self {
        Self(turns)
    }
}

impl<S> Layer<S> for TurnLayer {
    type Service = Turning<S>;

    fn layer(&self, inner: S) -> Turning<S> {
        Turning { inner, turns: self.0.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Turning<S> {
    inner: S,
    turns: Turns,
}

impl<S> Service<Request<Body>> for Turning<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let came = Arc::<AtomicUsize>::default();
        let weighed = came.clone();
        let turns = PollSemaphore::new(self.turns.large.clone());
        let request = request.map(|body| Body::new(Weighed { body, came: weighed, kept: None }));
        Box::pin(InTurn { call: Box::pin(self.inner.call(request)), turns, came })
    }
}

#[cfg(test)]
mod tests;
