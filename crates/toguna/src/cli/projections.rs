//! What can be asked of what is made of the logs.

use clap::{Args, Subcommand};

use super::OneService;

/// What to do with what is made of the logs.
#[derive(Debug, Subcommand)]
pub enum Projections {
    /// Every projection and reaction with its lag, and the generations of the read models
    #[command(after_long_help = "\
A projection that is stopped at an event is named with the event and the reason; the command then fails.

Examples:
  toguna projections list
  toguna projections list disbursements --json | jq '.disbursements.followers[] | {name, lag_seconds}'")]
    List(OneService),
    /// Make the read models again beside those that serve
    #[command(after_long_help = "\
Queries are answered from the live generation meanwhile. Waits until the new one has caught up; what was begun goes on \
if this is interrupted.

Examples, in the order in which one needs them:
  toguna projections rebuild disbursements
  toguna projections compare disbursements
  toguna projections switch disbursements
  toguna projections back disbursements         at once, should anything be wrong after all")]
    Rebuild(Rebuild),
    /// Compare a generation with the live one, row by row
    #[command(after_long_help = "\
Each differing row is shown with what differs and the first event that made it differ. Fails where rows differ. Commands \
and queries go on meanwhile.

Examples:
  toguna projections compare
  toguna projections compare disbursements --json")]
    Compare(OneGeneration),
    /// Let queries be answered from a generation that was compared
    #[command(after_long_help = "\
The generation that was live is kept up to date until it is dropped or another one is made.

Examples:
  toguna projections switch disbursements
  toguna projections switch disbursements --unchecked      though it differs: it is the right one")]
    Switch(Switch),
    /// Let queries be answered again from the generation that was live before
    #[command(after_long_help = "Examples: toguna projections back disbursements")]
    Back(OneGeneration),
    /// Drop a generation that is not live
    #[command(after_long_help = "Examples: toguna projections drop disbursements --generation 1")]
    Drop(OneGeneration),
}

/// Which generation.
#[derive(Debug, Args)]
pub struct OneGeneration {
    /// Of which service
    #[command(flatten)]
    pub of: OneService,
    /// Its number [default: the one beside the live one]
    #[arg(long, value_name = "N")]
    pub generation: Option<u32>,
}

/// What to make again.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Of which service
    #[command(flatten)]
    pub of: OneService,
    /// Do not wait until it has caught up
    #[arg(long)]
    pub no_wait: bool,
}

/// What is to be live.
#[derive(Debug, Args)]
pub struct Switch {
    /// Which one
    #[command(flatten)]
    pub which: OneGeneration,
    /// Also where it was not compared, or differs
    #[arg(long)]
    pub unchecked: bool,
}
