#!/bin/sh
# Installs what this machine lacks: PostgreSQL and Python from the distribution, nats-server into .tools/, and there
# also the tools that are named as arguments (`buf`). Says nothing and needs no network where all is there.
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

# The digest of a tool for this machine; nothing where none is known.
digest() {
    awk -v machine="$(uname -m)" -v tool="$1" '$2 == machine && $3 == tool { print $1 }' deploy/tools.sha256
}

is_right() {
    [ -x ".tools/bin/$1" ] && echo "$(digest "$1")  .tools/bin/$1" | sha256sum --check --status
}

packages=""
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    packages="postgresql postgresql-client"
fi

missing=""
for tool in nats-server "$@"; do
    if [ -z "$(digest "$tool")" ]; then
        command -v "$tool" >/dev/null || stop "Please install $tool, as deploy/$tool.lock has it: none is known for $(uname -m)."
    elif ! is_right "$tool"; then
        missing="$missing $tool"
    fi
done
if [ -n "$missing" ] && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
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

for tool in $missing; do
    echo "Installing $tool into .tools/" >&2
    [ -x .tools/bin/pip ] || python3 -m venv .tools
    .tools/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --force-reinstall --requirement "deploy/$tool.lock"
    is_right "$tool" || stop ".tools/bin/$tool is not the program that deploy/tools.sha256 names."
done
