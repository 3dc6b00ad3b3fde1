#!/bin/sh
# Writes Python for the whole API into the folder toguna/, from where it can be imported.
set -eu
PROTO=${PROTO:-../../../proto}
(cd "$PROTO" && find toguna buf -name '*.proto') | xargs .venv/bin/python -m grpc_tools.protoc \
    --proto_path="$PROTO" --python_out=. --pyi_out=. --grpc_python_out=.
