"""What `promtool test rules` plays: a service of two instances, for every alert a situation that is trouble, and situations
that are none.

A series has a level, or a rate: `Rate(5)` is a counter that grows by 5 a second. Every situation of SICK is played four
times: well, then sick, then well again; with every fourth scrape missed; with a restart while it is sick; and with series
that begin with what they would have counted in five minutes.
"""

from dataclasses import dataclass, field

STEP = 30  # seconds between scrapes
SICK_FROM, SICK_UNTIL, WELL_AGAIN, END = 600, 2100, 3600, 4500
RESTART = 1320

ORIGIN = "https://up.test:443"
OTHER_ORIGIN = "https://side.test:443"


@dataclass(frozen=True)
class Rate:
    per_second: float


@dataclass
class Sick:
    """A situation that is trouble.

    series: what differs from a healthy service while it lasts, in instance `a`.
    labels: those of the alert, without `severity`.
    annotations: the summary and the description at the end of it; `{every_other}` is the share of every other scrape.
    within: seconds after which the alert must fire.
    also: other alerts that are right to fire too.
    born: what the series do that begin late: "burst" counted at once and never again, "rising", or None where series
        cannot begin late.
    restart: whether the trouble outlives a restart of the process.
    peer: what differs in the other instance, `b`.
    resolved: when the alert must have ended, SICK_UNTIL being the end of the trouble.
    """

    series: dict
    labels: dict
    summary: str
    description: str
    within: int
    also: tuple = ()
    born: str | None = "burst"
    restart: bool = True
    peer: dict = field(default_factory=dict)
    resolved: int = WELL_AGAIN


def counter(name, label, value, origin=ORIGIN):
    return f'http_client_pool_{name}_total{{pool="main", origin="{origin}", {label}="{value}"}}'


def opened(origin=ORIGIN):
    return f'http_client_pool_connections_opened_total{{pool="main", origin="{origin}"}}'


def pool(name, labels=""):
    return f'http_client_pool_{name}{{pool="main"{labels}}}'


HEALTHY = {
    "up": 1,
    "http_client_pools": 1,
    "http_client_pools_created_total": 1,
    "process_start_time_seconds": 0,
    "process_open_fds": 50,
    "process_max_fds": 1000,
    pool("max_connections"): 10,
    pool("connections", f', origin="{ORIGIN}", state="active"'): 4,
    pool("overdue_leases", ', held_by="caller"'): 0,
    pool("overdue_leases", ', held_by="peer"'): 0,
    pool("driver_stall_seconds"): 0,
    pool("config_last_reload_successful"): 1,
    pool("saturated_seconds_total", ', limit="connections"'): Rate(0),
    pool("saturated_seconds_total", ', limit="connections_per_origin"'): Rate(0),
    pool("queued_seconds_total"): Rate(0),
    counter("acquires", "kind", "reused"): Rate(5),
    counter("acquires", "kind", "new"): Rate(0.02),
    counter("acquire_failures", "reason", "cancelled"): Rate(0.1),
    counter("acquire_failures", "reason", "timeout"): Rate(0),
    counter("leases", "outcome", "2xx"): Rate(5),
    counter("leases", "outcome", "timeout"): Rate(0),
    opened(): Rate(0.02),
    counter("connections_closed", "reason", "idle_expired"): Rate(0.02),
}

IN_A = {"job": "shop", "instance": "a"}
POOL_IN_A = {**IN_A, "pool": "main"}
UPSTREAM = {"job": "shop", "pool": "main", "origin": ORIGIN}

