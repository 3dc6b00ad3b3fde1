#!/bin/sh
# Checks the SQL of every crate that has migrations against a real database, and writes what the compiler needs to
# check it without one (.sqlx, committed). With --check: fails where that differs from what is committed.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${TOGUNA_TEST_DATABASE_URL:-}" ]; then
    deploy/install.sh
    exec cargo run --locked --quiet --package harness --bin with-postgres -- deploy/sqlx.sh "$@"
fi

database=${TOGUNA_TEST_DATABASE_URL%/*}/sql
psql --quiet --dbname "$TOGUNA_TEST_DATABASE_URL" --command "CREATE DATABASE sql"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
store=event-store
# The store comes first: the compiler may build it again for each crate that is built on it, and then looks for its
# tables too, so each crate sees them behind its own.
for crate in $store $(ls crates); do
    migrations=crates/$crate/migrations
    if [ ! -d "$migrations" ] || [ -d "$fresh/$crate" ]; then continue; fi
    schema=$(echo "$crate" | tr - _)_v1
    mkdir "$fresh/$crate"
    psql --quiet --dbname "$database" --command "CREATE SCHEMA $schema"
    find "$migrations" -name '*.sql' | sort | while read -r migration; do
        # A function of the log names its schema, which here is another.
        PGOPTIONS="-c search_path=$schema -c check_function_bodies=off" \
            psql --quiet --set=ON_ERROR_STOP=1 --dbname "$database" --file "$migration" >/dev/null
    done
    # A touched file makes the compiler look at the SQL again.
    touch "crates/$crate/src/lib.rs"
    SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh/$crate" \
        DATABASE_URL="$database?options=-csearch_path%3D$schema%2Cevent_store_v1" \
        cargo check --locked --quiet --package "$crate"
    if [ "$crate" != "$store" ]; then
        for query in "$fresh/$store"/*; do rm -f "$fresh/$crate/$(basename "$query")"; done
    fi
    if [ "${1:-}" = "--check" ]; then
        diff --recursive --brief "crates/$crate/.sqlx" "$fresh/$crate" || {
            echo "The SQL of $crate is not as committed: run \`make sqlx\` and commit crates/$crate/.sqlx" >&2
            exit 1
        }
    else
        rm -rf "crates/$crate/.sqlx"
        cp -r "$fresh/$crate" "crates/$crate/.sqlx"
    fi
done
