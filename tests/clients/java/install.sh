#!/bin/sh
# Fetches gRPC for Java and protoc as Debian packages them, and unpacks them here: jars into lib/, programs into tools/.
# Nothing of the machine is changed, and no administrator is needed.
set -eu
rm -rf lib tools debs
mkdir -p lib tools debs/lists/partial debs/cache/archives/partial
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
# Each jar once, by its name without a version.
for jar in tools/usr/share/java/*.jar; do
    case $jar in *-all.jar | *-[0-9]*.jar) ;; *) cp -L "$jar" lib/ ;; esac
done
cp tools/usr/share/java/geronimo-annotation-1.3-spec.jar lib/
rm -rf debs
