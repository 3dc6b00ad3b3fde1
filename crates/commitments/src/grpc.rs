//! What callers can ask: each request becomes a command, or a read of the log or of the read models.

mod commitment;
mod correction;
mod cycle;
mod framework;
mod indicator;
mod initiative;
mod lookup;
mod parse;
mod status;

use contracts::toguna::commitments::v1::{
    commitment_service_server::CommitmentServiceServer, correction_service_server::CorrectionServiceServer,
    cycle_service_server::CycleServiceServer, framework_service_server::FrameworkServiceServer,
    indicator_service_server::IndicatorServiceServer, initiative_service_server::InitiativeServiceServer,
};
use event_store::{LivePool, Log};
use service_runtime::{Calls, Parts, limited};

/// Answers the calls of this service.
#[derive(Clone)]
pub struct Commitments {
    /// Verifies them.
    pub calls: Calls,
    /// Decides them.
    pub log: Log,
    /// Answers lists.
    pub lists: LivePool,
}

impl Commitments {
    /// Serves all of it.
    pub fn serve(self, parts: &mut Parts) {
        parts.serve(limited!(FrameworkServiceServer::new(self.clone())));
        parts.serve(limited!(CycleServiceServer::new(self.clone())));
        parts.serve(limited!(CommitmentServiceServer::new(self.clone())));
        parts.serve(limited!(InitiativeServiceServer::new(self.clone())));
        parts.serve(limited!(IndicatorServiceServer::new(self.clone())));
        parts.serve(limited!(CorrectionServiceServer::new(self)));
    }
}
