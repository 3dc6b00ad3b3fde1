//! What can be asked of a log that was taken home.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Report;

/// What to do with an archive.
#[derive(Debug, Subcommand)]
pub enum Archive {
    /// Check every event, tile, checkpoint and signature, without any service
    #[command(after_long_help = "\
The folder is one that a service publishes (checkpoint, checkpoints.jsonl, policy, tile/…), or a folder of such folders. \
Fails where anything is wrong, and names the first position or file and what is wrong with it.

Without --policy the keys are believed that the folder itself names: that shows that it is whole and agrees with itself, \
not whose it is. A policy of one's own (C2SP tlog-policy) names the keys that the governments have told you.

Examples:
  toguna archive verify archive
  toguna archive verify archive --policy witnesses.policy
  toguna archive verify archive/disbursements/0f… --json | jq '.[0].faults'")]
    Verify(Verify),
    /// Print a report that is folded from the events of the archive alone, once they are verified
    #[command(after_long_help = "\
The figures are those of `toguna report`, made by the same rules from events that were checked here.

Examples:
  toguna archive report archive portfolio --as-of 2016-04-15
  toguna archive report archive chain contracts/t05-eutf-sah-ml-07-02 --json")]
    Report {
        /// The archive
        #[command(flatten)]
        of: Verify,
        /// Which report
        #[command(subcommand)]
        report: Report,
    },
    /// Print the proof that an event is in the log, to be checked by anybody who has the log's key and the event
    #[command(after_long_help = "\
The proof is a C2SP tlog-proof: the event's place, the hashes that lead from it to the root, and the signed checkpoint.

Examples: toguna archive prove archive/disbursements/0f… 17 > 17.tlog-proof")]
    Prove {
        /// The archive
        #[command(flatten)]
        of: Verify,
        /// The event's position
        position: u64,
    },
}

/// Which archive, and whom to believe.
#[derive(Debug, Args)]
pub struct Verify {
    /// The folder
    #[arg(id = "archive", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Believe the keys of this policy instead of those that the folder names
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}
