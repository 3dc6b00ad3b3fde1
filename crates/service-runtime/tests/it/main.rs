//! A whole service on a real Postgres and NATS, small enough to see what the process shell alone does.

mod commands;
mod lifecycle;
mod notes;
mod process;
mod replay;
