#!/bin/sh
# Everything that must hold before a change lands: format, lints, SQL as committed, tests.
set -eu
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
deploy/sqlx.sh --check
exec deploy/test.sh