SICK = {
    "HTTPClientPoolSaturated": Sick(
        # Waits of 0.3 s each: a mean of 1.5 requests in the queue.
        {
            pool("saturated_seconds_total", ', limit="connections_per_origin"'): Rate(0.9),
            pool("queued_seconds_total"): Rate(1.5),
        },
        {**POOL_IN_A, "limit": "connections_per_origin"},
        "Requests of pool main wait because of a limit",
        "The limit connections_per_origin of pool main in a (shop) kept requests waiting for 90% of the last five minutes.",
        within=480, born="rising",
    ),
    "HTTPClientPoolAcquireTimeouts": Sick(
        {counter("acquire_failures", "reason", "timeout"): Rate(40 / 300)},
        POOL_IN_A,
        "Requests of pool main get no connection",
        "2.538% of the requests of pool main in a (shop) waited for the acquire timeout or found the queue full.",
        within=240,
    ),
    "HTTPClientPoolLeak": Sick(
        {pool("overdue_leases", ', held_by="caller"'): 3},
        POOL_IN_A,
        "Code of shop holds connections on which nothing moves",
        "3 connections of pool main in a (shop) are held by code that does not read its response.",
        within=660,
    ),
    "HTTPClientPoolThreadBlocked": Sick(
        {pool("driver_stall_seconds"): 20},
        POOL_IN_A,
        "The thread of pool main is blocked",
        "The thread of pool main in a (shop) is busy with one turn, for 20s and longer: no request proceeds.",
        within=120,
    ),
    "HTTPClientUpstreamDown": Sick(
        {
            counter("connect_failures", "reason", "refused", OTHER_ORIGIN): Rate(0.5),
            counter("connect_failures", "reason", "timeout", OTHER_ORIGIN): Rate(0.1),
            counter("acquire_failures", "reason", "connect_failed", OTHER_ORIGIN): Rate(0.6),
            opened(OTHER_ORIGIN): Rate(0),
        },
        {**UPSTREAM, "origin": OTHER_ORIGIN},
        f"shop cannot connect to {OTHER_ORIGIN}",
        f"100% of the attempts of pool main of shop to connect to {OTHER_ORIGIN} fail (refused).",
        within=180,
    ),
    "HTTPClientUpstreamTimeouts": Sick(
        # The pool closes a connection on which a request timed out, so almost every request opens a new one.
        {
            counter("leases", "outcome", "timeout", OTHER_ORIGIN): Rate(0.4),
            counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0.1),
            counter("acquires", "kind", "new", OTHER_ORIGIN): Rate(0.5),
            counter("connections_closed", "reason", "request_timeout", OTHER_ORIGIN): Rate(0.4),
            opened(OTHER_ORIGIN): Rate(0.5),
        },
        {**UPSTREAM, "origin": OTHER_ORIGIN},
        f"{OTHER_ORIGIN} does not respond to shop in time",
        f"80% of the requests of pool main of shop to {OTHER_ORIGIN} timed out, or were given up without any response.",
        within=300,
    ),
    "HTTPClientUpstreamFailing": Sick(
        {
            counter("leases", "outcome", "5xx", OTHER_ORIGIN): Rate(0.3),
            counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0.7),
            counter("acquires", "kind", "reused", OTHER_ORIGIN): Rate(1),
        },
        {**UPSTREAM, "origin": OTHER_ORIGIN},
        f"{OTHER_ORIGIN} fails requests of shop",
        f"30% of the requests of pool main of shop to {OTHER_ORIGIN} fail (5xx).",
        within=480, born="rising",
    ),
    "HTTPClientUpstreamSilent": Sick(
        {pool("overdue_leases", ', held_by="peer"'): 4},
        POOL_IN_A,
        "Upstreams of shop hold connections on which nothing moves",
        "An upstream has moved no byte for a minute on 40% of the connections that pool main in a (shop) may open.",
        within=660,
    ),
    "HTTPClientPoolNotReused": Sick(
        {
            counter("acquires", "kind", "new", OTHER_ORIGIN): Rate(0.2),
            counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0.2),
            counter("connections_closed", "reason", "response_close", OTHER_ORIGIN): Rate(0.2),
            opened(OTHER_ORIGIN): Rate(0.2),
        },
        {**UPSTREAM, "origin": OTHER_ORIGIN},
        f"shop does not reuse connections to {OTHER_ORIGIN}",
        f"100% of the requests of pool main of shop to {OTHER_ORIGIN} cost a connection (response_close).",
        within=840, born="rising",
    ),
    "HTTPClientPeerClosesIdle": Sick(
        {
            counter("acquires", "kind", "new", OTHER_ORIGIN): Rate(0.1),
            counter("acquires", "kind", "reused", OTHER_ORIGIN): Rate(0.1),
            counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0.2),
            counter("connections_closed", "reason", "peer_closed", OTHER_ORIGIN): Rate(0.1),
            opened(OTHER_ORIGIN): Rate(0.1),
        },
        {**UPSTREAM, "origin": OTHER_ORIGIN},
        f"{OTHER_ORIGIN} closes idle connections of shop",
        f"{OTHER_ORIGIN} closes an idle connection for 50% of the requests of pool main of shop:"
        " its keep-alive is shorter than that of the pool.",
        within=840, born="rising",
    ),
    "HTTPClientPerRequest": Sick(
        # One a minute: slowly.
        {"http_client_pools_created_total": Rate(1 / 60)},
        IN_A,
        "shop makes HTTP clients again and again",
        "a (shop) keeps making HTTP clients instead of sharing one: nothing is reused between them.",
        within=900, born="rising", resolved=END,
    ),
    "HTTPClientPoolTooManyOrigins": Sick(
        {
            counter("acquires", "kind", "reused", "other"): Rate(1),
            counter("leases", "outcome", "2xx", "other"): Rate(1),
        },
        {**UPSTREAM, "origin": "other"},
        "Pool main has more upstreams than series",
        "9.058% of the requests of pool main of shop go to upstreams that share the row other.",
        within=780, born="rising",
    ),
    "HTTPClientPoolReloadFailed": Sick(
        {pool("config_last_reload_successful"): 0},
        POOL_IN_A,
        "The settings of pool main were not reloaded",
        "The last reload of the settings of pool main in a (shop) failed; those before it are in force.",
        within=240,
    ),
    "HTTPClientOutOfDescriptors": Sick(
        {counter("connect_failures", "reason", "no_descriptor"): Rate(0.1)},
        IN_A,
        "a has no file descriptor left",
        "a (shop) could not open 30 connections for lack of a file descriptor.",
        within=60,
    ),
    "HTTPClientDescriptorsLow": Sick(
        {"process_open_fds": 900},
        IN_A,
        "a is running out of file descriptors",
        "a (shop) has opened 90% of the file descriptors that it may open.",
        within=180,
    ),
    "HTTPClientInstanceFailing": Sick(
        {counter("leases", "outcome", "connection_lost"): Rate(2), counter("leases", "outcome", "2xx"): Rate(3)},
        POOL_IN_A,
        "a fails more requests than the rest of shop",
        "39.06% of the requests of pool main in a (shop) fail, far more than in the other instances.",
        within=600, also=("HTTPClientUpstreamFailing",), born="rising",
    ),
    "HTTPClientInstanceDown": Sick(
        {"up": 0},
        IN_A,
        "a does not respond to scrapes",
        "a (shop) has not responded to a scrape for minutes: it has ended, is frozen, or cannot be reached.",
        within=240, born=None, restart=False,
    ),
    "HTTPClientServiceGone": Sick(
        {"up": 0},
        {"job": "shop"},
        "No instance of shop is left",
        "None of the instances of shop that were scraped in the last six hours responds any more.",
        within=360, also=("HTTPClientInstanceDown",), born=None, restart=False, peer={"up": 0},
    ),
    "HTTPClientScrapesMissed": Sick(
        {"up": "every other"},
        IN_A,
        "Scrapes of a fail now and then",
        "{every_other} of the scrapes of a (shop) in the last quarter of an hour failed; rates are less exact.",
        within=600, born=None, restart=False,
    ),
}

