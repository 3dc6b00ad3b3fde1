#!/bin/sh
# Installs gRPC and protovalidate into .venv, as requirements.txt pins it.
set -eu
python3 -m venv --clear .venv
.venv/bin/pip install --quiet --retries 1 --only-binary=:all: --require-hashes --requirement requirements.txt
