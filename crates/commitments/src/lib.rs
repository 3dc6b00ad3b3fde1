//! What partners promised under the frameworks of migration cooperation, and what became of it: frameworks with their
//! plans, commitments, reporting cycles, projects and policies, indicators.
//!
//! A call goes `grpc` → `domain` (the rules, pure) → `codec` → the log. `projections` follow our log and answer lists;
//! `reactions` follow that of partnerships and enter the standing of the agreements that commitments cite into ours.

mod codec;
pub mod domain;
mod grpc;
pub mod projections;
mod reactions;
mod resource;

use event_store::{Followers, Generations};
use service_runtime::{LogReaders, Parts};

use crate::grpc::Commitments;

/// Name of the service, and of its log.
pub const SERVICE: &str = "commitments";

/// Builds the service.
pub async fn build(mut parts: Parts) -> anyhow::Result<Parts> {
    let log = parts.open_log(LogReaders::Partners).await?;
    let owner_url = parts.config.database_url.expose();
    let generations = Generations::open(owner_url, SERVICE, projections::VERSION, &projections::MIGRATOR).await?;
    let lists = generations.live();
    let followers = Followers::new(generations)
        .own_log(&log)
        .other_logs(&parts.nats)
        .projection(projections::Frameworks { log: log.clone() })
        .projection(projections::Cycles { log: log.clone() })
        .projection(projections::Commitments { log: log.clone() })
        .projection(projections::Initiatives { log: log.clone() })
        .projection(projections::Indicators { log: log.clone() })
        .reaction(reactions::RecordAgreementStandings);
    parts.follow(followers);
    let calls = parts.calls.clone();
    Commitments { calls, log, lists }.serve(&mut parts);
    Ok(parts)
}
