//! What `toguna submit` is asked.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::Reach;

/// What to submit, where, and how.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct Submit {
    /// Tables of commands: CSV, JSON, or a JSON object a line
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    pub files: Vec<PathBuf>,
    /// The command of rows that do not name theirs
    #[arg(long = "command", value_name = "NAME")]
    pub row_command: Option<String>,
    /// Only say what the services would do
    #[arg(long)]
    pub dry_run: bool,
    /// Only check what can be checked without the services
    #[arg(long, conflicts_with_all = ["dry_run", "resume"])]
    pub offline: bool,
    /// Send only what has no answer yet; without FILE, all of the outbox
    #[arg(long, conflicts_with = "dry_run")]
    pub resume: bool,
    /// Send nothing after a row that is refused; rows then go one at a time
    #[arg(long)]
    pub stop_on_refusal: bool,
    /// How many rows are on their way at once; 1 keeps the order of the whole file
    #[arg(long, value_name = "N", default_value = "8")]
    pub window: NonZeroUsize,
    /// Also write the report to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where to keep what is sent and answered [default: in the user's data folder, or in that of the local stack]
    #[arg(long, value_name = "DIR", env = "TOGUNA_OUTBOX")]
    pub outbox: Option<PathBuf>,
    /// Go on with an outbox though the services have another address now
    #[arg(long)]
    pub moved: bool,
    /// How the services are reached
    #[command(flatten)]
    pub reach: Reach,
    /// On the local stack, for whom: roles, separated by commas, and the id of a partner
    #[arg(long = "as", value_name = "ROLE@ORGANISATION", conflicts_with = "token_file")]
    pub caller: Option<String>,
    /// On the local stack, which person of the organisation
    #[arg(long, value_name = "NAME", default_value = "officer-1")]
    pub person: String,
}
