//! What health says: of the server as a whole, of each service in it, and of what works behind them.

use futures::{
    Stream, StreamExt as _,
    stream::{BoxStream, FuturesUnordered},
};
use tokio_util::sync::CancellationToken;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health as HealthService, HealthServer},
    server::HealthReporter,
};

/// The health of one server.
pub(crate) struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
    parts: Vec<(String, BoxStream<'static, bool>)>,
}

impl Health {
    /// Of a server without services, and the service that tells it.
    pub fn new() -> (Self, HealthServer<impl HealthService>) {
        let (reporter, server) = tonic_health::server::health_reporter();
        (Self { reporter, services: Vec::new(), parts: Vec::new() }, server)
    }

    /// Names of the services.
    pub fn services(&self) -> &[&'static str] {
        &self.services
    }

    /// A service: it is served when the whole is.
    pub fn add(&mut self, service: &'static str) {
        self.services.push(service);
    }

    /// A part that works behind the services, and whether it is well. It has a name of its own among theirs, and makes
    /// none of them less healthy: they answer without it.
    pub fn watch(&mut self, part: impl Into<String>, is_well: impl Stream<Item = bool> + Send + 'static) {
        self.parts.push((part.into(), is_well.boxed()));
    }

    /// Nothing is served yet.
    pub async fn begin(&mut self) {
        set(&self.reporter, &self.services, ServingStatus::NotServing).await;
    }

    /// Says SERVING from `ready` until `stopping`.
    pub async fn follow(self, ready: impl Future<Output = ()>, stopping: &CancellationToken) {
        let Self { mut reporter, services, parts } = self;
        let names: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
        let telling: FuturesUnordered<_> =
            parts.into_iter().map(|(name, is_well)| tell(reporter.clone(), name, is_well)).collect();
        let serving = async {
            ready.await;
            set(&reporter, &services, ServingStatus::Serving).await;
            tracing::info!("serving");
            std::future::pending::<()>().await;
        };
        stopping.run_until_cancelled(async { tokio::join!(serving, telling.collect::<Vec<()>>()) }).await;
        set(&reporter, &services, ServingStatus::NotServing).await;
        // Whoever watches gets that last word, and then the end of the stream, which would keep the server from
        // stopping.
        for name in services.into_iter().chain([""]).chain(names.iter().map(String::as_str)) {
            reporter.clear_service_status(name).await;
        }
    }
}

async fn set(reporter: &HealthReporter, services: &[&str], status: ServingStatus) {
    for service in services.iter().chain(&[""]) {
        reporter.set_service_status(service, status).await;
    }
}

async fn tell(reporter: HealthReporter, part: String, mut is_well: BoxStream<'static, bool>) {
    let mut told = None;
    while let Some(well) = is_well.next().await {
        if told.replace(well) != Some(well) {
            let status = if well { ServingStatus::Serving } else { ServingStatus::NotServing };
            reporter.set_service_status(&part, status).await;
        }
    }
}
