//! What can be asked of `check`.

use std::path::PathBuf;

use clap::Parser;

/// Judges logs, their copies in JetStream and what clients saw, from the outside: raw tables, raw streams, a history.
/// Prints what it looked at and its verdict; fails where anything does not hold.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// A log and the address of its database, read as its owner: `partnerships=postgres://…`. Once for each log, or all
    /// in the environment, separated by spaces: whoever lists programs sees the passwords in their arguments.
    #[arg(long = "log", value_name = "NAME=URL", required = true, value_delimiter = ' ')]
    #[arg(env = "CHECK_LOGS", hide_env_values = true)]
    pub logs: Vec<String>,
    /// Address of NATS: `nats://user:password@host:port`.
    #[arg(long, value_name = "URL", env = "CHECK_NATS", hide_env_values = true)]
    pub nats: String,
    /// What clients and consumers saw, as `make chaos` keeps it: one JSON object a line. Without it only what the logs
    /// and their copies show by themselves is judged.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// How many seconds copies and followers may take to catch up before they are judged.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
    /// Write the rows of the read models to this file, to be compared after they were folded anew.
    #[arg(long, value_name = "FILE")]
    pub keep_read_models: Option<PathBuf>,
    /// Compare the rows of the read models, folded anew meanwhile, with those of a file that was kept before.
    #[arg(long, value_name = "FILE")]
    pub compare_read_models: Option<PathBuf>,
}
