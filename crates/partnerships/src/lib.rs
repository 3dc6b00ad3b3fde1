//! Who works with whom, on what terms: partners, dialogues, agreements.
//!
//! A call goes `grpc` → `domain` (the rules, pure) → `codec` → the log. `projections` follow our log and answer lists;
//! `resource` is how both show what is known. What was promised is in `commitments`, what is paid in `disbursements`;
//! they learn of agreements from our events.

mod codec;
pub mod domain;
mod grpc;
pub mod projections;
mod resource;

use event_store::{Followers, Generations};
use service_runtime::{LogReaders, Parts};

use crate::{
    grpc::Partnerships,
    projections::{Agreements, Dialogues, Partners},
};

/// Name of the service, and of its log.
pub const SERVICE: &str = "partnerships";

/// Builds the service.
pub async fn build(mut parts: Parts) -> anyhow::Result<Parts> {
    let log = parts.open_log(LogReaders::Partners).await?;
    let owner_url = parts.config.database_url.expose();
    let generations = Generations::open(owner_url, SERVICE, projections::VERSION, &projections::MIGRATOR).await?;
    let lists = generations.live();
    let followers = Followers::new(generations)
        .own_log(&log)
        .projection(Partners { log: log.clone() })
        .projection(Dialogues { log: log.clone() })
        .projection(Agreements { log: log.clone() });
    parts.follow(followers);
    let calls = parts.calls.clone();
    Partnerships { calls, log, lists }.serve(&mut parts);
    Ok(parts)
}
