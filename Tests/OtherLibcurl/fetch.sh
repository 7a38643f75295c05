#!/bin/bash
# Unpacks the newer libcurl of Debian's backports beside the system's own, and prints the folder to put on LD_LIBRARY_PATH.
#
# Nothing is installed: apt works on lists and a cache of its own, below .build-libcurl, with the mirror and the keys that the
# machine's own sources name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
work=$PWD/.build-libcurl
unpacked() { find "$work/root" -name libcurl.so.4 -printf '%h\n' 2>/dev/null; }
if [ -n "$(unpacked)" ]; then
    unpacked
    exit
fi

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
    echo "no source of this machine offers $release, so its backports cannot be found" >&2
    exit 1
fi
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/parts" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release-backports main" >"$work/sources.list"
apt() {
    apt-get --quiet --quiet \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::Cache::Archives="$work/archives" \
        -o APT::Sandbox::User=root "$@" >&2
}
apt update
(cd "$work/archives" && apt download libcurl4/"$release-backports")
dpkg --extract "$work"/archives/libcurl4_*.deb "$work/root"
missing=$(LD_LIBRARY_PATH=$(unpacked) ldd "$(unpacked)/libcurl.so.4" | awk '/not found/ { print $1 }')
if [ -n "$missing" ]; then
    echo "the newer libcurl lacks: $missing" >&2
    exit 1
fi
unpacked
