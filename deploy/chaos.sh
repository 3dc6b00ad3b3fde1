#!/bin/sh
# Breaks services and servers at random under load, and judges from the outside; --help says what can be set.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
"") ;;
--planted)
    shift
    exec deploy/chaos-planted.sh "$@"
    ;;
*)
    cat <<'END'
deploy/chaos.sh            breaks services and servers at random under load; a checker that shares no code with them
                           judges from the outside and prints counts and a verdict (docs/chaos.md)
deploy/chaos.sh --planted  plants faults in a copy of the product, one after another, and shows that each is caught

  CHAOS_SECONDS=600        how long the faults go on
  CHAOS_SEED=…             which faults come when; printed, a new one each time
  CHAOS_FAULTS=…           only these kinds, separated by commas: service-killed,nats-paused,restore (docs/chaos.md)
  CHAOS_SERVICES=…         only these services: partnerships,commitments

A red run keeps its history and the logs of the services in target/chaos/<seed>.
END
    [ "$1" = "--help" ] || exit 2
    exit 0
    ;;
esac

deploy/install.sh
cargo build --locked --workspace --bins
CHAOS_SECONDS="${CHAOS_SECONDS:-600}" exec cargo test --locked --package tests --test chaos -- --nocapture
