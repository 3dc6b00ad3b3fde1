//! The event store on a real Postgres and NATS.

mod log;
mod tally;
