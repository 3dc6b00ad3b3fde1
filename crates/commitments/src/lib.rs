//! The service of commitments: what partners promised under the frameworks of migration cooperation, and what became
//! of it. Frameworks with their plans, promises, reporting cycles, projects and policies, indicators.
//!
//! Not here: agreements between partners (partnerships) and the money of trust funds (disbursements). A command goes
//! `grpc` → `domain` → `codec` → the log; from there `projections` make the lists. Start at `domain`.

mod codec;
pub mod domain;
mod grpc;
mod projections;
mod reactions;
mod resource;

use contracts::toguna::commitments::v1::{
    commitment_service_server::CommitmentServiceServer, correction_service_server::CorrectionServiceServer,
    cycle_service_server::CycleServiceServer, framework_service_server::FrameworkServiceServer,
    indicator_service_server::IndicatorServiceServer, initiative_service_server::InitiativeServiceServer,
};
use event_store::{Followers, open_read_models};
use service_runtime::{LogReaders, Parts, limited};

use crate::{
    grpc::Api,
    projections::{
        commitments::Commitments, cycles::Cycles, frameworks::Frameworks, indicators::Indicators,
        initiatives::Initiatives,
    },
    reactions::RecordAgreementStandings,
};

/// Version of the read models: another one is built beside the old.
const READ_MODELS: u32 = 1;

/// Builds the service: its log, what follows logs, and what it serves.
pub async fn build(mut parts: Parts) -> anyhow::Result<Parts> {
    let log = parts.open_log(LogReaders::Partners).await?;
    let owner = parts.config.database_url.expose();
    let read_models = open_read_models(owner, log.name(), READ_MODELS, &sqlx::migrate!()).await?;
    let followers = Followers::new(read_models.clone())
        .own_log(&log)
        .other_logs(&parts.nats)
        .projection(Frameworks { log: log.clone() })
        .projection(Cycles { log: log.clone() })
        .projection(Commitments { log: log.clone() })
        .projection(Initiatives { log: log.clone() })
        .projection(Indicators { log: log.clone() })
        .reaction(RecordAgreementStandings);
    parts.follow(followers);
    let api = Api::new(parts.calls.clone(), log, read_models);
    parts.serve(limited!(FrameworkServiceServer::new(api.clone())));
    parts.serve(limited!(CycleServiceServer::new(api.clone())));
    parts.serve(limited!(CommitmentServiceServer::new(api.clone())));
    parts.serve(limited!(InitiativeServiceServer::new(api.clone())));
    parts.serve(limited!(IndicatorServiceServer::new(api.clone())));
    parts.serve(limited!(CorrectionServiceServer::new(api)));
    Ok(parts)
}
