#!/bin/sh
# Checks proto/ with buf: its STANDARD lint with comments, and that nothing changed on which those rely who hold the
# last release, proto/released.binpb. With --release: writes that image anew, as part of a release and never else.
set -eu
cd "$(dirname "$0")/.."
deploy/install.sh buf
PATH="$PWD/.tools/bin:$PATH"
if [ "${1:-}" = "--release" ]; then
    exec buf build proto --exclude-source-info --output proto/released.binpb
fi
buf lint proto
buf breaking proto --against proto/released.binpb
