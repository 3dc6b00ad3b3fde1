//! Read models: what lists are answered from. Each is a fold of this service's own log into a table of resources as the
//! API shows them, with the columns that lists are filtered by.

pub mod commitments;
pub mod cycles;
pub mod frameworks;
pub mod indicators;
pub mod initiatives;

use event_store::DecodeError;
use prost::Message;

/// Name of the log that they follow.
const SOURCE: &str = "commitments";

/// One resource of a list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name, by which lists are ordered.
    pub name: String,
    /// The resource, encoded.
    pub resource: Vec<u8>,
}

/// The resources of rows.
pub fn resources<M: Message + Default>(rows: &[Row]) -> Result<Vec<M>, DecodeError> {
    rows.iter().map(|row| Ok(M::decode(row.resource.as_slice())?)).collect()
}
