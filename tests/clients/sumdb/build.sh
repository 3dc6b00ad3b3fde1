#!/bin/sh
# Builds the verifier from what is unpacked here alone.
set -eu
export GO111MODULE=off CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-trimpath
export GOROOT="$PWD/tools/usr/lib/go-1.19" GOPATH="$PWD/tools/usr/share/gocode" GOCACHE="$PWD/cache"
"$GOROOT/bin/go" build -o verify verify.go
