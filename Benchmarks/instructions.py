"""Counts the instructions of one request, bare and instrumented, and fails where they grew beyond instructions.json.

Instructions repeat where seconds do not, if three things are taken care of. Each count is the difference of two runs, so
that start, connect and end cancel out. An answer that is there before it is waited for saves a turn of the pool's loop:
so client and nginx share one processor and nginx gives way, and every answer is waited for. And glibc is told to use
what every x86-64 processor has: it picks its copying by the processor otherwise.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

from harness.building import HOME, swift_program
from harness.upstream import SMALL_BYTES, Upstream

REQUESTS = 1000
RUNS = 3
SLACK = 0.03
COMMITTED = HOME / "instructions.json"
PLAIN_PROCESSOR = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-BMI2,-SSE4_2,-SSE4_1,-SSSE3,-ERMS,-FSRM"}


def count(program: str, kind: str, requests: int, upstream: Upstream) -> int:
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={upstream.folder / 'callgrind.out'}",
         program, kind, upstream.url(SMALL_BYTES, False), str(SMALL_BYTES), str(requests)],
        capture_output=True, text=True, timeout=300, env={**os.environ, **PLAIN_PROCESSOR})
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"callgrind failed:\n{result.stdout}{result.stderr}")
    return int(found.group(1))


def each_request(program: str, kind: str, upstream: Upstream) -> float:
    return (count(program, kind, 1 + REQUESTS, upstream) - count(program, kind, 1, upstream)) / REQUESTS


def without_debug_information(program: Path, upstream: Upstream) -> str:
    """A copy that callgrind can read: it gives up on some of what the compiler writes for debuggers."""
    copy = upstream.folder / program.name
    subprocess.run(["objcopy", "--strip-debug", str(program), str(copy)], check=True)
    return str(copy)


def share_one_processor(upstream: Upstream) -> None:
    processor = {min(os.sched_getaffinity(0))}
    os.sched_setaffinity(0, processor)
    for process in upstream.processes():
        os.sched_setaffinity(process, processor)
        os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write instructions.json instead of comparing with it")
    arguments = parser.parse_args()
    built = swift_program("instructions")
    with Upstream() as upstream:
        program = without_debug_information(built, upstream)
        share_one_processor(upstream)
        counted = {
            kind: round(median(each_request(program, kind, upstream) for _ in range(RUNS)))
            for kind in ("bare", "instrumented")
        }
    if arguments.update:
        COMMITTED.write_text(json.dumps(counted, indent=2) + "\n")
    committed = json.loads(COMMITTED.read_text())
    changes = {kind: now / committed[kind] - 1 for kind, now in counted.items()}
    for kind, now in counted.items():
        print(f"{kind}: {now:,} instructions per request; committed {committed[kind]:,} ({changes[kind]:+.2%})")
    print(f"the instruments add {counted['instrumented'] / counted['bare'] - 1:.2%}")
    again = "write instructions.json anew: make bench-instructions ARGS=--update"
    if max(changes.values()) > SLACK:
        sys.exit(f"FAILED: a request takes over {SLACK:.0%} more instructions than committed; if it should, {again}")
    if min(changes.values()) < -SLACK:
        print(f"note: a request takes over {SLACK:.0%} fewer instructions than committed; {again}")


main()
