//! The command line `toguna`: a whole stack of one's own on one machine, its demonstration, and what an auditor or a
//! ministry asks of it.
//!
//! Start at `cli`, which says what can be asked; each file of `commands` answers one of them. `local` runs the servers;
//! `scenario` is the demonstration, as data; `submission` sends commands from tables; `services` calls any RPC by its name;
//! `witness` vouches for logs, `archive` checks them.

pub mod archive;
pub mod cli;
pub mod commands;
pub mod language;
pub mod local;
pub mod output;
pub mod records;
pub mod scenario;
pub mod services;
pub mod session;
pub mod submission;
pub mod witness;
pub mod words;
