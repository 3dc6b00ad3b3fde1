//! Merkle logs that others can check without trusting who keeps them: the tree of RFC 6962, and the formats of C2SP
//! (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-witness, tlog-proof, tlog-policy) in which logs,
//! witnesses and auditors speak of it. Pure: whoever uses it reads and writes the bytes.

mod checkpoint;
mod hash;
mod key;
mod note;
mod policy;
mod proof;
mod proof_file;
mod range;
mod tile;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use hash::{Hash, HashError, leaf_hash, node_hash};
pub use key::{KeyError, KeyKind, SigningKey, VerifierKey};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, Note, NoteError, SignatureLine};
pub use policy::{Located, Policy, PolicyError, Tolerance, Witness};
pub use proof::{Nodes, ProofError, consistency_proof, inclusion_proof, root, verify_consistency, verify_inclusion};
pub use proof_file::{ProofFile, ProofFileError};
pub use range::{CompactRange, RangeError};
pub use tile::{MAX_ENTRY_BYTES, TILE_WIDTH, Tile, TileError, TileKind, bundled, grown, tile_root};
pub use witness::{AddCheckpoint, Known, MAX_PROOF, Refused, RequestError};
