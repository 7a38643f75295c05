"""Counts the instructions of one request, bare and instrumented, and compares them with instructions.json.

Instructions repeat where seconds do not. Each count is the difference of two runs, so that start, connect and end
cancel out. Of several the highest is taken: an answer that is there before it is waited for saves a turn of the pool's
loop, and how many are depends on the machine's load; none saved is the figure that repeats.
"""

import argparse
import json
import re
import subprocess
import sys

from harness.building import HOME, swift_program
from harness.upstream import SMALL_BYTES, Upstream

REQUESTS = 1000
RUNS = 5
SLACK = 0.03
COMMITTED = HOME / "instructions.json"


def count(program: str, kind: str, requests: int, upstream: Upstream) -> int:
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={upstream.folder / 'callgrind.out'}",
         program, kind, upstream.url(SMALL_BYTES, False), str(SMALL_BYTES), str(requests)],
        capture_output=True, text=True, timeout=120)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"callgrind failed:\n{result.stdout}{result.stderr}")
    return int(found.group(1))


def each_request(program: str, kind: str, upstream: Upstream) -> float:
    return (count(program, kind, 1 + REQUESTS, upstream) - count(program, kind, 1, upstream)) / REQUESTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write instructions.json instead of comparing with it")
    arguments = parser.parse_args()
    program = str(swift_program("instructions"))
    with Upstream() as upstream:
        counted = {
            kind: round(max(each_request(program, kind, upstream) for _ in range(RUNS)))
            for kind in ("bare", "instrumented")
        }
    if arguments.update:
        COMMITTED.write_text(json.dumps(counted, indent=2) + "\n")
    committed = json.loads(COMMITTED.read_text())
    beyond = False
    for kind, now in counted.items():
        change = now / committed[kind] - 1
        beyond = beyond or abs(change) > SLACK
        print(f"{kind}: {now:,} instructions per request; committed {committed[kind]:,} ({change:+.2%})")
    print(f"the instruments add {counted['instrumented'] / counted['bare'] - 1:.2%}")
    if beyond:
        sys.exit(f"a count is more than {SLACK:.0%} away from instructions.json; "
                 "if it should be, write the file anew with --update")


main()
