#!/bin/sh
# Puts what the peers of the benchmarks need into .tools/bench/, each pinned by the digests of its packages. Where one
# cannot be had, NAME.missing there says why, the run skips it by name, and the others go on. Says nothing and needs no
# network where all is there.
set -u
cd "$(dirname "$0")"
locks=$PWD
mkdir -p ../../../.tools/bench
cd ../../../.tools/bench

# NAME LOCK TOOL: calls install_NAME in the new folder NAME, unless it is there and made from this lock already.
peer() {
    name=$1 lock=$locks/$2 tool=$3
    stamp=$(sha256sum <"$lock")
    if [ -d "$name" ] && [ "$(cat "$name/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    rm -rf "$name" "$name.missing"
    echo "Installing $name into .tools/bench/" >&2
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing" >"$name.missing"
    elif mkdir "$name" && (cd "$name" && "install_$name") >"$name.log" 2>&1; then
        echo "$stamp" >"$name/stamp"
    else
        # The reason is in the last line that says something.
        grep -v '^[[:space:]]*$' "$name.log" | tail -n 1 >"$name.missing"
        rm -rf "$name"
    fi
    [ ! -e "$name.missing" ] || echo "$name is not installed: $(cat "$name.missing")" >&2
}

# A Python of its own with the packages of a lock file.
python_packages() {
    python3 -m venv . &&
        bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
            --requirement "$lock"
}

# The packages of a folder that holds package.json and its lock file. Their scripts are not run.
npm_packages() {
    cp "$(dirname "$lock")/package.json" "$lock" . &&
        npm ci --silent --ignore-scripts --no-audit --no-fund
}

install_umadb() { python_packages; }
install_message_db() { npm_packages; }

install_emmett() {
    npm_packages && cp "$(dirname "$lock")/schema.mjs" . && node schema.mjs >schema.sql
}

peer umadb umadb.lock python3
peer message_db message-db/package-lock.json npm
peer emmett emmett/package-lock.json npm
