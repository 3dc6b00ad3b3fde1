//! What a trust fund holds, decides, contracts and pays: from pledge to payment.
//!
//! A call goes `grpc` → `domain` (the rules, pure) → `codec` → the log; `ties` is what ties several streams together in
//! one append. `projections` follow our log and answer lists; `reactions` follow the logs of partnerships and
//! commitments and enter what we rely on into ours.

mod codec;
pub mod domain;
mod grpc;
pub mod projections;
mod reactions;
mod resource;
mod ties;

use event_store::{Followers, Generations};
use service_runtime::{LogReaders, Parts};

use crate::{
    domain::authority::{
        ACCOUNTING_OFFICER, AUDITOR, AUTHORISING_OFFICER, COMMITTEE_CHAIR, COMMITTEE_MEMBER, CONTRACTING_AUTHORITY,
        DONOR, FUND_MANAGER, NATIONAL_COUNTERPART, OBSERVER, PAYMENT_VERIFIER,
    },
    grpc::Disbursements,
};

/// Name of the service, and of its log.
pub const SERVICE: &str = "disbursements";
/// The log is read whole by the fund's members and its auditors; all others see lists and resources.
const LOG_READERS: LogReaders = LogReaders::Roles(&[
    AUDITOR,
    COMMITTEE_MEMBER,
    COMMITTEE_CHAIR,
    OBSERVER,
    NATIONAL_COUNTERPART,
    DONOR,
    FUND_MANAGER,
    CONTRACTING_AUTHORITY,
    PAYMENT_VERIFIER,
    AUTHORISING_OFFICER,
    ACCOUNTING_OFFICER,
]);

/// Builds the service.
pub async fn build(mut parts: Parts) -> anyhow::Result<Parts> {
    let log = parts.open_log(LOG_READERS).await?;
    let url = parts.config.database_url.expose();
    let generations = Generations::open(url, SERVICE, projections::VERSION, &projections::MIGRATOR).await?;
    let lists = generations.live();
    let followers = Followers::new(generations)
        .own_log(&log)
        .other_logs(&parts.nats)
        .projection(projections::Funds { log: log.clone() })
        .projection(projections::Contributions { log: log.clone() })
        .projection(projections::Decisions { log: log.clone() })
        .projection(projections::Contracts { log: log.clone() })
        .projection(projections::Payments { log: log.clone() })
        .reaction(reactions::RecordAgreementStandings)
        .reaction(reactions::RecordCommitmentStandings);
    parts.follow(followers);
    let calls = parts.calls.clone();
    Disbursements { calls, log, lists }.serve(&mut parts);
    Ok(parts)
}
