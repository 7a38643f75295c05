#!/usr/bin/env python3
"""Puts a real Prometheus and Alertmanager through every situation of cases.py, with real processes, and compares which alerts
fire with what is expected and with dashboards/situations.md.

The situations run side by side, and the rules at a tenth of their times: all is well, then all goes wrong at once, then all is
well again. The healthy ones run on until --healthy-seconds are over.
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
import pictures
from processes import DASHBOARDS, Monitoring, Processes

sys.path.insert(0, str(DASHBOARDS / "source"))
from alerts import alerts  # noqa: E402
from common import Clock  # noqa: E402

SCALE = 0.1
WELL, SICK, RESOLVED = 32, 100, 140  # seconds
PAGE = DASHBOARDS / "situations.md"
PICTURES = {
    "fleet": "", "service": "&var-job=1-of-2-instances-fails", "pool": "&var-job=limit-5-upstream-1-s",
    "origin": "&var-job=1-of-10-origins-refuses",
}
PREFIX = "HTTPClient"
ENDING = signal.SIGHUP, signal.SIGINT, signal.SIGTERM

HEAD = """# Which alert fires in which situation

`make situations ARGS=--write` writes this page: processes of `poolscope run` and upstreams that misbehave, scraped by a Prometheus with
the rules at a tenth of their times, whose alerts go to an Alertmanager with the example's routes. One number is not real: that of the
leaked leases, since `poolscope run` leaks none. Every situation runs beside all others; in each, exactly these alerts fire.

*Before* is what the rules of the first release did. The delay is the time from the beginning of the trouble until the alert fires, ten times what was
measured, with a scrape and an evaluation every 20 seconds. *Silenced*: at the end another alert, its cause, kept it from notifying
anybody. Names begin with `HTTPClient`.

