//! What holds for every message, method and reason of `proto/`, and the pages of `docs/` that are written from it.

#![warn(clippy::pedantic)]

mod comments;
mod compatibility;
mod conventions;
mod errors;
mod french;
mod pages;
mod reasons;
mod reference;
mod rules;

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

fn pool() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTORS).expect("the descriptors are whole")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root is there")
}

/// Fails with all that was found, a line each.
fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}
