"""Measures HTTP clients side by side against one nginx on loopback, and what PoolScope's instruments and memory cost.

Writes RESULTS.md and cpu.png. `make bench` installs what it needs and runs it.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from harness.building import HOME
from harness.clients import CLIENTS, NO_TLS, Cell, Clients
from harness.findings import Findings
from harness.memory import Memory
from harness.picture import draw
from harness.results import markdown
from harness.scrapes import ORIGINS, Scrapes
from harness.upstream import LARGE_BYTES, SMALL_BYTES, Upstream

CONCURRENCIES = [1, 16, 64, 256]
CELLS = [
    *(Cell(SMALL_BYTES, concurrency, False) for concurrency in CONCURRENCIES),
    Cell(LARGE_BYTES, 16, False),
    *(Cell(SMALL_BYTES, concurrency, True) for concurrency in CONCURRENCIES),
    Cell(LARGE_BYTES, 16, True),
]


@dataclass(frozen=True)
class Effort:
    """How much is done in each round, beside the clients."""

    standing_requests: int = 5000
    scrapes: int = 2000
    # Of loads beside scrapes and without. Each half takes about so long.
    pairs: int = 10
    pair_seconds: float = 0.5
    idle_connections: int = 1000
    queued_requests: int = 50_000


QUICK = Effort(
    standing_requests=200, scrapes=50, pairs=2, pair_seconds=0.05, idle_connections=100, queued_requests=1000)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def clients_of(cell: Cell) -> list[str]:
    return [client for client in CLIENTS if not (cell.tls and client in NO_TLS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long one measurement lasts, about")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.05 s: to see that everything works")
    arguments = parser.parse_args()
    rounds, seconds = (2, 0.05) if arguments.quick else (arguments.rounds, arguments.seconds)
    effort = QUICK if arguments.quick else Effort()

    clients = Clients()
    scrapes, memory = Scrapes(clients.swift), Memory(clients.swift)
    found = Findings(CELLS, rounds, arguments.quick)
    with Upstream() as upstream:
        say("trying how many requests each client does in a second")
        requests = {(cell, client): clients.requests_for(client, cell, upstream, seconds)
                    for cell in CELLS for client in clients_of(cell)}
        beside_scrapes = clients.requests_for(
            "curlpool-instrumented", Cell(SMALL_BYTES, 16, False), upstream, effort.pair_seconds)
        for round in range(rounds):
            place = f"round {round + 1} of {rounds}"
            for cell in CELLS:
                say(f"{place}: {cell.name}")
                present = clients_of(cell)
                # Nobody is always first, or always behind the same one.
                first = round % len(present)
                for client in present[first:] + present[:first]:
                    found.samples.add(cell, client, clients.measure(client, cell, upstream, requests[cell, client]))
            say(f"{place}: requests that stand still")
            found.quiet.append(clients.quiet(upstream, effort.standing_requests))
            say(f"{place}: scrapes")
            found.scrapes.append(scrapes.cost(effort.scrapes, golang_first=round % 2 == 1))
            for origins in (1, ORIGINS):
                found.scraped.setdefault(origins, []).extend(
                    scrapes.beside_load(upstream, origins, beside_scrapes, effort.pairs))
            say(f"{place}: memory")
            found.memory.append(memory.measure(upstream, effort.idle_connections, effort.queued_requests))

    draw(found.samples, [cell for cell in CELLS if cell.size == SMALL_BYTES and not cell.tls], HOME / "cpu.png")
    (HOME / "RESULTS.md").write_text(markdown(found))
    say("RESULTS.md and cpu.png are written")


main()
