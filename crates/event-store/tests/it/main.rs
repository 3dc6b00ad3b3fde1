//! The event store on a real Postgres and NATS.

mod log;
mod relay;
mod stage;
mod tally;
