"""The four boards: fleet, service, pool, origin. What is sick comes first."""

from grafana import PROCESS, board, chosen, graph, row, stat, table
from rules import SERVICE
from settings import RUNBOOK, THRESHOLDS as T

FLEET = ("cluster", "namespace", "job", "instance", "pool", "origin")

PROCESSES = chosen(*PROCESS)
POOLS = chosen(*PROCESS, "pool")
ORIGINS = chosen(*PROCESS, "pool", "origin", extra='origin!="retired"')
SITES = chosen(*PROCESS, "pool", "site", extra='site!="retired"')
# What recording rules have summed over instances has no instance left.
OF_SERVICE = chosen("cluster", "namespace", "job")
OF_POOL = chosen("cluster", "namespace", "job", "pool")
OF_ORIGIN = chosen("cluster", "namespace", "job", "pool", "origin")
PER = "$__rate_interval"

TO_SERVICE = ("The service", "/d/poolscope-service?var-job=${__data.fields.job}&${datasource:queryparam}&${__url_time_range}")
TO_POOL = (
    "The pool",
    "/d/poolscope-pool?var-job=${__data.fields.job}&var-instance=${__data.fields.instance}&var-pool=${__data.fields.pool}"
    "&${datasource:queryparam}&${__url_time_range}",
)
TO_ORIGIN = ("The upstream", "/d/poolscope-origin?var-origin=${__data.fields.origin}&${datasource:queryparam}&${__url_time_range}")
TO_PAGE = ("Its own page", "http://${__data.fields.instance}/")
TO_RUNBOOK = ("Runbook", RUNBOOK)
LINKS = {
    "job": [TO_SERVICE], "pool": [TO_POOL], "origin": [TO_ORIGIN], "instance": [TO_PAGE], "alertname": [TO_RUNBOOK],
}


def links(*labels):
    return {label: LINKS[label] for label in labels}


def rate(selector, by=""):
    return f"sum by ({by}) (rate({selector}[{PER}]))" if by else f"rate({selector}[{PER}])"


def quantile(share, family, selector, by="le"):
    return f"histogram_quantile({share}, sum by ({by}) (rate({family}_bucket{selector}[{PER}])))"


ALERTS = f'{{alertstate="firing", alertname=~"HTTPClient.+", {OF_SERVICE[1:]}'


def alerts():
    since = f'ALERTS_FOR_STATE{{alertname=~"HTTPClient.+", {OF_SERVICE[1:]}'
    return table(
        "Alerts that fire", "The alerts of these rules, with what they name. None: nothing is wrong that they know.",
        [(
            "For",
            f"max by (severity, alertname, {SERVICE}, instance, pool, origin, limit)"
            f" (time() - {since} and ignoring (alertstate) ALERTS{ALERTS})", "s",
        )],
        links("job", "instance", "pool", "origin", "alertname"), (24, 7),
    )


def firing():
    return stat("Alerts", "How many alerts of these rules fire.", "none", f"count(ALERTS{ALERTS}) or vector(0)", 1, 3)


def clients_made(by):
    return graph(
        "Clients made", "HTTP clients made per second, by process. Rising with the traffic: code makes a client per request, and"
        " nothing is reused.", "ops",
        (f"topk(10, {rate('http_client_pools_created_total' + PROCESSES, by)})", "{{job}} {{instance}}"),
    )


def clients_alive(by):
    return graph(
        "Clients alive", "Pools alive, by process. Growing: clients are made and not shut down.", "none",
        (f"topk(10, max by ({by}) (http_client_pools{PROCESSES}))", "{{job}} {{instance}}"),
    )


def drift(family):
    """How many different values the instances of a service have, if more than one."""
    return (
        f'topk(50, count by ({SERVICE}, pool) (count_values by ({SERVICE}, pool) ("value", {family}{POOLS}))) > 1'
    )


