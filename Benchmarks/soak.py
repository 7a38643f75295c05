"""Runs mixed load on an instrumented pool for long, and fails where memory or descriptors grow meanwhile.

`make soak` runs it for an hour, SOAK_SECONDS sets another time.
"""

import argparse
import socket
import subprocess
import sys

from harness.assembly import Assembly
from harness.building import swift_program
from harness.upstream import Upstream


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--rate", type=int, default=300, help="requests started in each second")
    arguments = parser.parse_args()
    program = swift_program("bench-client")
    with Upstream() as upstream, Assembly() as silent, socket.socket() as refusing:
        # Bound, and nobody listens: it refuses, and no other process can be given the port.
        refusing.bind(("127.0.0.1", 0))
        answering = [part for port in upstream.plain_ports for part in ("--answering", f"127.0.0.1:{port}")]
        command = [str(program), "soak", "--seconds", str(arguments.seconds), "--rate", str(arguments.rate), *answering,
                   "--silent", silent.authority, "--refusing", f"127.0.0.1:{refusing.getsockname()[1]}"]
        sys.exit(subprocess.run(command).returncode)


main()
