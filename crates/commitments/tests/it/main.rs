//! The service of commitments over real gRPC, on a real Postgres and a real nats-server.

mod agreements;
mod corrections;
mod follow_up;
mod house;
mod initiatives;
mod lists;
mod queries;
mod refusals;