def fleet():
    saturated = f"max by ({SERVICE}, pool) (job_pool:http_client_pool_saturated:ratio_rate5m_max{OF_POOL})"
    wait = f"job_pool:http_client_pool_queue_wait_seconds:mean5m{OF_POOL}"
    failed = f"job_pool:http_client_pool_failed:ratio_rate5m{OF_POOL}"
    full = f"job_pool:http_client_pool_connections:utilization_max{OF_POOL}"
    acquires = f"job_pool_origin:http_client_pool_acquires:rate5m{OF_ORIGIN}"
    return board(
        "fleet", "fleet", "Which services and upstreams are in trouble, who sends how much where, and who differs from whom.",
        FLEET,
        [
            row("Is anything wrong?"),
            firing(),
            stat(
                "Requests that fail", "Share of all requests that got no connection, or failed on it.", "percentunit",
                "sum(job_instance_pool:http_client_pool_failed:rate5m" + POOLS
                + ") / sum(job_instance_pool:http_client_pool_acquisitions:rate5m" + POOLS + ")", 0.01, 0.05, 2,
            ),
            stat(
                "Pools that make wait", "Pools in which a limit kept requests waiting for more than half of the time.", "none",
                f"count(job_instance_pool:http_client_pool_saturated:ratio_rate5m{POOLS} > {T['saturated_share']})"
                " or vector(0)", 1, 5,
            ),
            stat(
                "Instances that are down", "Instances that are targets and do not respond to scrapes.", "none",
                f"count(up{PROCESSES} == 0 and on ({SERVICE}, instance) job_instance:http_client_pools:known{PROCESSES}) or vector(0)",
                1, 3,
            ),
            stat("Instances", "Processes that report pools.", "none", f"count(http_client_pools{PROCESSES})"),
            stat(
                "Requests", "Acquisitions per second over the whole fleet.", "reqps",
                f"sum(job_instance_pool:http_client_pool_acquisitions:rate5m{POOLS})",
            ),
            alerts(),
            table(
                "Services, the worst first", "One row a service and pool: the share of time in which a limit made requests wait in"
                " its worst instance, the mean wait, the share of requests that failed, how full its fullest instance is, the share"
                " of requests that needed no new connection, and the traffic. A pool that is full and makes nobody wait is well"
                " used.",
                [
                    ("Saturated", f"topk(30, {saturated})", "percentunit", 0.1, T["saturated_share"]),
                    ("Mean wait", f"topk(30, {wait})", "s", T["saturated_wait"], 1),
                    ("Failed", f"topk(30, {failed})", "percentunit", 0.01, 0.1),
                    ("Fullest instance", f"topk(30, {full})", "percentunit"),
                    ("Reused", f"topk(30, job_pool:http_client_pool_reuse:ratio_rate5m{OF_POOL} >= 0)", "percentunit"),
                    ("Requests per second", f"topk(30, job_pool:http_client_pool_acquisitions:rate5m{OF_POOL})", "reqps"),
                ],
                links("job"), (24, 7), "Saturated",
            ),
            row("Who waits, who fails"),
            graph(
                "Time saturated", "Share of time in which a limit kept at least one request waiting, in the worst instance of"
                " each service; the ten highest.", "percentunit",
                (f"topk(10, {saturated})", "{{job}} {{pool}}"), top=1,
            ),
            graph(
                "Mean wait for a slot", "Time that a request was queued, on average, by service; the ten longest.", "s",
                (f"topk(10, {wait})", "{{job}} {{pool}}"),
            ),
            graph(
                "Failed requests", "Share of requests that got no connection or failed on it, by service; the ten highest.",
                "percentunit", (f"topk(10, {failed} >= 0)", "{{job}} {{pool}}"),
            ),
            row("Upstreams"),
            table(
                "Upstreams in trouble", "One row a service and upstream: the share of connection attempts that fail, of requests"
                " that time out, of those that fail otherwise, and the mean time to respond.",
                [
                    (
                        "Unreachable", f"topk(30, job_pool_origin:http_client_pool_unreachable:ratio_rate5m{OF_ORIGIN} >= 0)",
                        "percentunit", 0.1, T["connect_failure_share"],
                    ),
                    (
                        "Timed out",
                        "topk(30, sum without (outcome) (job_pool_origin:http_client_pool_leases:ratio_rate5m"
                        + OF_ORIGIN[:-1] + ', outcome="timeout"}))', "percentunit", 0.01, T["upstream_timeout_share"],
                    ),
                    (
                        "Failed",
                        "topk(30, sum without (outcome) (job_pool_origin:http_client_pool_leases:ratio_rate5m"
                        + OF_ORIGIN[:-1] + ', outcome=~"5xx|connection_lost|invalid_response"}))',
                        "percentunit", 0.01, T["upstream_failure_share"],
                    ),
                    (
                        "Time to respond",
                        f"topk(30, job_pool_origin:http_client_pool_time_to_head_seconds:mean5m{OF_ORIGIN} >= 0)", "s",
                    ),
                ],
                links("job", "origin"), (24, 9), "Unreachable",
            ),
            graph(
                "Who sends how much to which upstream", "Requests per second; the ten largest pairs.", "reqps",
                (f"topk(10, sum by (job, origin) ({acquires}))", "{{job}} to {{origin}}"),
            ),
            graph(
                "Connections to an upstream", "Connections that all services together hold to an upstream; the ten most.", "none",
                (f"topk(10, sum by (origin) (job_pool_origin:http_client_pool_connections:sum{OF_ORIGIN}))", "{{origin}}"),
            ),
            graph(
                "Reuse by upstream", "Share of requests that needed no new connection; the ten lowest.", "percentunit",
                (f"bottomk(10, job_pool_origin:http_client_pool_reuse:ratio_rate5m{OF_ORIGIN} >= 0)", "{{job}} to {{origin}}"),
                top=1,
            ),
            row("A client per request"),
            clients_made("job, instance"),
            clients_alive("job, instance"),
            graph(
                "Descriptors", "Share of the file descriptors that a process may open; the ten highest.", "percentunit",
                (
                    f"topk(10, process_open_fds{PROCESSES} / process_max_fds{PROCESSES}"
                    f" and on ({SERVICE}, instance) http_client_pools{PROCESSES})", "{{job}} {{instance}}",
                ), top=1,
            ),
            row("Who differs from whom"),
            table(
                "Different settings", "Services whose instances have different values of a setting, and how many: a rollout is under"
                " way, or settings have drifted. None: all are alike.",
                [
                    (name, drift(f"http_client_pool_{family}"), "none", 2)
                    for name, family in (
                        ("Connections", "max_connections"), ("Per origin", "max_connections_per_origin"),
                        ("Idle", "max_idle_connections"), ("Queue", "max_queued_requests"),
                        ("Keep-alive", "keepalive_expiry_seconds"), ("Lifetime", "max_connection_lifetime_seconds"),
                    )
                ] + [(
                    "Timeouts",
                    f'topk(50, max by ({SERVICE}, pool) (count by ({SERVICE}, pool, phase) (count_values by ({SERVICE}, pool,'
                    f' phase) ("value", http_client_pool_timeout_seconds{POOLS})))) > 1', "none", 2,
                )],
                links("job"), (12, 9),
            ),
            table(
                "Versions", "Processes by version of PoolScope, compiler and client library.",
                [(
                    "Processes",
                    f"topk(50, count by (job, version, swift, library, library_version, tls) (http_client_pool_backend_info{POOLS}"
                    f" * on ({SERVICE}, instance) group_left (version, swift) poolscope_build_info{PROCESSES}))", "none",
                )],
                links("job"), (12, 9),
            ),
        ],
    )


