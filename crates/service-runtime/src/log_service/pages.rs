//! What is published of a log, file by file (C2SP tlog-tiles): for those who may replay it, or for everybody.
//!
//! A page for readers of the log is a call of `ReplayLog` by another way: the doors of the web ask for it with an
//! extension that no caller can send, so that whoever may replay the log, as often as it may, is who gets it.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BytesMut;
use contracts::toguna::log::v1::log_service_server::LogServiceServer;
use event_store::{Epoch, Log};
use futures::{future::BoxFuture, stream};
use http::{HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, Take},
};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;
use transparency::Tile;

use super::Replays;
use crate::status;

/// Bytes of a file that are in memory at once.
const PIECE: usize = 64 * 1024;

/// The published files of one log.
#[derive(Clone)]
pub(crate) struct LogPages {
    log: Log,
    folder: PathBuf,
    /// Everybody may read them.
    pub is_public: bool,
}

/// What a door asks for in the place of a replay: the path of a page below that of the log.
#[derive(Debug, Clone)]
pub(crate) struct PageWanted(pub String);

/// A file that there may be.
struct Place {
    path: PathBuf,
    content_type: &'static str,
    /// It stays as it is, for ever.
    stays: bool,
}

impl LogPages {
    /// The log's files are below a folder, in one for each epoch.
    pub fn new(log: Log, folder: PathBuf, is_public: bool) -> Self {
        Self { log, folder, is_public }
    }

    /// The page at a path; `NOT_FOUND`: there is none.
    pub async fn answer(&self, path: &str) -> Result<Response<Body>, Status> {
        let nothing = || status::not_found(format!("log/{path}"));
        let place = self.place(path).ok_or_else(nothing)?;
        let file = File::open(&place.path).await.map_err(|_| nothing())?;
        let length = file.metadata().await.map_err(|error| status::internal(&error))?.len();
        let mut response = Response::new(streamed(file.take(length)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(place.content_type));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(match (place.stays, self.is_public) {
                (true, true) => "public, max-age=31536000, immutable",
                (true, false) => "private, max-age=31536000, immutable",
                (false, true) => "public, max-age=1",
                (false, false) => "private, max-age=1",
            }),
        );
        if !self.is_public {
            headers.insert(header::VARY, HeaderValue::from_static("authorization"));
        }
        Ok(response)
    }

    /// Only paths that are written for something are taken, letter by letter: none leads out of the folder.
    fn place(&self, path: &str) -> Option<Place> {
        let (epoch, name) = match path.strip_prefix("epochs/") {
            Some(rest) => {
                let (written, name) = rest.split_once('/')?;
                let epoch: Epoch = written.parse().ok()?;
                (Some(epoch).filter(|epoch| epoch.to_string() == written)?, name)
            }
            None => (self.log.epoch(), path),
        };
        let (content_type, stays) = match name {
            "checkpoint" | "signed" | "policy" => ("text/plain; charset=utf-8", false),
            "checkpoints.jsonl" => ("application/x-ndjson", false),
            "keys.json" => ("application/json", false),
            tile => tile.parse::<Tile>().ok().map(|_| ("application/octet-stream", true))?,
        };
        Some(Place { path: self.folder.join(epoch.to_string()).join(name), content_type, stays })
    }
}

/// A file, piece by piece, as fast as it is taken.
fn streamed(file: Take<File>) -> Body {
    let pieces = stream::try_unfold(file, async |mut file| {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await.map_err(|error| status::internal(&error))?;
        Ok::<_, Status>((read > 0).then(|| (Frame::data(piece.freeze()), file)))
    });
    Body::new(StreamBody::new(pieces))
}

/// The service of a log with its pages.
#[derive(Clone)]
pub(crate) struct WithPages {
    pub replays: Arc<Replays>,
    pub grpc: LogServiceServer<Replays>,
    pub pages: Option<LogPages>,
}

impl NamedService for WithPages {
    const NAME: &'static str = <LogServiceServer<Replays> as NamedService>::NAME;
}

impl Service<Request<Body>> for WithPages {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (Some(PageWanted(path)), Some(pages)) = (request.extensions().get().cloned(), self.pages.clone()) else {
            return self.grpc.call(request);
        };
        let replays = self.replays.clone();
        Box::pin(async move {
            let answered = async {
                // Nothing of its body was sent.
                replays.reader(&tonic::Request::from_http(request.map(drop))).await?;
                pages.answer(&path).await
            };
            Ok(answered.await.unwrap_or_else(Status::into_http))
        })
    }
}
