#!/bin/bash
# Prints the folder to put on LD_LIBRARY_PATH for the newer libcurl of Debian's backports.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
root=$("$here/unpack.sh" "$(. /etc/os-release && echo "$VERSION_CODENAME")-backports" libcurl4)
folder=$(dirname "$(find "$root" -name libcurl.so.4)")
missing=$(LD_LIBRARY_PATH=$folder ldd "$folder/libcurl.so.4" | awk '/not found/ { print $1 }')
if [ -n "$missing" ]; then
    echo "the newer libcurl lacks: $missing" >&2
    exit 1
fi
echo "$folder"
