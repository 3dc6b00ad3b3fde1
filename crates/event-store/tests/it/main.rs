//! The event store on a real Postgres and NATS.

mod cases_append;
mod cases_follow;
mod cases_read;
mod followers;
mod freshness;
mod generations;
mod house;
mod log;
mod logins;
mod publication;
mod publishing;
mod races;
mod read_models;
mod relay;
mod relay_trouble;
mod roles;
mod stage;
mod tally;
mod tree;
mod wire;
