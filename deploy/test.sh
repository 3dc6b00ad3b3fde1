#!/bin/sh
# Runs every test; arguments go to `cargo test`. The services' programs are built first: end-to-end tests start them.
# What could not be tried on this machine is listed at the end; with TOGUNA_TRY_ALL set that fails instead.
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh
cargo build --locked --workspace --bins
TOGUNA_NOT_TRIED=$(mktemp)
export TOGUNA_NOT_TRIED
trap 'sort -u "$TOGUNA_NOT_TRIED"; rm -f "$TOGUNA_NOT_TRIED"' EXIT
cargo test --locked --workspace --no-fail-fast "$@"
