//! The pages of a witness over HTTP/1.1, as C2SP tlog-witness has them. Whoever can reach it can ask it, so all that a
//! stranger can hold is bounded: connections, the time of each, and the bytes of a request.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Answer, TEXT, Witness, store::LogId};

/// Bytes of a request: a proof has at most 63 hashes of 45 bytes, a note a few lines.
const LONGEST_REQUEST: usize = 64 * 1024;
/// So many connections at once; whoever comes then waits.
const CONNECTIONS: usize = 256;
/// How long a connection may say nothing, and how long the head of a request may take.
const HEAD_LIMIT: Duration = Duration::from_secs(20);
/// How long a request's body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);
/// After that a connection ends with the request that it is at.
const CONNECTION_LIFE: Duration = Duration::from_mins(10);
/// How long the last request of a connection may take.
const LAST_REQUEST: Duration = Duration::from_secs(10);

/// Answers until `stop`, then finishes the requests that are under way.
pub async fn serve(witness: Arc<Witness>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let arrival = async {
            let place = places.clone().acquire_owned().await.expect("nobody closes it");
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (accepted, place) = arrival => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(witness.clone(), stream, stopped.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // No file is left for it, or it is gone again: others may still be served.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

async fn connection(witness: Arc<Witness>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
    // Answers are small, and whoever asks waits for each.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let witness = witness.clone();
        async move { Ok::<_, Infallible>(answer(witness, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(16 * 1024);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the caller's affair: it asks again.
    tokio::select! {
        _ = &mut connection => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = sleep(CONNECTION_LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_REQUEST, connection).await;
}

async fn answer(witness: Arc<Witness>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let page = path.strip_prefix('/').and_then(|path| path.strip_suffix("/checkpoint")).and_then(LogId::read);
    match (request.method(), page) {
        (&Method::POST, _) if path == "/add-checkpoint" => match body(request).await {
            Ok(body) => carried_out(move || witness.add_checkpoint(&body)).await,
            Err(refusal) => refusal,
        },
        (_, _) if path == "/add-checkpoint" => not_allowed("POST"),
        (&Method::GET | &Method::HEAD, Some(id)) => carried_out(move || witness.newest(&id)).await,
        (_, Some(_)) => not_allowed("GET, HEAD"),
        (_, None) => {
            plain(StatusCode::NOT_FOUND, "no such page: POST /add-checkpoint, GET /<SHA-256 of the origin>/checkpoint")
        }
    }
}

/// Files are read and written aside: nobody else's request waits for a disk.
async fn carried_out(act: impl FnOnce() -> Answer + Send + 'static) -> Response<Full<Bytes>> {
    match tokio::task::spawn_blocking(act).await {
        Ok(answer) => response(answer.status, answer.content_type, answer.body),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
    }
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Response<Full<Bytes>>> {
    let collected = timeout(BODY_LIMIT, Limited::new(request.into_body(), LONGEST_REQUEST).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 65,536 bytes"))
        }
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "the request was cut off")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "the request took too long")),
    }
}

fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "this page has other methods");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    response(status.as_u16(), TEXT, format!("{text}\n"))
}

fn response(status: u16, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
