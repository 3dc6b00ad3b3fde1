//! Requests that have come in part: how much of them one address may make us hold.
//!
//! A request is held until its last byte is there, and only then is it known who sends it. Without a limit, a hundred
//! streams on each of many connections, all stopping one byte before the end, would hold gigabytes for nobody.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use contracts::toguna::errors::v1::ErrorReason;
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};

use super::places::Peer;
use crate::status;

/// How much of unfinished requests one address may make us hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    mebibytes: u32,
}

impl Allowance {
    pub fn of(mebibytes: u32) -> Self {
        Self { mebibytes }
    }

    fn bytes(self) -> usize {
        usize::try_from(self.mebibytes).unwrap_or(usize::MAX).saturating_mul(1024 * 1024)
    }
}

/// A request's body. What has come of it counts until the body is dropped: until the message is read, or given up.
pub(crate) struct Counted {
    body: Body,
    peer: Arc<Peer>,
    allowance: Allowance,
    held: usize,
}

impl Counted {
    pub fn new(body: Body, peer: Arc<Peer>, allowance: Allowance) -> Self {
        Self { body, peer, allowance, held: 0 }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else { return Poll::Ready(None) };
        let came = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        self.held += came;
        let all = self.peer.unread.fetch_add(came, Ordering::Relaxed) + came;
        if all <= self.allowance.bytes() {
            return Poll::Ready(Some(frame));
        }
        let refused = status::refused(ErrorReason::TooMuchUnfinished);
        Poll::Ready(Some(Err(refused.with("mebibytes", self.allowance.mebibytes.to_string()).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.peer.unread.fetch_sub(self.held, Ordering::Relaxed);
    }
}
