//! What can be said of the three logs together: the portfolio of a country, the chain of a contract, the scoreboard of
//! a framework, on two clocks. Read only: it has no log of its own and decides nothing.
//!
//! The way of a figure: the records that count come over NATS into tables ([`projections`]), from there into memory
//! ([`memory`]), where `figures` folds them for each question ([`grpc`]). Whoever replays the logs and folds them with
//! `figures` gets the same answer off line.

pub mod grpc;
pub mod memory;
pub mod projections;

use anyhow::Context as _;
use contracts::toguna::oversight::v1::oversight_service_server::OversightServiceServer;
use event_store::{Followers, Generations};
use figures::Log;
use service_runtime::{Parts, limited};

use crate::{
    grpc::Oversight,
    memory::Memory,
    projections::{MIGRATOR, Records, Tables},
};

/// Name of the service.
pub const SERVICE: &str = "oversight";

/// The shape of the tables. To be raised, so that they are filled anew, whenever `figures::counts` keeps records that it
/// did not keep before.
const READ_MODELS_VERSION: u32 = 1;

/// Builds the service.
pub async fn build(mut parts: Parts) -> anyhow::Result<Parts> {
    let owner_url = parts.config.database_url.expose();
    let generations = Generations::open(owner_url, SERVICE, READ_MODELS_VERSION, &MIGRATOR).await.context(
        "the tables cannot be opened; DATABASE_URL must name a running PostgreSQL and the owner of a database",
    )?;
    let tables = Tables::new(generations.live());
    let followers = Followers::new(generations).other_logs(&parts.nats);
    let followers = Log::ALL.into_iter().fold(followers, |followers, log| followers.projection(Records::of(log)));
    let memory = Memory::new(tables, parts.follow(followers));
    let filling = memory.clone();
    parts.ready_after(async move { filling.fill().await });
    parts.serve(limited!(OversightServiceServer::new(Oversight::new(parts.calls.clone(), memory))));
    Ok(parts)
}
