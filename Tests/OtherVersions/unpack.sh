#!/bin/bash
# unpack.sh SUITE PACKAGE...: unpacks packages of another suite of the distribution below .build-SUITE, and prints the folder.
#
# Nothing is installed: apt works on lists and a cache of its own, with the mirror and the keys that the machine's own sources
# name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

suite=$1
shift
work=$PWD/.build-$suite
if [ -e "$work/root/complete" ]; then
    echo "$work/root"
    exit
fi

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The name that the sources give the release, or the one that its index gives it.
find_mirror() {
    apt-get "$@" indextargets --format '$(REPO_URI) $(RELEASE) $(CODENAME)' |
        awk -v release="$release" '$2 == release || $3 == release { print $1; exit }'
}
mirror=$(find_mirror)
if [ -z "$mirror" ]; then
    # The machine has no lists yet, so they are read into a folder of our own.
    mkdir -p "$work/first/partial"
    apt-get --quiet --quiet -o Dir::State::Lists="$work/first" -o APT::Sandbox::User=root update >&2
    mirror=$(find_mirror -o Dir::State::Lists="$work/first")
fi
if [ -z "$mirror" ]; then
    echo "no source of this machine offers $release, so $suite cannot be found" >&2
    exit 1
fi
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/parts" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
apt() {
    apt-get --quiet --quiet \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::Cache::Archives="$work/archives" \
        -o APT::Sandbox::User=root "$@" >&2
}
apt update
(cd "$work/archives" && apt download "${@/%//$suite}")
for package in "$work"/archives/*.deb; do dpkg --extract "$package" "$work/root"; done
touch "$work/root/complete"
echo "$work/root"
