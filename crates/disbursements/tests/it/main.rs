//! The whole service, on a real Postgres and NATS, through gRPC alone.

mod ceilings;
mod chain;
mod corrections;
mod house;
mod journal;
mod lists;
mod queries;
mod reading;
mod refusals;
mod standings;
