#!/bin/bash
# Prints the folder to put on PATH for the newest Prometheus, promtool and Alertmanager that Debian has, in its suite unstable.
set -euo pipefail
root=$("$(dirname "${BASH_SOURCE[0]}")/unpack.sh" unstable prometheus promtool prometheus-alertmanager)
"$root/usr/bin/prometheus" --version >&2
echo "$root/usr/bin"
