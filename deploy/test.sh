#!/bin/sh
# Runs every test; arguments go to `cargo test`. The services' programs are built first: end-to-end tests start them.
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh
cargo build --locked --workspace --bins
exec cargo test --locked --workspace --no-fail-fast "$@"
