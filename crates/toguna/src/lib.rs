//! The command line `toguna`: a whole stack of one's own on one machine, its demonstration, and what an auditor or a
//! ministry asks of it.
//!
//! Start at `local`, which runs the servers; `scenario` is the demonstration, as data; `services` calls any RPC by its
//! name.

pub mod language;
pub mod local;
pub mod scenario;
pub mod services;
