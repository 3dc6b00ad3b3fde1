//! The event store on a real Postgres and NATS.

mod followers;
mod freshness;
mod house;
mod log;
mod relay;
mod stage;
mod tally;
