//! Where the services are, and who calls: asked the same way by every command that works from afar.

use std::path::PathBuf;

use clap::Args;

/// How services are reached.
#[derive(Debug, Clone, Args)]
pub struct Reach {
    /// Where the services answer: a URL, or NAME=URL for each [default: the local stack]
    #[arg(long = "server", value_name = "URL", env = "TOGUNA_SERVERS", value_delimiter = ',')]
    pub servers: Vec<String>,
    /// Certificates (PEM) that the servers of https:// URLs are checked against
    #[arg(long, value_name = "FILE", env = "TOGUNA_CA")]
    pub ca: Option<PathBuf>,
    /// File of the token with which to call; read anew for each call
    #[arg(long = "token", value_name = "FILE", env = "TOGUNA_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// After how many seconds without any answer to give up for now
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub patience: u64,
}
