//! What can be asked about refusals.

use clap::Args;
use jiff::Timestamp;

use super::{OneService, start_time};

/// Which refusals.
#[derive(Debug, Args)]
pub struct Refusals {
    /// Of which service
    #[command(flatten)]
    pub of: OneService,
    /// Given at this time or later: 2026-11-23T10:00:00Z, or a day
    #[arg(id = "refused_since", long = "since", value_name = "TIME", value_parser = start_time)]
    pub since: Option<Timestamp>,
    /// Only to the people of this organisation: the id of a partner
    #[arg(id = "refused_to", long = "organisation", value_name = "ORGANISATION")]
    pub organisation: Option<String>,
    /// At most so many of a service, the newest [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}
