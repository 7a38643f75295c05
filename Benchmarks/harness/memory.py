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
    "libcurl-easies": "the same with its easy handle kept",
    "libcurl-slots": "the same with its easy handle and a share of its own, as the pool's connections have",
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
                "libcurl-easies": [str(self.c), *open_all, "--keep", "easies"],
                "libcurl-slots": [str(self.c), *open_all, "--keep", "slots"],
                **{subject: [str(self.swift), "memory", subject, *url, "--count", str(requests)]
                   for subject in ("queued", "tasks")},
            }
            return {subject: json.loads(checked(command, f"memory, {subject}"))
                    for subject, command in commands.items()}

