"""The clients: how each is built, what it is started with, and what it says."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .building import HOME, c_program, checked, go_program, swift_program
from .upstream import Upstream

POOLSCOPE_CLIENTS = ["curlpool-bare", "curlpool-instrumented", "curlpool-executor"]
SWIFT_CLIENTS = [*POOLSCOPE_CLIENTS, "async-http-client", "urlsession"]
CLIENTS = ["c-libcurl", "wrk", *SWIFT_CLIENTS, "go-net-http", "httpx"]
# The lowest and highest number of requests that one measurement may have, for each in flight and in all.
FEWEST_EACH, MOST = 2, 500_000
WRK_SECONDS = 1

NO_TLS = {"urlsession": "cannot be given a certificate authority on Linux"}


@dataclass(frozen=True)
class Cell:
    """One place in the comparison: a size of body, a concurrency, plain or TLS."""

    size: int
    concurrency: int
    tls: bool

    @property
    def name(self) -> str:
        size = f"{self.size} bytes" if self.size < 1 << 20 else f"{self.size >> 20} MiB"
        return f"{size}, {'TLS' if self.tls else 'plain'}, concurrency {self.concurrency}"


class Clients:
    """Every client, built."""

    def __init__(self) -> None:
        self.c = c_program("curl_client")
        # Standard library only: nothing is fetched.
        self.go = go_program("go_client", "Go", {"GOFLAGS": "-mod=mod", "GOPROXY": "off"})
        self.swift = swift_program("bench-client")

    def command(self, client: str) -> list[str]:
        if client in SWIFT_CLIENTS:
            return [str(self.swift), "load", client]
        return {
            "c-libcurl": [str(self.c)],
            "go-net-http": [str(self.go)],
            "httpx": [sys.executable, str(HOME / "Python/httpx_client.py")],
        }[client]

    def measure(self, client: str, cell: Cell, upstream: Upstream, requests: int) -> dict:
        """Runs one client once. Raises where it fails, or says that a request did."""
        url = upstream.url(cell.size, cell.tls)
        if client == "wrk":
            return run_wrk(url, cell)
        command = [
            *self.command(client), "--url", url, "--concurrency", str(cell.concurrency), "--requests", str(requests),
            "--warmup", str(max(FEWEST_EACH * cell.concurrency, requests // 10)), "--bytes", str(cell.size),
        ]
        if cell.tls:
            command += ["--ca", str(upstream.ca)]
        result = json.loads(checked(command, cell))
        if result["errors"] or result["requests"] != requests:
            raise SystemExit(f"{client} did not do its {requests} requests ({cell.name}): {result}")
        return result

    def requests_for(self, client: str, cell: Cell, upstream: Upstream, seconds: float) -> int:
        """How many requests take about so long, found by a short run. wrk counts by time."""
        if client == "wrk":
            return 0
        fewest = FEWEST_EACH * cell.concurrency
        trial = max(fewest, 20 if cell.size > 1 << 16 else 200)
        rate = trial / self.measure(client, cell, upstream, trial)["seconds"]
        return min(MOST, max(fewest, int(rate * seconds)))

    def quiet(self, upstream: Upstream, requests: int) -> dict:
        return json.loads(checked([str(self.swift), "quiet", "--url", upstream.url(200, False), "--bytes", "200",
                                   "--requests", str(requests)], "quiet streams"))


def run_wrk(url: str, cell: Cell) -> dict:
    """wrk does not count its own CPU and memory: the kernel does, and `/proc` while it runs."""
    process = subprocess.Popen(
        ["wrk", "--threads", "1", "--connections", str(cell.concurrency), "--duration", f"{WRK_SECONDS}s",
         "--latency", "--script", str(HOME / "harness/wrk.lua"), url], stdout=subprocess.PIPE, text=True)
    peak = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, peak_rss_kib(process.pid))
        time.sleep(0.02)
    output = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"wrk failed ({cell.name}):\n{output}")
    result = json.loads(output.splitlines()[-1])
    if result["errors"] or result["requests"] == 0 or result["bytes"] < result["requests"] * cell.size:
        raise SystemExit(f"wrk did not get whole answers ({cell.name}): {result}")
    cpu = (usage.ru_utime + usage.ru_stime) * 1e6
    return {**result, "client": "wrk", "cpu_us_per_request": cpu / result["requests"], "peak_rss_kib": peak}


def peak_rss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
