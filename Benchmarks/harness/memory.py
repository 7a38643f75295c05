"""What idle connections and queued requests take of memory."""

import json
from pathlib import Path

from .assembly import Assembly
from .building import c_program, checked
from .upstream import SMALL_BYTES, Upstream

# What is held, in the order of the table.
HELD = {
    "connections": "idle connection of the instrumented pool",
    "libcurl": "idle connection of libcurl alone, in one cache",
    "libcurl-easies": "the same with the easy handle of each kept",
    "queued": "queued request, with its caller's task",
    "tasks": "task that only waits",
}


class Memory:
    def __init__(self, swift: Path) -> None:
        self.swift, self.c = swift, c_program("idle_connections")

    def measure(self, upstream: Upstream, connections: int, requests: int) -> dict[str, dict]:
        """Bytes for each that is held, each kind in a process of its own."""
        url = ["--url", upstream.url(SMALL_BYTES, False)]
        with Assembly(connections) as assembly:
            open_all = [*url, "--count", str(connections), "--assembly", f"http://{assembly.authority}/"]
            commands = {
                "connections": [str(self.swift), "memory", "connections", *open_all],
                "libcurl": [str(self.c), *open_all],
                "libcurl-easies": [str(self.c), *open_all, "--keep", "1"],
                **{subject: [str(self.swift), "memory", subject, *url, "--count", str(requests)]
                   for subject in ("queued", "tasks")},
            }
            return {subject: json.loads(checked(command, f"memory, {subject}"))
                    for subject, command in commands.items()}


def difference(memory: dict[str, dict], subject: str, base: str) -> float:
    """KiB that one takes more than the other."""
    return (memory[subject]["resident_bytes"] - memory[base]["resident_bytes"]) / 1024
