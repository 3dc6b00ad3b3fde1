//! The event store on a real Postgres and NATS.

mod followers;
mod freshness;
mod generations;
mod house;
mod log;
mod races;
mod read_models;
mod relay;
mod stage;
mod tally;
