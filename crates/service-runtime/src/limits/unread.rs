//! Requests that have come in part: how much of them one address, and all together, may make us hold.
//!
//! A request is held until its last byte is there. Without a limit, a hundred streams on each of many connections, all
//! stopping one byte before the end, would hold gigabytes for nobody.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};

use super::shares::{Held, Share};

/// A request's body. What has come of it counts until the body is dropped: until the message is read, or given up.
pub(crate) struct Counted {
    body: Body,
    share: Arc<Share>,
    held: Option<Held>,
}

impl Counted {
    pub fn new(body: Body, share: Arc<Share>) -> Self {
        Self { body, share, held: None }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else { return Poll::Ready(None) };
        let came = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let more = self.share.hold(came)?;
        match &mut self.held {
            Some(held) => held.add(more),
            none => *none = Some(more),
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
