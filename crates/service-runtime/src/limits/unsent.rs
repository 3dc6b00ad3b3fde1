//! Answers that have not been taken: how much of them one address, and all together, may make us hold.
//!
//! An answer is made whether its caller reads or not; from then on its bytes wait here and in the server's buffers, up
//! to four mebibytes for each call. They count until the last of them has gone out, or the call is given up.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};

use super::shares::Share;

/// What is given to the server's buffers at a time: some encrypt a copy of all that they have.
const PIECE: usize = 64 * 1024;

/// The same frame, whose bytes count until they have gone.
pub(crate) fn kept(frame: Frame<Bytes>, share: &Arc<Share>) -> Result<Frame<Bytes>, Status> {
    match frame.into_data() {
        Ok(bytes) => share.keep(bytes).map(Frame::data),
        Err(frame) => Ok(frame),
    }
}

/// An answer without trailers: it breaks off where it would be too much.
pub(crate) struct Counted {
    body: Body,
    share: Arc<Share>,
    rest: Bytes,
}

impl Counted {
    pub fn new(body: Body, share: Arc<Share>) -> Self {
        Self { body, share, rest: Bytes::new() }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else { return Poll::Ready(None) };
            match frame?.into_data() {
                Ok(bytes) => self.rest = self.share.keep(bytes)?,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