def service():
    failed = f"job_instance_pool:http_client_pool_failed:ratio_rate5m{POOLS}"
    saturated = f"max by ({SERVICE}, instance, pool) (job_instance_pool:http_client_pool_saturated:ratio_rate5m{POOLS})"
    wait = f"job_instance_pool:http_client_pool_queue_wait_seconds:mean5m{POOLS}"
    full = f"job_instance_pool:http_client_pool_connections:utilization{POOLS}"
    traffic = f"job_instance_pool:http_client_pool_acquisitions:rate5m{POOLS}"
    by_instance = "{{instance}} {{pool}}"
    return board(
        "service", "service", "The instances of a service side by side, the sick ones first.", FLEET[:5],
        [
            row("Which instance is sick?"),
            firing(),
            stat("Worst share of failures", "Of the requests of one instance.", "percentunit", f"max({failed})", 0.01, 0.1, 2),
            stat("Most saturated", "Share of time that a limit made requests wait, in the worst instance.", "percentunit",
                 f"max({saturated})", 0.1, T["saturated_share"], 1),
            stat("Longest mean wait", "Time that a request was queued, in the worst instance.", "s", f"max({wait})",
                 T["saturated_wait"], 1),
            stat("Leases that our code holds", "On which it has moved no byte for a minute.", "none",
                 "sum(http_client_pool_overdue_leases" + POOLS[:-1] + ', held_by="caller"})', 1, 3),
            stat("Instances", "Processes that report pools.", "none", f"count(http_client_pools{PROCESSES})"),
            table(
                "Instances, the worst first", "One row an instance and pool. The instance leads to its own page.",
                [
                    ("Failed", f"topk(50, {failed})", "percentunit", 0.01, 0.1),
                    ("Saturated", f"topk(50, {saturated})", "percentunit", 0.1, T["saturated_share"]),
                    ("Mean wait", f"topk(50, {wait})", "s", T["saturated_wait"], 1),
                    ("Full", f"topk(50, {full})", "percentunit"),
                    (
                        "Held by our code",
                        f"topk(50, sum by ({SERVICE}, instance, pool) (http_client_pool_overdue_leases"
                        + POOLS[:-1] + ', held_by="caller"}))', "none", 1, 3,
                    ),
                    ("Turn", f"topk(50, http_client_pool_driver_stall_seconds{POOLS})", "s", 0.5, T["stall"]),
                    ("Requests per second", f"topk(50, {traffic})", "reqps"),
                ],
                links("instance", "pool"), (24, 8), "Failed",
            ),
            alerts(),
            row("Instances side by side"),
            graph("Failures by instance", "Share of the requests of an instance that fail; the ten highest.", "percentunit",
                  (f"topk(10, {failed} >= 0)", by_instance)),
            graph("Time saturated by instance", "Share of time in which a limit kept requests waiting; the ten highest.",
                  "percentunit", (f"topk(10, {saturated})", by_instance), top=1),
            graph("Mean wait by instance", "Time that a request was queued, on average; the ten longest.", "s",
                  (f"topk(10, {wait})", by_instance)),
            graph("How full", "Connections that exist, as a share of the limit; the ten highest. Full is well used as long as"
                  " nobody waits.", "percentunit", (f"topk(10, {full})", by_instance), top=1),
            graph("Requests by instance", "Acquisitions per second; the ten most.", "reqps", (f"topk(10, {traffic})", by_instance)),
            graph(
                "Time to acquire, p99", "99 of 100 acquisitions of an instance, failed ones included, ended within this; the ten"
                " longest.", "s",
                (
                    "topk(10, " + quantile(0.99, "http_client_pool_acquire_duration_seconds", POOLS, "instance, pool, le")
                    + ")", by_instance,
                ),
            ),
            row("A client per request"),
            clients_made("job, instance"),
            clients_alive("job, instance"),
            graph("Descriptors", "Open file descriptors; the ten most.", "none",
                  (f"topk(10, process_open_fds{PROCESSES})", "{{instance}}"),
                  (f"min(process_max_fds{PROCESSES})", "limit"), dashed=("limit",)),
            row("Processes"),
            graph("Processor", "Processor time used per second: 1 is one core, busy; the ten most.", "none",
                  (f"topk(10, {rate('process_cpu_seconds_total' + PROCESSES)})", "{{instance}}")),
            graph("Resident memory", "Memory of the process that is in RAM; the ten most.", "bytes",
                  (f"topk(10, process_resident_memory_bytes{PROCESSES})", "{{instance}}")),
            graph("Running for", "Time since the process started; the ten youngest.", "s",
                  (f"bottomk(10, time() - process_start_time_seconds{PROCESSES})", "{{instance}}")),
            row("Scrapes"),
            graph("Scrapes that succeeded", "Share of the last ten scrapes or so; the ten lowest.", "percentunit",
                  (f"bottomk(10, avg_over_time(up{PROCESSES}[{PER}]) and on ({SERVICE}, instance)"
                   f" job_instance:http_client_pools:known{PROCESSES})", "{{instance}}"), top=1),
            graph("Time to render a scrape", "How long the last scrape took to be rendered; the ten longest.", "s",
                  (f"topk(10, poolscope_scrape_duration_seconds{PROCESSES})", "{{instance}}")),
            graph("Size of a scrape", "Before compression; the ten largest.", "bytes",
                  (f"topk(10, poolscope_scrape_bytes{PROCESSES})", "{{instance}}")),
            graph("Connections to the endpoint", "A scraper needs one; the ten most.", "none",
                  (f"topk(10, poolscope_endpoint_connections{PROCESSES})", "{{instance}}")),
            graph("Requests to the endpoint", "Who asks for what, per second.", "reqps",
                  (rate("poolscope_endpoint_requests_total" + PROCESSES, "page, code"), "{{page}} {{code}}")),
            graph("Refused by the endpoint", "Connections and requests per second that the endpoint refused.", "ops",
                  (rate("poolscope_endpoint_refused_total" + PROCESSES, "reason"), "{{reason}}")),
        ],
    )


