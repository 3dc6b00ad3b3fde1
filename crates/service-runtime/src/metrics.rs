//! Rate, errors and duration of every RPC: one histogram says all three.

use std::time::Duration;

use opentelemetry::{KeyValue, global, metrics::Histogram};

/// Seconds; a command takes a few milliseconds, a patient query up to a minute.
const BOUNDARIES: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The figures of a server's calls.
pub(crate) struct Calls {
    duration: Histogram<f64>,
}

impl Default for Calls {
    fn default() -> Self {
        let duration = global::meter("toguna")
            .f64_histogram("rpc.server.call.duration")
            .with_unit("s")
            .with_description("Duration of calls, streamed answers included.")
            .with_boundaries(BOUNDARIES.to_vec())
            .build();
        Self { duration }
    }
}

impl Calls {
    /// A call ended.
    pub fn ended(&self, method: &str, code: &'static str, duration: Duration) {
        let attributes = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", method.to_owned()),
            KeyValue::new("rpc.response.status_code", code),
        ];
        self.duration.record(duration.as_secs_f64(), &attributes);
    }
}
