"""Origin: one upstream as all services see it."""

from boards.shared import FLEET, ORIGINS, OF_ORIGIN, PER, leases_ended, links, rate, worst
from grafana import PROCESS, board, chosen, graph, row, stat, table
from common import SERVICE
from settings import THRESHOLDS as T


def origin():
    by_job = "{{job}} {{pool}}"
    unreachable = f"job_pool_origin:http_client_pool_unreachable:ratio_rate5m{OF_ORIGIN} >= 0"
    late = leases_ended("timeout")
    broken = leases_ended("5xx|connection_lost|invalid_response")
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
            table("Services that send to it, the worst first", "One row a service, pool and upstream, by the worst of the shares of"
                  " connection attempts that fail, of requests that time out, and of those that fail otherwise.",
                  [("Worst", f"topk(30, {worst(f'{SERVICE}, pool, origin', unreachable, late, broken)})", "percentunit",
                    T["upstream_failure_share"], T["connect_failure_share"]),
                   ("Unreachable", f"topk(30, {unreachable})", "percentunit", 0.1, T["connect_failure_share"]),
                   ("Timed out", f"topk(30, {late})", "percentunit", 0.01, T["upstream_timeout_share"]),
                   ("Failed", f"topk(30, {broken})", "percentunit", 0.01, T["upstream_failure_share"]),
                   ("Time to respond", f"topk(30, job_pool_origin:http_client_pool_time_to_head_seconds:mean5m{OF_ORIGIN} >= 0)", "s"),
                   ("Wait", f"topk(30, job_pool_origin:http_client_pool_wait_seconds:mean5m{OF_ORIGIN} >= 0)", "s", 0.05, 1),
                   ("Reused", f"topk(30, job_pool_origin:http_client_pool_reuse:ratio_rate5m{OF_ORIGIN} >= 0)", "percentunit"),
                   ("Requests per second", f"topk(30, sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m{OF_ORIGIN}))",
                    "reqps")],
                  links("job", "origin"), (24, 8)),
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
