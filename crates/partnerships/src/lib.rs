//! Who works with whom, on what terms: partners, agreements, dialogues.
//!
//! Not here: what was promised (`commitments`) and what is paid (`disbursements`). Start at [`domain`].

mod codec;
pub mod domain;
