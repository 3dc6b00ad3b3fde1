//! A whole service on a real Postgres and NATS, small enough to see what the process shell alone does.

mod commands;
mod connections;
mod evil;
mod following;
mod held;
mod identity;
mod journal;
mod lifecycle;
mod notes;
mod operations;
mod partner;
mod process;
mod replay;
mod resuming;
mod service_config;
mod strangers;
mod tls;
mod web;
