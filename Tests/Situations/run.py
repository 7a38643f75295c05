#!/usr/bin/env python3
"""Puts a real Prometheus and Alertmanager through every situation of cases.py, with real processes, and compares which alerts fire.

Situations run side by side, the rules at a tenth of their times. Written to dashboards/situations.md with --write.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

import cases
from processes import DASHBOARDS, Monitoring, Processes

SCALE = 0.1
WELL, SICK, RESOLVED = 45, 120, 130  # seconds
PAGE = DASHBOARDS / "situations.md"
PREFIX = "HTTPClient"


class Watch:
    """What fires, since when: (job, alert) to seconds. Asks each second until it is stopped."""

    def __init__(self, monitoring):
        self.monitoring, self.first, self.now, self.managed = monitoring, {}, set(), {}
        self.error, self.stopped = None, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopped.wait(1):
            try:
                self.now = self.monitoring.firing()
                for key, silenced in self.monitoring.managed_alerts().items():
                    self.managed.setdefault(key, set()).add(silenced)
                for key in self.now:
                    self.first.setdefault(key, time.monotonic())
            except OSError as error:
                self.error = error

    def stop(self):
        self.stopped.set()
        self.thread.join(15)


def job(situation):
    return re.sub(r"[^a-z0-9]+", "-", situation.name.lower()).strip("-")


def short(alerts):
    return ", ".join(sorted(name.removeprefix(PREFIX) for name in alerts)) or "none"


def wait(seconds, until=lambda: False):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        time.sleep(0.5)


class Suite:
    def __init__(self, chosen, folder, program, healthy_seconds):
        self.chosen, self.folder, self.healthy_seconds = chosen, folder, healthy_seconds
        self.processes = Processes(folder)
        self.bench = cases.Bench(self.processes, folder, program)
        self.results, self.failures = {}, []

    def run(self):
        try:
            self._run()
        finally:
            self.bench.over.set()
            self.processes.end_all()

    def fail(self, situation, text):
        self.failures.append(f"{situation.name}: {text}")

    def _each(self, name):
        """Calls `begin` or `end` of every situation, from this thread, which a stopped thread is bound to."""
        began = {}
        for situation, live in self.live.items():
            action = getattr(live, name)
            began[situation.name] = time.monotonic()
            if action is None:
                continue
            try:
                action()
            except Exception as error:  # noqa: BLE001: the others go on
                self.fail(situation, f"{name}: {error!r}")
        return began

    def _run(self):
        self.live = {situation: situation.start(self.bench) for situation in self.chosen}
        monitoring = Monitoring(
            self.processes, self.folder, {job(situation): live.targets for situation, live in self.live.items()}, SCALE
        )
        print(f"{len(self.chosen)} situations, {len(self.processes.running)} processes; well for {WELL} s", flush=True)
        watch = Watch(monitoring)
        wait(WELL)
        for key in sorted(watch.first):
            self.failures.append(f"{key[0]}: {key[1]} fired while all was well")
        start = time.monotonic()
        began = self._each("begin")
        print(f"trouble for {SICK} s", flush=True)
        wait(SICK - (time.monotonic() - start))
        for situation in self.chosen:
            self._result(situation, watch, began[situation.name])
        self._each("end")
        resolving = {
            job(situation) for situation, live in self.live.items() if live.end is not None and situation.expected
        }
        print(f"well again, for at most {RESOLVED} s", flush=True)
        wait(RESOLVED, lambda: not any(key[0] in resolving for key in watch.now))
        for key in sorted(watch.now):
            if key[0] in resolving:
                self.failures.append(f"{key[0]}: {key[1]} still fires")
        healthy = {job(situation): situation for situation in self.chosen if situation.healthy}
        if healthy:
            wait(self.healthy_seconds - (time.monotonic() - start))
            for key in sorted(watch.first):
                if key[0] in healthy:
                    self.fail(healthy[key[0]], f"{key[1]} fired")
        watch.stop()
        for process in self.processes.running:
            if process.poll() is not None:
                log = pathlib.Path(process.log).read_text(errors="replace")[-400:]
                self.failures.append(f"ended early: {process.args}: {log}")

    def _result(self, situation, watch, began):
        mine = {name: at for (where, name), at in watch.first.items() if where == job(situation)}
        managed = {name: states for (where, name), states in watch.managed.items() if where == job(situation)}
        expected = {PREFIX + name for name in situation.expected}
        delays = {name: (at - began) / SCALE for name, at in mine.items()}
        silenced = {name for name, states in managed.items() if states == {True}}
        self.results[situation.name] = delays, silenced
        right = set(mine) == expected == set(managed)
        print(
            f"{'ok   ' if right else 'WRONG'} {situation.name}: expected {short(expected)}; got "
            + (", ".join(
                f"{name.removeprefix(PREFIX)} after {delay:.0f} s{' (silenced)' if name in silenced else ''}"
                for name, delay in sorted(delays.items(), key=lambda item: item[1])
            ) or "none"), flush=True,
        )
        if set(mine) != expected:
            self.fail(situation, f"expected {short(expected)}, got {short(mine)}")
        elif set(managed) != expected:
            self.fail(situation, f"Alertmanager knows {short(managed)}, expected {short(expected)}")


def table(results):
    lines = ["| situation | before | alerts, and after how long |", "| --- | --- | --- |"]
    for situation in cases.ALL:
        delays, silenced = results[situation.name]
        fired = [
            f"{name.removeprefix(PREFIX)} {round(delay, -1):.0f} s{' (silenced)' if name in silenced else ''}"
            for name, delay in sorted(delays.items(), key=lambda item: item[1])
        ]
        lines.append(f"| {situation.name} | {situation.before} | {', '.join(fired) or 'none'} |")
    return "\n".join(lines) + "\n"


HEAD = """# Which alert fires in which situation

Written by `make situations ARGS=--write`: processes of `poolscope run` against upstreams that misbehave, scraped by a Prometheus with
these rules at a tenth of their times, whose alerts go to an Alertmanager with the example's routes. The delays, from the moment at which
the trouble begins, are those of the rules' own times: ten times what was measured. *Before* is what the former rules did. An alert that is
silenced fires, and another one, its cause, keeps it from notifying anybody. The names begin with `HTTPClient`.

"""


def compare(results):
    """Where the committed page names other alerts than those that fire."""
    committed = PAGE.read_text() if PAGE.exists() else ""
    strip = lambda text: re.sub(r" \d+ s\b(?! \|)| \d+ s(?= \|)", "", text)  # noqa: E731
    return strip(committed) == strip(HEAD + table(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poolscope", required=True, help="the program to run")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a situation; may be repeated")
    parser.add_argument("--healthy-seconds", type=float, default=600, help="how long the healthy ones run without an alert")
    parser.add_argument("--write", action="store_true", help="write dashboards/situations.md")
    arguments = parser.parse_args()
    chosen = [situation for situation in cases.ALL if not arguments.only or situation.name in arguments.only]
    if len(chosen) < len(arguments.only):
        sys.exit("the situations are:\n" + "\n".join(situation.name for situation in cases.ALL))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="poolscope-situations-")
    suite = Suite(chosen, folder, os.path.abspath(arguments.poolscope), arguments.healthy_seconds)
    try:
        suite.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if suite.failures:
        sys.exit("\n".join(suite.failures))
    if arguments.write:
        PAGE.write_text(HEAD + table(suite.results))
    elif not arguments.only and not compare(suite.results):
        sys.exit(f"{PAGE} differs; run with --write")
    print("all as expected")


if __name__ == "__main__":
    main()
