#!/bin/sh
# Writes TypeScript for the whole API into generated/, and compiles what the program uses of it into build/.
set -eu
PATH="$PWD/node_modules/.bin:$PATH"
buf generate
tsc