def setting(family, label, name):
    return f'label_replace({family}{POOLS}, "{label}", "{name}", "", "")'


def pool():
    by_state = "{{state}}"
    limits = " or ".join(
        setting("http_client_pool_" + name, "setting", name)
        for name in ("max_connections", "max_connections_per_origin", "max_idle_connections", "max_queued_requests")
    )
    times = f"http_client_pool_timeout_seconds{POOLS} or " + " or ".join(
        setting(f"http_client_pool_{name}_seconds", "phase", name) for name in ("keepalive_expiry", "max_connection_lifetime")
    )
    per_instance = f"{SERVICE}, instance, pool"
    return board(
        "pool", "pool", "Is the shared HTTP client saturated, is it reused, what fails, who holds the connections, and which"
        " limits are in force.", tuple(FLEET) + ("site",),
        [
            row("Does anybody wait?"),
            stat("Time saturated", "Share of time in which a limit kept at least one request waiting, in the worst of the chosen"
                 " pools. A pool that is full and makes nobody wait is at 0.", "percentunit",
                 f"max({rate('http_client_pool_saturated_seconds_total' + POOLS, per_instance + ', limit')})",
                 0.1, T["saturated_share"], 1),
            stat("Requests queued", "Requests that wait for a slot now, in all chosen pools.", "none",
                 "sum(http_client_pool_requests" + ORIGINS[:-1] + ', state="queued"})', 1, 10),
            stat("Oldest queued request", "Age of the request that has waited the longest.", "s",
                 f"max(http_client_pool_oldest_queued_seconds{POOLS})", 0.5, 5),
            stat("Time to acquire, p99", "99 of 100 acquisitions, failed ones included, ended within this time.", "s",
                 quantile(0.99, "http_client_pool_acquire_duration_seconds", POOLS), 0.1, 1),
            stat("Acquisitions that failed", "Per second, without a connection: timeouts, full queues, failed connects.",
                 "ops", f"sum({rate('http_client_pool_acquire_failures_total' + ORIGINS)})", 0.1, 1, 2),
            stat("How full", "Connections that exist, as a share of the limit, in the fullest of the chosen pools.", "percentunit",
                 f"max(sum by ({per_instance}) (http_client_pool_connections{ORIGINS})"
                 f" / on ({per_instance}) http_client_pool_max_connections{POOLS})"),
            graph("Connections by state", "Connections of the chosen pools, each in exactly one state. How close they are to the"
                  " limit is beside.", "none",
                  (f"sum by (state) (http_client_pool_connections{ORIGINS})", by_state), stack=True),
            graph("Fullest pools", "Connections that exist, as a share of the limit of their own pool; the ten fullest.",
                  "percentunit",
                  (f"topk(10, sum by ({per_instance}) (http_client_pool_connections{ORIGINS})"
                   f" / on ({per_instance}) http_client_pool_max_connections{POOLS})", "{{instance}} {{pool}}"), top=1),
            graph("Requests by state", "queued: no slot yet. connecting: its connection is being opened. in_flight: on a connection.",
                  "none", (f"sum by (state) (http_client_pool_requests{ORIGINS})", by_state), stack=True),
            graph("Peaks of a minute", "The highest levels of the last minute, which a scrape may not have met; of the chosen pool"
                  " with the highest.", "none",
                  (f"max by (state) (http_client_pool_connections_peak{POOLS})", "{{state}} connections"),
                  (f"max(http_client_pool_queued_peak{POOLS})", "queued"),
                  (f"max(http_client_pool_demand_peak{POOLS})", "wanted at once")),
            graph("Time to acquire a connection", "From submission to a ready connection or to giving up.", "s",
                  (quantile(0.5, "http_client_pool_acquire_duration_seconds", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_acquire_duration_seconds", POOLS), "p99")),
            graph("Wait for a slot", "From submission to a slot, without DNS, TCP and TLS. Long: a limit is reached. Of failed"
                  " acquisitions the mean is shown: a timeout falls into the bucket above it.", "s",
                  (quantile(0.99, "http_client_pool_queue_wait_seconds", POOLS), "p99"),
                  ("sum by (outcome) (rate(http_client_pool_queue_wait_seconds_sum" + POOLS + f"[{PER}]))"
                   " / sum by (outcome) (rate(http_client_pool_queue_wait_seconds_count" + POOLS + f"[{PER}]))",
                   "mean, {{outcome}}")),
            graph("Time saturated by limit", "Share of time in which each limit kept requests waiting, in the worst of the chosen"
                  " pools.", "percentunit",
                  (f"max by (limit) ({rate('http_client_pool_saturated_seconds_total' + POOLS, per_instance + ', limit')})",
                   "{{limit}}"), top=1),
            graph("Requests that had to queue", "Per second, by the limit that made them. Some waiting is normal.", "ops",
                  (rate("http_client_pool_limit_waits_total" + ORIGINS, "limit"), "{{limit}}")),
            graph("Saturated now", "Pools in which a limit keeps requests waiting at the moment of the scrape.", "none",
                  (f"sum by (limit) (http_client_pool_saturated{POOLS})", "{{limit}}")),
            graph("Length of the queue", "Mean number of queued requests between scrapes, exactly; the ten longest.", "none",
                  (f"topk(10, rate(http_client_pool_queued_seconds_total{POOLS}[{PER}]))", "{{instance}} {{pool}}")),
            graph("Oldest of the queue", "Age of the request that has waited the longest; the ten oldest.", "s",
                  (f"topk(10, http_client_pool_oldest_queued_seconds{POOLS})", "{{instance}} {{pool}}")),
            graph("Connections on average", "Mean number of connections between scrapes, exactly, by state.", "none",
                  (rate("http_client_pool_connection_seconds_total" + POOLS, "state"), by_state), stack=True),
            row("Is the pool reused?"),
            graph("Reuse ratio", "Share of acquisitions that needed no new connection; near 0 with steady traffic: see why"
                  " connections are closed.", "percentunit",
                  ("sum by (pool) (rate(http_client_pool_acquires_total" + ORIGINS[:-1] + f', kind!="new"}}[{PER}]))'
                   f" / sum by (pool) (rate(http_client_pool_acquires_total{ORIGINS}[{PER}]))", "{{pool}}"),
                  (f"avg by (pool) (http_client_pool_reuse_ratio{POOLS})", "{{pool}} since the start"), top=1),
            graph("Acquisitions by kind", "new: a connection was opened for it. reused: it was idle. multiplexed: shared with other"
                  " requests.", "ops", (rate("http_client_pool_acquires_total" + ORIGINS, "kind"), "{{kind}}"), stack=True),
            graph("Connections closed, by reason", "idle_expired is normal; evicted and idle_surplus say that a limit is low.", "ops",
                  (rate("http_client_pool_connections_closed_total" + ORIGINS, "reason") + " > 0 or "
                   + rate("http_client_pool_connections_closed_total" + ORIGINS[:-1] + ', reason="idle_expired"}', "reason"),
                   "{{reason}}")),
            graph("Connections opened, by upstream", "Per second; the ten most. High and steady: they do not live long.", "ops",
                  (f"topk(10, {rate('http_client_pool_connections_opened_total' + ORIGINS, 'origin')})", "{{origin}}")),
            graph("Life of a connection", "How long connections lived that were closed.", "s",
                  (quantile(0.5, "http_client_pool_connection_lifetime_seconds", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_connection_lifetime_seconds", POOLS), "p99")),
            graph("Requests of a connection", "How many requests connections had served when they were closed.", "none",
                  (quantile(0.5, "http_client_pool_connection_requests", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_connection_requests", POOLS), "p99")),
            graph("Sent again", "Requests per second that met a dead reused connection and were repeated; the ten most.", "ops",
                  (f"topk(10, {rate('http_client_pool_stale_retries_total' + ORIGINS, 'origin')})", "{{origin}}")),
            row("What fails?"),
            graph("Failed acquisitions, by reason", "timeout, rejected: the pool is saturated. connect_failed: see the reasons beside.",
                  "ops", (rate("http_client_pool_acquire_failures_total" + ORIGINS, "reason"), "{{reason}}")),
            graph("Failed connects, by reason", "Connections per second that never became usable.", "ops",
                  (rate("http_client_pool_connect_failures_total" + ORIGINS, "reason"), "{{reason}}")),
            graph("How requests end", "Requests that had a connection, per second, by outcome.", "ops",
                  (rate("http_client_pool_leases_total" + ORIGINS, "outcome"), "{{outcome}}"), stack=True),
            graph("Time to connect", "From the decision to open a connection until it was usable: DNS, TCP, TLS.", "s",
                  (quantile(0.5, "http_client_pool_connect_duration_seconds", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_connect_duration_seconds", POOLS), "p99")),
            graph("Look-ups in flight", "Names that are being looked up. Above 0 for long: the resolver is slow or down.", "none",
                  (f"sum by (pool) (http_client_pool_resolving{POOLS})", "{{pool}}")),
            graph("Turn of the pool's thread", "Time for which the thread has been busy with one turn; above 1 s it is blocked.", "s",
                  (f"topk(10, http_client_pool_driver_stall_seconds{POOLS})", "{{instance}} {{pool}}")),
            row("Who holds the connections?"),
            graph("In flight, by call site", "Requests that hold a connection, by the place in the code; the ten most.", "none",
                  ("topk(10, sum by (site) (http_client_pool_site_requests" + SITES[:-1] + ', state="in_flight"}))', "{{site}}")),
            graph("Queued, by call site", "Requests that wait for a slot; the ten most.", "none",
                  ("topk(10, sum by (site) (http_client_pool_site_requests" + SITES[:-1] + ', state="queued"}))', "{{site}}")),
            graph("In flight, by upstream", "Requests that hold a connection, by where they go; the ten most.", "none",
                  ("topk(10, sum by (origin) (http_client_pool_requests" + ORIGINS[:-1] + ', state="in_flight"}))', "{{origin}}")),
            graph("Time a connection is held", "How long requests hold their connection. When it rises, the same traffic needs more"
                  " connections.", "s",
                  (quantile(0.5, "http_client_pool_lease_duration_seconds", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_lease_duration_seconds", POOLS), "p99")),
            graph("Time to the response", "From acquiring a connection to the head of the response. Long: the upstream is slow.", "s",
                  (quantile(0.5, "http_client_pool_time_to_head_seconds", POOLS), "p50"),
                  (quantile(0.99, "http_client_pool_time_to_head_seconds", POOLS), "p99")),
            graph("Overdue leases", "Connections on which no byte has moved for a minute. caller: our code is to move it, a leak.", "none",
                  (f"sum by (held_by) (http_client_pool_overdue_leases{POOLS})", "{{held_by}}"),
                  (f"max(http_client_pool_oldest_lease_seconds{POOLS}) / 60", "oldest lease, minutes")),
            table("Call sites", "What each part of the service takes: requests and failures per second, connections held and requests"
                  " waiting on average.",
                  [("Requests", f"topk(50, {rate('http_client_pool_site_acquires_total' + SITES, 'site')})", "reqps"),
                   ("Failures", f"topk(50, {rate('http_client_pool_site_acquire_failures_total' + SITES, 'site')})", "ops", 0.1, 1),
                   ("Holds", f"topk(50, {rate('http_client_pool_site_lease_seconds_total' + SITES, 'site')})", "none"),
                   ("Waits", f"topk(50, {rate('http_client_pool_site_wait_seconds_total' + SITES, 'site')})", "none", 1, 10)],
                  worst="Holds"),
            row("Configuration in force"),
            table("Limits", "The limits that each pool obeys now; infinite means none.",
                  [("Limit", f"max by (job, instance, pool, setting) ({limits})", "none")], links("instance"), (8, 9)),
            table("Timeouts and lifetimes", "How long each phase may take, and how long connections are kept; infinite: no limit.",
                  [("Seconds", f"max by (job, instance, pool, phase) ({times})", "s")], links("instance"), (8, 9)),
            table("Where each setting comes from", "default: nobody set it. code: the program. reload: changed while it ran.",
                  [("Set", f"max by (pool, setting, source) (http_client_pool_config_source{POOLS} == 1)", "none")], None, (8, 9)),
            table("Transport", "How requests are sent, and by which library.",
                  [("Pools", f"count by (pool, http2, proxy, decompression, tls_min, library, library_version, tls)"
                    f" (http_client_pool_transport_info{POOLS} * on ({per_instance}) group_left (library, library_version, tls)"
                    f" http_client_pool_backend_info{POOLS})", "none")], None, (8, 6)),
            stat("Limits unchanged for", "Time since the limits and timeouts of one of the chosen pools last changed.", "s",
                 f"min(time() - http_client_pool_config_last_change_timestamp_seconds{POOLS})"),
            stat("Changes of the limits", "How often other limits and timeouts were put in force since the pools were made.", "none",
                 f"sum(http_client_pool_config_changes_total{POOLS})"),
            stat("Settings not reloaded", "Pools that go on with the settings before a reload that failed.", "none",
                 f"count(http_client_pool_config_last_reload_successful{POOLS} == 0) or vector(0)", 1),
            stat("Failed reloads", "Reloads that failed since the pools were made.", "none",
                 f"sum(http_client_pool_config_reload_failures_total{POOLS}) or vector(0)"),
        ],
    )


def origin():
    by_job = "{{job}} {{pool}}"
    return board(
        "origin", "origin", "One upstream as all services see it: is it up, is it slow, who sends how much, are connections reused.",
        FLEET,
        [
            row("Is it well?"),
            stat("Unreachable", "Share of attempts to connect that fail, as the worst service sees it.", "percentunit",
                 f"max(job_pool_origin:http_client_pool_unreachable:ratio_rate5m{OF_ORIGIN} >= 0) or vector(0)",
                 0.1, T["connect_failure_share"], 1),
            stat("Timed out", "Share of the requests that timed out, as the worst service sees it.", "percentunit",
                 "max(job_pool_origin:http_client_pool_leases:ratio_rate5m" + OF_ORIGIN[:-1] + ', outcome="timeout"} >= 0)'
                 " or vector(0)", 0.01, T["upstream_timeout_share"], 1),
            stat("Server errors", "Share of the requests that ended as 5xx, as the worst service sees it.", "percentunit",
                 "max(job_pool_origin:http_client_pool_leases:ratio_rate5m" + OF_ORIGIN[:-1] + ', outcome="5xx"} >= 0)'
                 " or vector(0)", 0.01, T["upstream_failure_share"], 1),
            stat("Time to respond", "Mean, over all services.", "s",
                 f"sum({rate('http_client_pool_response_wait_seconds_total' + ORIGINS)})"
                 f" / sum({rate('http_client_pool_responses_total' + ORIGINS)})"),
            stat("Requests", "Acquisitions per second, of all services.", "reqps",
                 f"sum(job_pool_origin:http_client_pool_acquires:rate5m{OF_ORIGIN})"),
            stat("Connections", "That all services together hold.", "none", f"sum(http_client_pool_connections{ORIGINS})"),
            table("Services that send to it, the worst first", "One row a service, pool and upstream.",
                  [("Unreachable", f"topk(30, job_pool_origin:http_client_pool_unreachable:ratio_rate5m{OF_ORIGIN} >= 0)",
                    "percentunit", 0.1, T["connect_failure_share"]),
                   ("Timed out", "topk(30, sum without (outcome) (job_pool_origin:http_client_pool_leases:ratio_rate5m"
                    + OF_ORIGIN[:-1] + ', outcome="timeout"}))', "percentunit", 0.01, T["upstream_timeout_share"]),
                   ("Time to respond", f"topk(30, job_pool_origin:http_client_pool_time_to_head_seconds:mean5m{OF_ORIGIN} >= 0)", "s"),
                   ("Wait", f"topk(30, job_pool_origin:http_client_pool_wait_seconds:mean5m{OF_ORIGIN} >= 0)", "s", 0.05, 1),
                   ("Reused", f"topk(30, job_pool_origin:http_client_pool_reuse:ratio_rate5m{OF_ORIGIN} >= 0)", "percentunit"),
                   ("Requests per second", f"topk(30, sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m{OF_ORIGIN}))",
                    "reqps")],
                  links("job", "origin"), (24, 8), "Unreachable"),
            row("Is it up?"),
            graph("Failed connects", "Connections per second that never became usable, by reason.", "ops",
                  (rate("http_client_pool_connect_failures_total" + ORIGINS, "reason"), "{{reason}}")),
            graph("Failed connects by instance", "The ten most: one node, or all?", "ops",
                  (f"topk(10, {rate('http_client_pool_connect_failures_total' + ORIGINS, 'job, instance')})", "{{job}} {{instance}}")),
            graph("How requests end", "Requests that had a connection, per second, by outcome.", "ops",
                  (rate("http_client_pool_leases_total" + ORIGINS, "outcome"), "{{outcome}}"), stack=True),
            graph("Requests without a connection", "Acquisitions that failed, per second, by reason.", "ops",
                  (rate("http_client_pool_acquire_failures_total" + ORIGINS, "reason"), "{{reason}}")),
            row("Is it slow?"),
            graph("Time to respond by service", "Mean time from a connection to the head of the response; the ten longest.", "s",
                  (f"topk(10, sum by (job, pool) (rate(http_client_pool_response_wait_seconds_total{ORIGINS}[{PER}]))"
                   f" / sum by (job, pool) (rate(http_client_pool_responses_total{ORIGINS}[{PER}])))", by_job)),
            graph("In flight", "Mean number of requests that hold a connection, exactly; the ten most.", "none",
                  (f"topk(10, {rate('http_client_pool_lease_seconds_total' + ORIGINS, 'job, pool')})", by_job)),
            graph("Waiting", "Mean number of requests that wait for a connection, exactly; the ten most.", "none",
                  (f"topk(10, {rate('http_client_pool_wait_seconds_total' + ORIGINS, 'job, pool')})", by_job)),
            graph("Had to queue, by limit", "Requests per second that a limit made wait.", "ops",
                  (rate("http_client_pool_limit_waits_total" + ORIGINS, "limit"), "{{limit}}")),
            graph("Requests by state", "queued: no slot yet. connecting: being opened. in_flight: on a connection.", "none",
                  (f"sum by (state) (http_client_pool_requests{ORIGINS})", "{{state}}"), stack=True),
            graph("Requests by service", "Acquisitions per second; the ten most.", "reqps",
                  (f"topk(10, {rate('http_client_pool_acquires_total' + ORIGINS, 'job, pool')})", by_job)),
            row("Are its connections reused?"),
            graph("Reused", "Share of requests that needed no new connection; the ten lowest.", "percentunit",
                  (f"bottomk(10, job_pool_origin:http_client_pool_reuse:ratio_rate5m{OF_ORIGIN} >= 0)", by_job), top=1),
            graph("Connections closed, by reason", "response_close: the upstream asks for it. peer_closed: its keep-alive is shorter"
                  " than ours.", "ops", (rate("http_client_pool_connections_closed_total" + ORIGINS, "reason"), "{{reason}}")),
            graph("Opened, and sent again", "Connections opened per second, and requests that met a dead one.", "ops",
                  (rate("http_client_pool_connections_opened_total" + ORIGINS, "job"), "opened, {{job}}"),
                  (rate("http_client_pool_stale_retries_total" + ORIGINS, "job"), "sent again, {{job}}")),
            table("Names", "Scheme, host and port, by which other metrics may know it.",
                  [("Processes", "topk(100, count by (origin, scheme, server_address, server_port) (http_client_pool_origin_info"
                    + chosen(*PROCESS, "pool", "origin") + "))", "none")], links("origin"), (24, 7)),
        ],
    )


def boards():
    return [fleet(), service(), pool(), origin()]
