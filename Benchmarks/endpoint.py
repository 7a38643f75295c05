"""Measures how long a scrape takes at rest, under load and under attack, of this endpoint and of Go's promhttp.

    make bench-endpoint

Each server runs in a process of its own and is scraped by another one, each time on a new connection. The attacks run in
this process. Both servers have the same series.
"""

import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.building import DEBIAN_GOPATH, go_program, swift_program

SECONDS = 4.0
METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


# The scraper, which runs as a process of its own: `endpoint.py --scrape PORT PATH SECONDS`.

def one_scrape(port: int, path: str) -> float:
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.settimeout(30)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = b""
        while part := connection.recv(1 << 18):
            head = head or part
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(f"got {head[:60]!r}")
    return time.perf_counter() - began


def scrape(port: int, path: str, seconds: float) -> None:
    taken, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            taken.append(one_scrape(port, path))
        except OSError:
            failed += 1
        time.sleep(0.005)
    print(json.dumps({"taken": taken, "failed": failed}))


def scraped(port: int, path: str = "/metrics") -> dict:
    """The median and the 99th percentile in milliseconds, and how many scrapes failed."""
    command = [sys.executable, __file__, "--scrape", str(port), path, str(SECONDS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    taken = sorted(found["taken"])
    if not taken:
        return {"p50": float("inf"), "p99": float("inf"), "failed": found["failed"], "count": 0}
    return {"p50": 1e3 * taken[len(taken) // 2], "p99": 1e3 * taken[min(len(taken) - 1, int(len(taken) * 0.99))],
            "failed": found["failed"], "count": len(taken)}


# The attacks. Each is a function of a port and of a condition to go on.

def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def held(port, goes_on):
    """300 connections that stay open, a byte of a request on each now and then."""
    connections = []
    while goes_on():
        while len(connections) < 300:
            connections.append(connect(port))
            connections[-1].sendall(b"GET /metrics HT")
        for each in connections:
            try:
                each.sendall(b"x")
            except OSError:
                pass
        time.sleep(0.2)
    for each in connections:
        each.close()


def pipelining(clients):
    def attack(port, goes_on):
        connections = [connect(port) for _ in range(clients)]

        def read(each):
            try:
                while each.recv(1 << 20):
                    pass
            except OSError:
                pass

        def write(each):
            try:
                while goes_on():
                    each.sendall(METRICS * 20)
            except OSError:
                pass

        threads = [threading.Thread(target=work, args=(each,)) for each in connections for work in (read, write)]
        for thread in threads:
            thread.start()
        while goes_on():
            time.sleep(0.05)
        for each in connections:
            each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for each in connections:
            each.close()
    attack.__doc__ = f"pipelining clients that read fast: {clients}"
    return attack


def churn(port, goes_on):
    """connections that come and go as fast as one process can"""
    while goes_on():
        connect(port).close()


def resets(port, goes_on):
    """requests whose connections are reset at once"""
    while goes_on():
        each = connect(port)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.sendall(METRICS)
        each.close()


def bodies(port, goes_on):
    """a body without end, in chunks of one byte"""
    while goes_on():
        each = connect(port)
        try:
            each.sendall(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            while goes_on():
                each.sendall(b"1\r\na\r\n" * 200)
        except OSError:
            pass
        each.close()


def scrapers(port, goes_on):
    """200 scrapers at once, without a pause"""
    def work():
        while goes_on():
            try:
                one_scrape(port, "/metrics")
            except OSError:
                pass
    threads = [threading.Thread(target=work) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


ATTACKS = [scrapers, held, pipelining(1), pipelining(8), churn, resets, bodies]


def under(attack, port: int) -> dict:
    is_over = threading.Event()
    thread = threading.Thread(target=attack, args=(port, lambda: not is_over.is_set()))
    thread.start()
    time.sleep(0.3)
    try:
        return scraped(port)
    finally:
        is_over.set()
        thread.join()


class Server:
    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)


class Table:
    """Prints its rows as they come, and writes all of them to ENDPOINT.md."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.say("| milliseconds of a scrape of 64 origins | here: p50 | p99 | promhttp: p50 | p99 |")
        self.say("| --- | --- | --- | --- | --- |")

    def say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def add(self, what: str, ours: dict, theirs: dict | None = None) -> None:
        def cells(found):
            if found is None:
                return "| | "
            if not found["count"]:
                return "| none in 30 s | none in 30 s "
            failed = f", {found['failed']} failed" if found["failed"] else ""
            return f"| {found['p50']:.1f} | {found['p99']:.1f}{failed} "
        self.say(f"| {what} {cells(ours)}{cells(theirs)}|")

    def write(self) -> None:
        text = ["# The endpoint at rest, under load and under attack", "",
                "Written by `make bench-endpoint`. Scraped on a new connection each time, by another process on the same two",
                "cores as the server and the attack. promhttp serves the same series. Pages are served with the same pool.", "",
                *self.lines, ""]
        (Path(__file__).parent / "ENDPOINT.md").write_text("\n".join(text))


def main() -> None:
    table = Table()
    row = table.add
    swift = swift_program("bench-client")
    go = go_program("go_scrape", "Go/scrape", {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": DEBIAN_GOPATH})
    with TemporaryDirectory(prefix="bench-") as folder:
        text = str(Path(folder) / "exposition")
        ours = lambda *arguments: Server([str(swift), "endpoint", "--text", text, *arguments])
        with ours() as server, Server([str(go), "--text", text, "--serve"]) as peer:
            row("at rest", scraped(server.port), scraped(peer.port))
            for attack in ATTACKS:
                what = re.sub(r"\s+", " ", attack.__doc__).rstrip(".")
                row(what, under(attack, server.port), under(attack, peer.port))
            row("at rest again", scraped(server.port), scraped(peer.port))
            for path in ["/", "/pools/served", "/leases", "/queue", "/events", "/config", "/-/healthy", "/?format=html"]:
                row(f"`{path}` at rest", scraped(server.port, path))
        with ours("--blocked", "--queued", "50000") as server:
            for path in ["/metrics", "/", "/pools/served", "/leases", "/queue", "/events", "/config"]:
                row(f"`{path}`, every thread of Swift concurrency blocked, 50,000 queued", scraped(server.port, path))
    table.write()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--scrape"]:
        scrape(int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
    else:
        main()
