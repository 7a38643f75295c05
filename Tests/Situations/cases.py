"""The situations: what runs, what goes wrong, which alerts fire. A tenth of the times that are usual, as the rules have it."""

import json
import os
import re
import signal
import threading
import time
from dataclasses import dataclass
from typing import Callable

from processes import Poolscope, StoppedThread
from upstreams import Certificates, Loop, ScrapeProxy, Upstream, open_url


@dataclass(eq=False)
class Live:
    """A situation that runs. `begin` makes it go wrong, `end` mends it where that is cheap."""

    targets: list
    begin: Callable = lambda: None
    end: Callable | None = None


@dataclass(eq=False)
class Situation:
    name: str
    before: str  # the alerts before these rules
    expected: set  # without HTTPClient
    start: Callable  # Bench to Live
    # What has to have happened, as a query, where no alert shows it; $job is the situation.
    proof: str | None = None

    @property
    def healthy(self):
        return not self.expected


class Bench:
    """What situations are made of."""

    def __init__(self, processes, folder, program):
        self.processes, self.folder, self.program = processes, folder, program
        self.loop = Loop()
        self._certificates = None
        self.over, self.at_end = threading.Event(), []

    def close(self):
        """Undoes what would keep the processes from being ended."""
        self.over.set()
        for action in self.at_end:
            action()

    @property
    def certificates(self):
        self._certificates = self._certificates or Certificates(self.folder)
        return self._certificates

    def upstream(self, **arguments):
        return Upstream(self.loop, **arguments)

    def proxy(self, service):
        return ScrapeProxy(self.loop, service.target)

    def service(self, targets, rate=10, concurrency=16, files=None, arguments=(), **environment):
        environment = {f"HTTP_CLIENT_{name.upper()}": str(value) for name, value in environment.items()}
        arguments = ["--rate", rate, "--concurrency", concurrency, *arguments]
        return Poolscope(self.processes, self.program, targets, environment, arguments, files)


ALL = []


def situation(name, before, *expected, proof=None):
    def add(start):
        ALL.append(Situation(name, before, set(expected), start, proof))
        return start

    return add


def behaves(sick, rate=10, concurrency=16, **environment):
    """One service, one upstream that behaves otherwise while it lasts."""
    def start(bench):
        upstream = bench.upstream()
        service = bench.service(upstream.urls, rate, concurrency, **environment)
        return Live([service.target], lambda: sick(upstream), upstream.well)

    return start


def one_of_ten(sick, rate=20, **environment):
    def start(bench):
        upstreams = [bench.upstream() for _ in range(10)]
        service = bench.service([one.url for one in upstreams], rate, **environment)
        return Live([service.target], lambda: sick(upstreams[3]), upstreams[3].well)

    return start


# What is no trouble.
situation("healthy", "none: right", proof='sum(rate(http_client_pool_acquires_total{job="$job"}[1m])) > 5')(
    behaves(lambda upstream: None)
)
situation(
    "limit reached, nobody waits", "none; the board is red",
    proof='avg_over_time(job_instance_pool:http_client_pool_connections:utilization{job="$job"}[1m]) > 0.8',
)(behaves(lambda upstream: upstream.now(delay=0.3), 25, 5, max_connections=5))


@situation("restarting", "none: right", proof='changes(process_start_time_seconds{job="$job"}[2m]) >= 2')
def restarting(bench):
    service = bench.service(bench.upstream().urls)

    def restart():
        while not bench.over.wait(30):
            try:
                service.restart()
            except RuntimeError:  # The suite is over.
                return

    return Live([service.target], lambda: threading.Thread(target=restart, daemon=True).start())


@situation(
    "one single acquire timeout", "pages critical for 3 minutes",
    proof='sum(http_client_pool_acquire_failures_total{job="$job", reason="timeout"}) < 3 > 0',
)
def single_timeout(bench):
    upstream = bench.upstream()
    service = bench.service(upstream.urls, 10, 2, max_connections=1, pool_timeout=1)

    def begin():
        upstream.now(delay=1.5)
        time.sleep(0.3)
        upstream.well()

    return Live([service.target], begin)


# Limits.
situation("limit 5, upstream 1 s", "fires", "PoolSaturated")(
    behaves(lambda upstream: upstream.now(delay=1), 10, 20, max_connections=5)
)
situation("limit 5, upstream 0.2 s, waits of 0.3 s", "none", "PoolSaturated")(
    behaves(lambda upstream: upstream.now(delay=0.2), 40, 12, max_connections=5)
)
situation("limit per origin 5", "none", "PoolSaturated")(
    behaves(lambda upstream: upstream.now(delay=1), 10, 20, max_connections_per_origin=5)
)


@situation("saturated, every 4th scrape missed", "none", "PoolSaturated", "ScrapesMissed")
def saturated_missed(bench):
    upstream = bench.upstream()
    proxy = bench.proxy(bench.service(upstream.urls, 10, 20, max_connections=5))

    def begin():
        upstream.now(delay=1)
        proxy.missing = True

    def end():
        upstream.well()
        proxy.missing = False

    return Live([proxy.target], begin, end)


situation("acquire timeouts go on", "not measured", "PoolSaturated", "PoolAcquireTimeouts")(
    behaves(lambda upstream: upstream.now(delay=1), 20, 24, max_connections=4, pool_timeout=1.5)
)


@situation("40 acquire timeouts at once, the first ever", "none", "PoolAcquireTimeouts")
def burst(bench):
    upstream = bench.upstream()
    service = bench.service(upstream.urls, 40, 45, max_connections=5, pool_timeout=1)

    def begin():
        upstream.now(delay=2.5)
        time.sleep(0.5)
        upstream.well()

    return Live([service.target], begin, lambda: None)


