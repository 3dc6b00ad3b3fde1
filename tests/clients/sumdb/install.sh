#!/bin/sh
# Fetches Go and the packages of its checksum database as Debian has them, and unpacks them here, into tools/.
# Nothing of the machine is changed, and no administrator is needed.
set -eu
rm -rf tools debs
mkdir -p tools debs/lists/partial debs/cache/archives/partial
cd debs
apt() { apt-get --quiet --option APT::Sandbox::User=root "$@"; }
# shellcheck disable=SC2046 # The packages are words.
download() { apt "$@" download $(grep -v '^#' ../packages.txt); }
# A machine whose lists are old, or that has none, gets them for this folder alone.
here="--option Dir::State::Lists=$PWD/lists --option Dir::Cache=$PWD/cache --option Debug::NoLocking=true"
# shellcheck disable=SC2086 # The options are words.
download || { apt $here update && download $here; }
for package in *.deb; do
    dpkg-deb --extract "$package" ../tools
done
cd ..
rm -rf debs
