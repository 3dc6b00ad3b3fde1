#!/bin/sh
# Installs Connect and its generator into node_modules/, as package-lock.json pins them.
set -eu
npm ci --no-progress