# Upstreams.
situation("upstream refuses", "none", "UpstreamDown")(behaves(lambda upstream: upstream.refuse()))
situation("1 of 10 origins refuses", "none", "UpstreamDown")(one_of_ten(lambda upstream: upstream.refuse()))
situation("black hole", "none", "UpstreamDown")(behaves(lambda upstream: upstream.black_hole(), connect_timeout=1))


@situation("TLS broken", "none", "UpstreamDown")
def broken_tls(bench):
    certificates = bench.certificates
    upstream = bench.upstream(context=certificates.good)
    service = bench.service([upstream.url], 5, ca_file=certificates.authority)
    return Live(
        [service.target], lambda: upstream.present(certificates.bad), lambda: upstream.present(certificates.good)
    )


situation("upstream hangs, read timeouts", "NotReused: the wrong one", "UpstreamTimeouts")(
    behaves(lambda upstream: upstream.now(hang="before"), read_timeout=1)
)
situation("upstream hangs after the head, no timeout", "not measured", "UpstreamSilent")(
    behaves(
        lambda upstream: upstream.now(hang="after"), 10, 4, max_connections=10, read_timeout="none", overdue_lease=6
    )
)
situation("5xx", "not measured", "UpstreamFailing")(behaves(lambda upstream: upstream.now(status=503)))
situation("Connection: close in 1 of 10 origins", "none", "PoolNotReused")(
    one_of_ten(lambda upstream: upstream.now(close=True), 25)
)
situation("short keep-alive of the peer", "none", "PeerClosesIdle")(
    behaves(lambda upstream: upstream.now(idle=0.05), 4, 1)
)


@situation("1 of 2 instances fails", "not measured", "UpstreamFailing", "InstanceFailing")
def one_instance(bench):
    upstream = bench.upstream()
    sick, well = bench.service(upstream.urls), bench.service(bench.upstream().urls)
    return Live([sick.target, well.target], lambda: upstream.now(status=500), upstream.well)


# The process and its own code.
@situation("leak below the limit", "none", "PoolLeak")
def leak(bench):
    """`poolscope run` reads every response to its end, so one number of its page is replaced."""
    proxy = bench.proxy(bench.service(bench.upstream().urls))

    def begin():
        proxy.rewrite = lambda page: re.sub(
            rb'(?m)^(http_client_pool_overdue_leases\{.*held_by="caller".*\}) 0$', rb"\1 3", page
        )

    def end():
        proxy.rewrite = None

    return Live([proxy.target], begin, end)


@situation("client per request, slowly", "none", "PerRequest")
def per_request(bench):
    upstream = bench.upstream()
    service = bench.service(upstream.urls)
    # Resolves only when the half hour that the rule looks at is over.
    return Live(
        [service.target], lambda: service.restart(None, ["--per-request-clients", "--rate", 0.25, "--concurrency", 1])
    )


@situation("pool thread stopped", "none", "PoolThreadBlocked")
def stopped_thread(bench):
    service = bench.service(bench.upstream().urls, 50, 2)
    stopped = []

    def begin():
        thread = next(number for number, name in service.threads().items() if name == "poolscope-curl")
        # A thread that sleeps is not in a turn, so it is stopped again until it is.
        for _ in range(200):
            stopped[:] = [StoppedThread(thread)]
            time.sleep(0.05)
            with open_url(f"http://{service.target}/metrics", timeout=5) as page:
                stall = re.search(rb"(?m)^http_client_pool_driver_stall_seconds\{.*\} (.*)$", page.read())
            if float(stall.group(1)) > 0:
                return
            end()
            time.sleep(0.013)
        raise RuntimeError("the thread was never stopped within a turn")

    def end():
        while stopped:
            stopped.pop().resume()

    # A stopped thread would keep its process from ending.
    bench.at_end.append(end)
    return Live([service.target], begin, end)


@situation("process frozen, 1 of 2", "none", "InstanceDown")
def frozen(bench):
    sick, well = (bench.service(bench.upstream().urls) for _ in range(2))
    return Live(
        [sick.target, well.target], lambda: sick.signal(signal.SIGSTOP), lambda: sick.signal(signal.SIGCONT)
    )


@situation("gone", "none", "InstanceDown", "ServiceGone")
def gone(bench):
    service = bench.service(bench.upstream().urls)
    return Live([service.target], service.end, lambda: service.start(*service.last))


@situation("scrapes missed", "not measured", "ScrapesMissed")
def missed(bench):
    proxy = bench.proxy(bench.service(bench.upstream().urls))

    def missing(value):
        proxy.missing = value

    return Live([proxy.target], lambda: missing(True), lambda: missing(False))


situation("out of descriptors", "none", "OutOfDescriptors", "DescriptorsLow")(
    behaves(lambda upstream: upstream.now(delay=1.5), 80, 110, files=100)
)


@situation("bad reload", "none", "PoolReloadFailed")
def bad_reload(bench):
    file = os.path.join(bench.folder, "settings.json")

    def write(value):
        with open(file + ".new", "w") as settings:
            json.dump({"httpClient": {"maxConnections": value}}, settings)
        os.replace(file + ".new", file)

    write(20)
    service = bench.service(bench.upstream().urls, arguments=["--config", file])

    def reload(value):
        write(value)
        service.signal(signal.SIGHUP)

    return Live([service.target], lambda: reload(-3), lambda: reload(30))


@situation("more than 64 origins", "none", "PoolTooManyOrigins")
def many_origins(bench):
    upstream = bench.upstream(hosts=[f"127.0.1.{number}" for number in range(1, 81)])
    service = bench.service(upstream.urls[:5], 40)
    return Live([service.target], lambda: service.restart(upstream.urls), lambda: service.restart(upstream.urls[:5]))
