//! The gRPC server of every service: its limits, health, reflection, and how it stops.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::{Server, server::TcpIncoming},
};

use crate::{health::Health, layer::CallLayer};

/// Largest request, compressed or not.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Largest answer, or message of a streamed answer.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;

/// How long calls that are being answered may go on when the service stops.
const LONGEST_DRAIN: Duration = Duration::from_secs(10);

/// Gives a generated server the limits and encodings that every server has.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server
            .max_decoding_message_size($crate::MAX_REQUEST_BYTES)
            .max_encoding_message_size($crate::MAX_RESPONSE_BYTES)
            .accept_compressed($crate::CompressionEncoding::Gzip)
            .accept_compressed($crate::CompressionEncoding::Zstd)
            .send_compressed($crate::CompressionEncoding::Gzip)
            .send_compressed($crate::CompressionEncoding::Zstd)
    };
}

/// What a server serves, with health and reflection for all of it.
pub(crate) struct Endpoints {
    routes: RoutesBuilder,
    pub health: Health,
}

impl Endpoints {
    /// Nothing yet.
    pub fn new() -> Self {
        let (health, server) = Health::new();
        let mut routes = Routes::builder();
        routes.add_service(server);
        Self { routes, health }
    }

    pub fn add<S>(&mut self, service: S)
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.health.add(S::NAME);
        self.routes.add_service(service);
    }

    /// Serves until `stopping`; health says SERVING once `ready` is done. Calls that are being answered then get a
    /// while to end.
    pub async fn serve(
        mut self,
        listener: TcpListener,
        ready: impl Future<Output = ()>,
        stopping: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(contracts::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health")
            .with_service_name("grpc.reflection.v1.ServerReflection");
        for name in self.health.services() {
            reflection = reflection.with_service_name(*name);
        }
        self.routes.add_service(reflection.build_v1()?);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let until = stopping.clone();
        let server = limits(Server::builder()).add_routes(self.routes.routes()).serve_with_incoming_shutdown(
            incoming,
            async move {
                until.cancelled().await;
            },
        );
        self.health.begin().await;
        let (ended, ()) = tokio::join!(drained(server, &stopping), self.health.follow(ready, &stopping));
        ended
    }
}

/// What protects a server from its clients: tonic switches two of hyper's own limits off unless they are set, the
/// number of streams a connection may have and that of streams it may make fail.
fn limits(server: Server) -> Server<tower::layer::util::Stack<CallLayer, tower::layer::util::Identity>> {
    server
        .max_concurrent_streams(100)
        .http2_max_local_error_reset_streams(Some(1024))
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .layer(CallLayer::default())
}

async fn drained<E: std::error::Error + Send + Sync + 'static>(
    server: impl Future<Output = Result<(), E>>,
    stopping: &CancellationToken,
) -> anyhow::Result<()> {
    let too_long = async {
        stopping.cancelled().await;
        tokio::time::sleep(LONGEST_DRAIN).await;
    };
    tokio::select! {
        ended = server => Ok(ended?),
        () = too_long => {
            tracing::warn!("calls that did not end in time were cut off");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
