#!/bin/sh
# Kills services and servers at random under load: for CHAOS_SECONDS (600), as CHAOS_SEED says (a new one, printed).
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh
cargo build --locked --workspace --bins
CHAOS_SECONDS="${CHAOS_SECONDS:-600}" exec cargo test --locked --package tests --test chaos -- --nocapture
