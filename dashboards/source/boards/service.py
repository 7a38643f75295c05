"""Service: its instances side by side, the sick ones first."""

from boards.shared import (
    FLEET, PER, POOLS, PROCESSES, alerts, clients_alive, clients_made, firing, links, not_moving, quantile, rate, worst,
)
from grafana import board, graph, row, stat, table
from common import SERVICE
from settings import THRESHOLDS as T


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
            not_moving(),
            stat("Instances", "Processes that report pools.", "none", f"count(http_client_pools{PROCESSES})"),
            table(
                "Instances, the worst first", "One row an instance and pool, by the worse of two shares: of requests that failed, and of time in"
                " which a limit made requests wait. The instance leads to its own page.",
                [
                    ("Worst", f"topk(50, {worst(f'{SERVICE}, instance, pool', saturated, f'{failed} >= 0')})", "percentunit", 0.1,
                     T["saturated_share"]),
                    ("Failed", f"topk(50, {failed})", "percentunit", 0.01, 0.1),
                    ("Saturated", f"topk(50, {saturated})", "percentunit", 0.1, T["saturated_share"]),
                    ("Mean wait", f"topk(50, {wait})", "s", T["saturated_wait"], 1),
                    ("Full", f"topk(50, {full})", "percentunit"),
                    ("Nothing moves", f"topk(50, sum by ({SERVICE}, instance, pool) (http_client_pool_overdue_leases{POOLS}))", "none",
                     1, 10),
                    ("Turn", f"topk(50, http_client_pool_driver_stall_seconds{POOLS})", "s", 0.5, T["stall"]),
                    ("Requests per second", f"topk(50, {traffic})", "reqps"),
                ],
                links("instance", "pool"), (24, 8),
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
