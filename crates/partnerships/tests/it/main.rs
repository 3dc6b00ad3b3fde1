//! The service on a real Postgres and NATS, as a ministry calls it.

mod agreements;
mod dialogues;
mod pages;
mod partners;
mod queries;
mod records;
mod stage;
