"""Measures HTTP clients side by side against one nginx on loopback, and writes RESULTS.md and cpu.png.

`make bench` installs what it needs and runs it.
"""

import argparse
import sys
import time

from harness.clients import CLIENTS, HOME, NO_TLS, Cell, Clients
from harness.picture import draw
from harness.results import markdown
from harness.samples import Samples
from harness.upstream import LARGE_BYTES, SMALL_BYTES, Upstream

CONCURRENCIES = [1, 16, 64, 256]
CELLS = [
    *(Cell(SMALL_BYTES, concurrency, False) for concurrency in CONCURRENCIES),
    Cell(LARGE_BYTES, 16, False),
    *(Cell(SMALL_BYTES, concurrency, True) for concurrency in CONCURRENCIES),
    Cell(LARGE_BYTES, 16, True),
]


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

    clients, samples, quiet = Clients(), Samples(), []
    with Upstream() as upstream:
        say("trying how many requests each client does in a second")
        requests = {(cell, client): clients.requests_for(client, cell, upstream, seconds)
                    for cell in CELLS for client in clients_of(cell)}
        for round in range(rounds):
            for cell in CELLS:
                say(f"round {round + 1} of {rounds}: {cell.name}")
                present = clients_of(cell)
                # Nobody is always first, or always behind the same one.
                first = round % len(present)
                for client in present[first:] + present[:first]:
                    samples.add(cell, client, clients.measure(client, cell, upstream, requests[cell, client]))
            say(f"round {round + 1} of {rounds}: requests that stand still")
            quiet.append(clients.quiet(upstream, 200 if arguments.quick else 5000))

    draw(samples, [cell for cell in CELLS if cell.size == SMALL_BYTES and not cell.tls], HOME / "cpu.png")
    (HOME / "RESULTS.md").write_text(markdown(samples, CELLS, quiet, rounds, arguments.quick))
    say("RESULTS.md and cpu.png are written")


main()
