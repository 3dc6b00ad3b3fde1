//! What can be asked for.

use std::path::PathBuf;

use clap::Parser;

use crate::{ground, servers::Kind};

/// Measures this project beside its peers and the limits of this machine, in turn and in the same run, and prints one
/// table of ratios: a ratio above `reach` is owed, one above `aim` is aimed at. Times alone mean nothing on a shared
/// machine. docs/benchmarks.md says what each row does, and what is not claimed.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    after_help = "Examples:
  make bench ROWS=P1,P2 QUICK=1    two rows, in less than two minutes
  make bench ROWS=P7 VERBOSE=1     one row, with every round
  make bench                       every row, five rounds each: about an hour

Nothing else should run meanwhile. The files of the servers lie below target/bench (or BENCH_SCRATCH), which must be on
a real disk; they are removed at the end. P13 and P14 need 30 GB there."
)]
pub struct Arguments {
    /// Which rows, separated by commas: P1,P2. All of them where nothing is said.
    #[arg(long, value_delimiter = ',', value_name = "ROWS", env = "ROWS", hide_env_values = true)]
    pub rows: Vec<String>,
    /// Fewer and shorter rounds, payloads of 256 bytes only, shorter logs: for a first look.
    #[arg(long)]
    pub quick: bool,
    /// Every round, with latencies, processor time and memory, below the table.
    #[arg(long)]
    pub verbose: bool,
    /// Where the figures go as JSON.
    #[arg(long, value_name = "FILE", default_value_os_t = ground::results().join("latest.json"))]
    pub json: PathBuf,
    /// The servers under test are this program again.
    #[command(subcommand)]
    pub serve: Option<Kind>,
}
