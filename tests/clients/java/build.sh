#!/bin/sh
# Writes Java for the whole API into generated/, and compiles what the program uses of it into build/.
set -eu
PROTO=${PROTO:-../../../proto}
# The details of refusals: Debian's jar of them knows no ErrorInfo. With Maven, proto-google-common-protos 2 has it.
DETAILS=tools/usr/share/gocode/src/github.com/gogo/googleapis
rm -rf generated build
mkdir -p generated build
LD_LIBRARY_PATH=$(echo tools/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
(cd "$PROTO" && find toguna buf -name '*.proto') | xargs tools/usr/bin/protoc \
    --proto_path="$PROTO" --proto_path="$DETAILS" --plugin=protoc-gen-grpc-java=tools/usr/bin/grpc_java_plugin \
    --java_out=generated --grpc-java_out=generated google/rpc/error_details.proto
javac -encoding UTF-8 -nowarn -proc:none -cp 'lib/*' -sourcepath generated -d build Flow.java
