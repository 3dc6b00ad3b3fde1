//! Oversight as a process, on a real Postgres and NATS, beside three logs that tests write.

mod answers;
mod cutting;
mod house;
mod logs;
mod reading;
