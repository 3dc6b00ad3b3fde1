#!/bin/sh
# Builds the services and the command line, and starts a stack with the Mali scenario; arguments go to `toguna up`.
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh
cargo build --locked --workspace --bins
exec target/debug/toguna up "$@"
