"""Fleet: which services and upstreams are in trouble, who sends how much where, who differs from whom."""

from boards.shared import (
    FLEET, OF_ORIGIN, OF_POOL, POOLS, PROCESSES, alerts, clients_alive, clients_made, clients_made_now, firing, leases_ended, links,
    not_moving, worst,
)
from grafana import board, graph, line, row, stat, table
from common import SERVICE
from settings import THRESHOLDS as T


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
    unreachable = f"job_pool_origin:http_client_pool_unreachable:ratio_rate5m{OF_ORIGIN} >= 0"
    late = leases_ended("timeout")
    broken = leases_ended("5xx|connection_lost|invalid_response")
    acquires = f"job_pool_origin:http_client_pool_acquires:rate5m{OF_ORIGIN}"
    return board(
        "fleet", "fleet", "Which services and upstreams are in trouble, who sends how much where, and who differs from whom.",
        FLEET,
        [
            row("Is anything wrong?"),
            *line(
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
                not_moving(),
                clients_made_now(),
                stat(
                    "Instances down", "Instances that responded to a scrape once, are targets, and do not respond now.",
                    "none",
                    f"count(up{PROCESSES} == 0 and on ({SERVICE}, instance) job_instance:http_client_pools:known{PROCESSES})"
                    " or vector(0)", 1, 3,
                ),
                stat("Instances", "Processes that report pools.", "none", f"count(http_client_pools{PROCESSES})"),
                stat(
                    "Requests", "Acquisitions per second over the whole fleet.", "reqps",
                    f"sum(job_instance_pool:http_client_pool_acquisitions:rate5m{POOLS})",
                ),
            ),
            alerts(),
            table(
                "Services, the worst first", "One row a service and pool, by the worse of two shares: of time in which a limit made"
                " requests wait in its worst instance, and of requests that failed; the mean wait, how full its fullest instance is, the share"
                " of requests that needed no new connection, and the traffic. A pool that is full and makes nobody wait is well"
                " used.",
                [
                    (
                        "Worst", f"topk(30, {worst(f'{SERVICE}, pool', saturated, f'{failed} >= 0')})", "percentunit", 0.1,
                        T["saturated_share"],
                    ),
                    ("Saturated", f"topk(30, {saturated})", "percentunit", 0.1, T["saturated_share"]),
                    ("Mean wait", f"topk(30, {wait})", "s", T["saturated_wait"], 1),
                    ("Failed", f"topk(30, {failed})", "percentunit", 0.01, 0.1),
                    ("Fullest instance", f"topk(30, {full})", "percentunit"),
                    ("Reused", f"topk(30, job_pool:http_client_pool_reuse:ratio_rate5m{OF_POOL} >= 0)", "percentunit"),
                    ("Requests per second", f"topk(30, job_pool:http_client_pool_acquisitions:rate5m{OF_POOL})", "reqps"),
                ],
                links("job"), (24, 7),
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
                "Upstreams, the worst first", "One row a service and upstream, by the worst of three shares: of connection attempts"
                " that fail, of requests that time out, and of those that fail otherwise; and the mean time to respond.",
                [
                    (
                        "Worst", f"topk(30, {worst(f'{SERVICE}, pool, origin', unreachable, late, broken)})", "percentunit",
                        T["upstream_failure_share"], T["connect_failure_share"],
                    ),
                    ("Unreachable", f"topk(30, {unreachable})", "percentunit", 0.1, T["connect_failure_share"]),
                    ("Timed out", f"topk(30, {late})", "percentunit", 0.01, T["upstream_timeout_share"]),
                    ("Failed", f"topk(30, {broken})", "percentunit", 0.01, T["upstream_failure_share"]),
                    (
                        "Time to respond",
                        f"topk(30, job_pool_origin:http_client_pool_time_to_head_seconds:mean5m{OF_ORIGIN} >= 0)", "s",
                    ),
                ],
                links("job", "origin"), (24, 9),
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
                    f" * on ({SERVICE}, instance) group_left (version, swift)"
                    f" group by ({SERVICE}, instance, version, swift) (poolscope_build_info{PROCESSES})))", "none",
                )],
                links("job"), (12, 9),
            ),
        ],
    )