"""


class Watch:
    """What fires, asked each second: (job, alert) to the time at which it was first and last seen."""

    def __init__(self, monitoring):
        self.monitoring, self.first, self.last, self.managed = monitoring, {}, {}, {}
        self.asked, self.error, self.stopped = time.monotonic(), None, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopped.wait(1):
            try:
                firing, managed = self.monitoring.firing(), self.monitoring.managed_alerts()
            except Exception as error:  # noqa: BLE001: `check` says it if it lasts
                self.error = error
                continue
            now = time.monotonic()
            for key in firing:
                self.first.setdefault(key, now)
                self.last[key] = now
            self.managed.update(managed)
            self.asked = now

    def check(self):
        if time.monotonic() - self.asked > 15:
            raise RuntimeError(f"Prometheus or Alertmanager does not respond: {self.error!r}")

    def fires(self, key):
        """Whether it fired when it was last asked."""
        return self.last.get(key, 0) >= self.asked

    def of(self, job):
        """Alert to the time at which it was first seen."""
        return {name: at for (where, name), at in dict(self.first).items() if where == job}

    def stop(self):
        self.stopped.set()
        self.thread.join(15)


def job(situation):
    return re.sub(r"[^a-z0-9]+", "-", situation.name.lower()).strip("-")


def short(alerts):
    return ", ".join(sorted(name.removeprefix(PREFIX) for name in alerts)) or "none"


def listed(delays, silenced, digits):
    return ", ".join(
        f"{name.removeprefix(PREFIX)} {round(delay, digits):.0f} s{' (silenced)' if name in silenced else ''}"
        for name, delay in sorted(delays.items(), key=lambda item: item[1])
    ) or "none"


class Suite:
    def __init__(self, chosen, folder, program, arguments):
        self.chosen, self.folder, self.arguments = chosen, folder, arguments
        self.processes = Processes(folder)
        self.bench = cases.Bench(self.processes, folder, program)
        self.results, self.failures = {}, []

    def run(self):
        try:
            self._run()
        finally:
            try:
                self.bench.close()
            finally:
                self.processes.end_all()

    def fail(self, situation, text):
        self.failures.append(f"{situation.name}: {text}")

    def _each(self, name):
        """Calls `begin` or `end` of every situation, and returns when. Always from this thread, which alone can resume a thread
        that it stopped."""
        called = {}
        for situation, live in self.live.items():
            if name == "end" and situation.healthy:
                continue
            called[situation] = time.monotonic()
            try:
                (getattr(live, name) or (lambda: None))()
            except Exception as error:  # noqa: BLE001: the others go on
                self.fail(situation, f"{name}: {error!r}")
        return called

    def _wait(self, until, over=lambda: False):
        while time.monotonic() < until and not over():
            self.watch.check()
            time.sleep(0.5)

    def _run(self):
        self.live = {situation: situation.start(self.bench) for situation in self.chosen}
        self.monitoring = Monitoring(
            self.processes, self.folder, {job(situation): live.targets for situation, live in self.live.items()}, SCALE
        )
        self.watch = Watch(self.monitoring)
        self._say(f"{len(self.chosen)} situations, {len(self.processes.running)} processes; well for {WELL} s")
        self._wait(time.monotonic() + WELL)
        for situation in self.chosen:
            if early := self.watch.of(job(situation)):
                self.fail(situation, f"{short(early)} fired before the trouble")

        start = time.monotonic()
        began = self._each("begin")
        self._say(f"trouble for {SICK} s")
        self._wait(start + SICK)
        for situation in self.chosen:
            self._judge(situation, began[situation])
        if self.arguments.pictures:
            pictures.take(self.monitoring.port, PICTURES, self.arguments.pictures, self.arguments.height)

        ended = self._each("end")
        mended = [situation for situation in self.chosen if situation.expected and self.live[situation].end]
        self._say(f"well again, for at most {RESOLVED} s")
        keys = [(job(situation), PREFIX + name) for situation in mended for name in situation.expected]
        self._wait(time.monotonic() + RESOLVED, lambda: not any(self.watch.fires(key) for key in keys))
        if last := max((self.watch.last.get(key, 0) for key in keys), default=0):
            self._say(f"the last alert ended {(last - min(ended.values())) / SCALE:.0f} s after the trouble")
        for situation in mended:
            still = [name for name in situation.expected if self.watch.fires((job(situation), PREFIX + name))]
            if still:
                self.fail(situation, f"{short(still)} did not end")

        self._wait(start + self.arguments.healthy_seconds if any(situation.healthy for situation in self.chosen) else 0)
        self.watch.stop()
        for situation in self.chosen:
            late = set(self.watch.of(job(situation))) - set(self.results[situation.name][0])
            if late:
                self.fail(situation, f"{short(late)} fired after the trouble")
        for process in list(self.processes.running):
            if process.poll() is not None:
                log = pathlib.Path(process.log).read_text(errors="replace")[-400:]
                self.failures.append(f"ended early: {process.args}: {log}")

    def _judge(self, situation, began):
        """What fired until now is exactly what is expected, in Prometheus and in Alertmanager."""
        where = job(situation)
        first = self.watch.of(where)
        managed = {name: silenced for (of, name), silenced in dict(self.watch.managed).items() if of == where}
        expected = {PREFIX + name for name in situation.expected}
        delays = {name: (at - began) / SCALE for name, at in first.items()}
        silenced = {name for name, is_silenced in managed.items() if is_silenced}
        self.results[situation.name] = delays, silenced
        wrong = []
        if set(first) != expected:
            wrong.append(f"expected {short(expected)}, got {short(first)}")
        elif set(managed) != expected:
            wrong.append(f"expected {short(expected)}, Alertmanager has {short(managed)}")
        if situation.proof and not self.monitoring.query(situation.proof.replace("$job", where)):
            wrong.append("it did not happen")
        for text in wrong:
            self.fail(situation, text)
        self._say(
            f"{'WRONG' if wrong else 'ok   '} {situation.name}: expected {short(expected)}; got {listed(delays, silenced, 0)}"
            + "".join(f"; {text}" for text in wrong if text == "it did not happen")
        )

    @staticmethod
    def _say(text):
        print(text, flush=True)


def page(results):
    lines = ["| situation | before | alerts, and after how long |", "| --- | --- | --- |"]
    for situation in cases.ALL:
        lines.append(f"| {situation.name} | {situation.before} | {listed(*results[situation.name], -1)} |")
    return HEAD + "\n".join(lines) + "\n"


def without_delays(text):
    """Alerts that fire almost at once change places, so each line has them in order of their names."""
    lines = []
    for line in text.splitlines():
        start, _, alerts = line.removesuffix(" |").rpartition("| ")
        names = sorted(re.sub(r" \d+ s\b", "", name) for name in alerts.split(", "))
        lines.append(f"{start}| {', '.join(names)}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poolscope", required=True, help="the program to run")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a situation; may be repeated")
    parser.add_argument(
        "--healthy-seconds", type=float, default=600, help="how long the healthy ones run without an alert, at least"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--pictures", metavar="FOLDER", help="draw the boards during the trouble, in Chromium")
    parser.add_argument("--height", type=int, default=1000, help="of the pictures, in pixels (default: %(default)s)")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - {situation.name for situation in cases.ALL}
    if unknown:
        sys.exit("the situations are:\n" + "\n".join(situation.name for situation in cases.ALL))
    if arguments.write and arguments.only:
        sys.exit("--write needs all situations")
    known = {rule["alert"] for rule in alerts(Clock())}
    covered = {PREFIX + name for situation in cases.ALL for name in situation.expected}
    if known != covered:
        sys.exit(f"no situation for {short(known - covered)}; no such alert: {short(covered - known)}")

    def stop(*_):
        # Only once, so that nothing interrupts the ending of the processes.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        sys.exit("stopped")

    for number in ENDING:
        signal.signal(number, stop)
    chosen = [situation for situation in cases.ALL if not arguments.only or situation.name in arguments.only]
    folder = tempfile.mkdtemp(prefix="poolscope-situations-")
    try:
        suite = Suite(chosen, folder, os.path.abspath(arguments.poolscope), arguments)
        suite.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if suite.failures:
        sys.exit("\n".join(suite.failures))
    if arguments.write:
        PAGE.write_text(page(suite.results))
    elif not arguments.only:
        committed = PAGE.read_text() if PAGE.exists() else ""
        if without_delays(committed) != without_delays(page(suite.results)):
            sys.exit(f"{PAGE} has other alerts; write it anew with --write")
    print("all as expected")


if __name__ == "__main__":
    main()
