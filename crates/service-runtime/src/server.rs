//! The gRPC server of every service: its limits, health, reflection, and how it stops.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::Server,
};

use crate::{
    Limits, Origins,
    health::Health,
    identity::Verifier,
    layer::CallLayer,
    limits::{connections, seconds, turns::TurnLayer},
    log_service::LogPages,
    metrics,
    tls::{Tls, secured},
    web::Front,
};

/// Largest request, compressed or not: four times the largest event, and more than the names of the largest batch. Read
/// into messages, a request of many small parts takes sixty times its bytes.
pub const MAX_REQUEST_BYTES: usize = 256 * 1024;
/// Largest answer, or message of a streamed answer.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// Largest metadata of a call, as HTTP/2 counts it.
const MAX_METADATA_BYTES: u32 = 16 * 1024;

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
    /// Whose pages may call from a browser.
    pub origins: Origins,
    /// What it speaks on each connection, where it is not plain text.
    pub tls: Option<Tls>,
    /// What is published of the log, where it is.
    pub pages: Option<LogPages>,
    /// Who may call our methods at all; without it the services alone say so.
    pub verifier: Option<Arc<Verifier>>,
    limits: Limits,
}

impl Endpoints {
    /// Nothing yet, within the limits that hold where nobody changed them.
    #[cfg(test)]
    pub fn new() -> Self {
        Self::within(Limits::default())
    }

    /// Nothing yet.
    pub fn within(limits: Limits) -> Self {
        let (health, server) = Health::new();
        let mut routes = Routes::builder();
        routes.add_service(server);
        Self { routes, health, origins: Origins::default(), tls: None, pages: None, verifier: None, limits }
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
        self.routes.add_service(reflection(self.health.services()).build_v1()?);
        // Older tools ask for this one.
        self.routes.add_service(reflection(self.health.services()).build_v1alpha()?);
        let (routes, limits, metrics) = (self.routes.routes(), self.limits.clone(), Arc::<metrics::Calls>::default());
        let front = Front::new(&self.origins, self.health.services(), self.pages.clone());
        let served = connections::serve_all(listener, &self.limits, &stopping, |line, connection| {
            let layer = CallLayer::new(metrics.clone(), connection.clone(), self.verifier.clone());
            let web = front.of(connection.peer.clone());
            let turns = TurnLayer::new(connection.peer.turns.clone());
            let server = limited(Server::builder(), &limits, connection.age);
            let mut server = server.layer(turns).layer(web).layer(layer);
            let server = server.add_routes(routes.clone());
            let incoming = stream::once(secured(self.tls.clone(), line)).chain(stream::pending());
            let ended = server.serve_with_incoming_shutdown(incoming, connection.until_leaving());
            async move {
                if let Err(error) = ended.await {
                    tracing::debug!(%error, "a connection failed");
                }
            }
        });
        self.health.begin().await;
        tokio::join!(drained(served, &stopping), self.health.follow(ready, &stopping));
        Ok(())
    }
}

/// What tells clients of everything that is served.
fn reflection<'a>(services: &[&'static str]) -> tonic_reflection::server::Builder<'a> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(contracts::DESCRIPTORS)
        // Whoever learns the API from reflection alone reads the details of refusals too.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health")
        .with_service_name("grpc.reflection.v1.ServerReflection")
        .with_service_name("grpc.reflection.v1alpha.ServerReflection");
    services.iter().fold(reflection, |reflection, name| reflection.with_service_name(*name))
}

/// What protects a server from its clients: tonic switches two of hyper's own limits off unless they are set, the
/// number of streams a connection may have and that of streams it may make fail.
///
/// Its own age only cuts off what is left when a connection's time and grace are over: that it is told to end before
/// is the matter of [`connections`].
fn limited(server: Server, limits: &Limits, age: Duration) -> Server {
    server
        .accept_http1(true)
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_max_header_list_size(MAX_METADATA_BYTES)
        .http2_max_local_error_reset_streams(Some(1024))
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .max_connection_age(age)
        .max_connection_age_grace(seconds(limits.grace_seconds))
}

/// Until all has ended, or stopping has taken too long.
async fn drained(served: impl Future<Output = ()>, stopping: &CancellationToken) {
    let too_long = async {
        stopping.cancelled().await;
        tokio::time::sleep(LONGEST_DRAIN).await;
    };
    tokio::select! {
        () = served => {}
        () = too_long => tracing::warn!("calls that did not end in time were cut off"),
    }
}

#[cfg(test)]
mod tests;