OLD = {"process_start_time_seconds": -1_000_000}

# What is no trouble: name to what differs from a healthy service from SICK_FROM on, in instance `a`.
WELL = {
    "a healthy service": {},
    "one single acquire timeout": {counter("acquire_failures", "reason", "timeout"): "once"},
    "a pool at its limit that never waits": {pool("connections", f', origin="{ORIGIN}", state="active"'): 10},
    "a pool at its limit with short waits": {
        pool("saturated_seconds_total", ', limit="connections"'): Rate(0.9),
        pool("queued_seconds_total"): Rate(0.1),
    },
    "long waits now and then": {
        pool("saturated_seconds_total", ', limit="connections"'): Rate(0.2),
        pool("queued_seconds_total"): Rate(1),
    },
    "few acquire timeouts of many requests": {counter("acquire_failures", "reason", "timeout"): Rate(0.04)},
    "one request that fails to connect": {
        counter("connect_failures", "reason", "refused", OTHER_ORIGIN): "once",
        counter("acquire_failures", "reason", "connect_failed", OTHER_ORIGIN): "once",
        opened(OTHER_ORIGIN): Rate(0),
    },
    "few requests, some of which wait in vain or fail": {
        counter("acquires", "kind", "reused"): Rate(0.01),
        counter("acquires", "kind", "new"): Rate(0),
        counter("acquire_failures", "reason", "cancelled"): Rate(0),
        counter("acquire_failures", "reason", "timeout"): Rate(0.005),
        counter("leases", "outcome", "2xx"): Rate(0.005),
        counter("leases", "outcome", "connection_lost"): Rate(0.005),
    },
    "few requests to an upstream, some of which time out or fail": {
        counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0.01),
        counter("leases", "outcome", "timeout", OTHER_ORIGIN): Rate(0.005),
        counter("leases", "outcome", "5xx", OTHER_ORIGIN): Rate(0.005),
    },
    "an upstream that refuses one of ten": {
        counter("connect_failures", "reason", "refused", OTHER_ORIGIN): Rate(0.1),
        opened(OTHER_ORIGIN): Rate(0.9),
    },
    "requests that are cancelled before they are connected": {
        counter("connect_failures", "reason", "cancelled", OTHER_ORIGIN): Rate(1), opened(OTHER_ORIGIN): Rate(0.1),
    },
    "some timeouts and errors of an upstream": {
        counter("leases", "outcome", "timeout"): Rate(0.2), counter("leases", "outcome", "5xx"): Rate(0.2),
    },
    "a lease that is overdue for three minutes": {pool("overdue_leases", ', held_by="caller"'): "for three minutes"},
    "one long poll": {pool("overdue_leases", ', held_by="peer"'): 1},
    "one long turn": {pool("driver_stall_seconds"): "one long turn"},
    "sparse requests whose connections expire": {
        counter("acquires", "kind", "new", OTHER_ORIGIN): Rate(0.5),
        counter("connections_closed", "reason", "idle_expired", OTHER_ORIGIN): Rate(0.5),
        opened(OTHER_ORIGIN): Rate(0.5),
    },
    "few requests that are not reused": {
        counter("acquires", "kind", "new", OTHER_ORIGIN): Rate(0.05),
        counter("connections_closed", "reason", "response_close", OTHER_ORIGIN): Rate(0.05),
        opened(OTHER_ORIGIN): Rate(0.05),
    },
    "an upstream that is restarted": {counter("connections_closed", "reason", "peer_closed"): "once"},
    "twelve pools made at once": {"http_client_pools_created_total": 13},
    "a rare upstream beyond those with series": {counter("acquires", "kind", "new", "other"): Rate(0.01)},
    "four fifths of the descriptors": {"process_open_fds": 800},
    "an upstream that refused for a moment": {counter("connect_failures", "reason", "refused"): "a hundred at once"},
    "some callers who give up": {counter("leases", "outcome", "cancelled"): Rate(1)},
    "one descriptor that was missing": {counter("connect_failures", "reason", "no_descriptor"): "once"},
    "one scrape missed": {"up": "missed once"},
    "three scrapes missed in a row": {"up": "missed for ninety seconds"},
    "rows that were given up": {
        counter("acquires", "kind", "new", "retired"): 100_000,
        counter("acquire_failures", "reason", "timeout", "retired"): 100_000,
        counter("connect_failures", "reason", "refused", "retired"): 100_000,
        counter("connect_failures", "reason", "no_descriptor", "retired"): 100_000,
        counter("leases", "outcome", "timeout", "retired"): 100_000,
        counter("connections_closed", "reason", "response_close", "retired"): 100_000,
    },
    "a process that ran long before it was first scraped": {
        **OLD,
        counter("acquire_failures", "reason", "timeout"): 100_000,
        counter("connect_failures", "reason", "refused", OTHER_ORIGIN): 100_000,
        counter("connect_failures", "reason", "no_descriptor"): 100_000,
        counter("leases", "outcome", "timeout"): 100_000,
        counter("leases", "outcome", "5xx"): 100_000,
        "http_client_pools_created_total": 100_000,
    },
}
# What else is trouble: name to what differs in instance `a`, what differs in `b`, and the alerts.
ALSO_SICK = {
    "all callers give up before an upstream that hangs": (
        {
            counter("acquires", "kind", "reused", OTHER_ORIGIN): Rate(0.2),
            counter("acquire_failures", "reason", "cancelled", OTHER_ORIGIN): Rate(0.2),
            counter("leases", "outcome", "2xx", OTHER_ORIGIN): Rate(0),
            counter("leases", "outcome", "cancelled", OTHER_ORIGIN): Rate(0.2),
        },
        {}, {"HTTPClientUpstreamTimeouts"},
    ),
    "a pool without a limit, whose upstream is silent": (
        {pool("max_connections"): 1_000_000, pool("overdue_leases", ', held_by="peer"'): 200},
        {pool("max_connections"): 1_000_000}, {"HTTPClientUpstreamSilent"},
    ),
    "an instance that fails takes most of the traffic": (
        {
            counter("acquires", "kind", "reused"): Rate(45),
            counter("leases", "outcome", "2xx"): Rate(0),
            counter("leases", "outcome", "connection_lost"): Rate(45),
        },
        {}, {"HTTPClientInstanceFailing", "HTTPClientUpstreamFailing"},
    ),
    "long waits for a third of the time": (
        {
            pool("saturated_seconds_total", ', limit="connections"'): Rate(0.33),
            pool("queued_seconds_total"): Rate(15),
        },
        {}, {"HTTPClientPoolSaturated"},
    ),
    "few acquire timeouts in each instance": (
        {
            counter("acquires", "kind", "reused"): Rate(0.01),
            counter("acquire_failures", "reason", "timeout"): Rate(0.015),
        },
        {counter("acquire_failures", "reason", "timeout"): Rate(0.015)}, {"HTTPClientPoolAcquireTimeouts"},
    ),
}
FROM_START = {"a process that ran long before it was first scraped"}
