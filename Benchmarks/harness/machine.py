"""What the figures were measured on, and with."""

import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from .building import HOME

GOLANG_PACKAGE = "golang-github-prometheus-client-golang-dev"


def output(*command: str) -> str:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return result.stdout.strip()


def first_match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def machine() -> list[tuple[str, str]]:
    memory_kib = int(first_match(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()))
    system = first_match(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return [
        ("processor", first_match(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text())),
        ("cores", str(os.cpu_count())),
        ("memory", f"{memory_kib / (1 << 20):.0f} GiB"),
        ("system", f"{system}, Linux {platform.release()}"),
    ]


def versions() -> list[tuple[str, str]]:
    return [
        ("Swift", first_match(r"Swift version (\S+)", output("swift", "--version"))),
        ("libcurl", output("pkg-config", "--modversion", "libcurl")),
        ("OpenSSL", first_match(r"^OpenSSL (\S+)", output("openssl", "version"))),
        ("nginx", first_match(r"nginx/(\S+)", output("nginx", "-v"))),
        ("wrk", first_match(r"^wrk (\S+)", output("wrk", "--version"))),
        ("Go", first_match(r"go(\d\S*)", output("go", "version"))),
        ("async-http-client", swift_package("async-http-client")),
        ("client_golang", output("dpkg-query", "--show", "--showformat=${Version}", GOLANG_PACKAGE)),
        ("Python", platform.python_version()),
        ("httpx", version("httpx")),
    ]


def swift_package(identity: str) -> str:
    pins = json.loads((HOME / "Package.resolved").read_text())["pins"]
    return next(pin["state"]["version"] for pin in pins if pin["identity"] == identity)
