//! Merkle logs that others can check without trusting who keeps them: the tree of RFC 6962, and the formats of C2SP
//! (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-witness, tlog-proof, tlog-policy) in which logs,
//! witnesses and auditors speak of it. Pure: whoever uses it reads and writes the bytes.

mod hash;
mod range;

pub use hash::{Hash, HashError, leaf_hash, node_hash};
pub use range::{CompactRange, RangeError};
