//! The service of commitments: what partners promised under the frameworks of migration cooperation, and what became
//! of it.

mod codec;
pub mod domain;
