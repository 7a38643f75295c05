"""Recording rules."""

from common import INSTANCE, SERVICE
from settings import WINDOW

FAILED_LEASES = "5xx|timeout|connection_lost|invalid_response"


def increase(clock, selector):
    """What the series grew by within the window, with what they began with where they did begin within it. `retired` is
    left out everywhere: it takes over what other rows had counted."""
    window = clock(WINDOW)
    return (
        "(\n"
        f"    {selector}\n"
        f"    unless {selector} offset {window}\n"
        f"    and on ({INSTANCE}) job_instance:http_client_pools:observed\n"
        f"    or increase({selector}[{window}])\n"
        "  )"
    )


def records(clock):
    window = clock(WINDOW)

    def rate(by, selector):
        return f"sum by ({by}) (rate({selector}[{window}]))"

    def grown(by, selector):
        return f"sum by ({by}) (\n  {increase(clock, selector)} / {WINDOW * clock.scale:g}\n)"

    def pool(name):
        return "http_client_pool_" + name

    def at_least_one(acquisitions):
        """Where requests wait and none gets a connection or fails, a mean is divided by one in the window, not by 0."""
        return f"clamp_min({acquisitions}, 1 / {WINDOW * clock.scale:g})"

    pool_by, service_by, origin_by = f"{INSTANCE}, pool", f"{SERVICE}, pool", f"{SERVICE}, pool, origin"
    own = 'origin!="retired"'
    rules = {
        # What is known of the instances. `known` remembers them for as long as they are targets.
        "job_instance:http_client_pools:known":
            f"count by ({INSTANCE}) (http_client_pools)\n"
            f"or last_over_time(job_instance:http_client_pools:known[{clock(3600)}]) and on ({INSTANCE}) up",
        # A series without a sample five minutes ago is new if the instance was scraped then, with the labels of today, or has
        # started since.
        "job_instance:http_client_pools:observed":
            f"http_client_pools and http_client_pools offset {window} and on ({INSTANCE}) (up offset {window} == 1)\n"
            f"or http_client_pools and on ({INSTANCE}) (abs(time() - process_start_time_seconds) < {WINDOW * clock.scale:g})",

        # Each instance. Recorded, like all that `increase` is in, so that what is known of the instances is of the same moment.
        "job_instance:http_client_pool_no_descriptor:rate5m":
            grown(INSTANCE, pool(f'connect_failures_total{{{own}, reason="no_descriptor"}}')),

        # Each instance and pool.
        "job_instance_pool:http_client_pool_connections:utilization":
            f"sum by ({pool_by}) (http_client_pool_connections)\n"
            f"/ on ({pool_by}) sum by ({pool_by}) (http_client_pool_max_connections)",
        "job_instance_pool:http_client_pool_saturated:ratio_rate5m":
            rate(f"{pool_by}, limit", pool("saturated_seconds_total")),
        "job_instance_pool:http_client_pool_acquires:rate5m": grown(pool_by, pool(f"acquires_total{{{own}}}")),
        "job_instance_pool:http_client_pool_acquire_failures:rate5m":
            grown(f"{pool_by}, reason", pool(f"acquire_failures_total{{{own}}}")),
        "job_instance_pool:http_client_pool_leases_failed:rate5m":
            grown(pool_by, pool(f'leases_total{{{own}, outcome=~"{FAILED_LEASES}"}}')),
        "job_instance_pool:http_client_pool_acquisitions:rate5m":
            "job_instance_pool:http_client_pool_acquires:rate5m\n"
            "+ sum without (reason) (job_instance_pool:http_client_pool_acquire_failures:rate5m)",
        "job_instance_pool:http_client_pool_failed:rate5m":
            "sum without (reason) (\n"
            '  job_instance_pool:http_client_pool_acquire_failures:rate5m{reason!~"cancelled|shutdown"}\n'
            ") + job_instance_pool:http_client_pool_leases_failed:rate5m",
        "job_instance_pool:http_client_pool_failed:ratio_rate5m":
            "job_instance_pool:http_client_pool_failed:rate5m\n"
            "/ job_instance_pool:http_client_pool_acquisitions:rate5m",
        "job_instance_pool:http_client_pool_queue_wait_seconds:mean5m":
            rate(pool_by, pool("queued_seconds_total")) + "\n/ "
            + at_least_one("job_instance_pool:http_client_pool_acquisitions:rate5m"),

        # Each service and pool.
        "job_pool:http_client_pool_connections:utilization_max":
            f"max by ({service_by}) (job_instance_pool:http_client_pool_connections:utilization)",
        "job_pool:http_client_pool_saturated:ratio_rate5m_max":
            f"max by ({service_by}, limit) (job_instance_pool:http_client_pool_saturated:ratio_rate5m)",
        "job_pool:http_client_pool_acquires:rate5m":
            f"sum by ({service_by}) (job_instance_pool:http_client_pool_acquires:rate5m)",
        "job_pool:http_client_pool_acquire_failures:rate5m":
            f"sum by ({service_by}, reason) (job_instance_pool:http_client_pool_acquire_failures:rate5m)",
        "job_pool:http_client_pool_acquisitions:rate5m":
            f"sum by ({service_by}) (job_instance_pool:http_client_pool_acquisitions:rate5m)",
        "job_pool:http_client_pool_failed:ratio_rate5m":
            f"sum by ({service_by}) (job_instance_pool:http_client_pool_failed:rate5m)\n"
            "/ job_pool:http_client_pool_acquisitions:rate5m",
        "job_pool:http_client_pool_queue_wait_seconds:mean5m":
            rate(service_by, pool("queued_seconds_total")) + "\n/ "
            + at_least_one("job_pool:http_client_pool_acquisitions:rate5m"),
        "job_pool:http_client_pool_limit_waits:ratio_rate5m":
            rate(f"{service_by}, limit", pool(f"limit_waits_total{{{own}}}")) + "\n"
            f"/ on ({service_by}) group_left job_pool:http_client_pool_acquisitions:rate5m",

        # Each upstream, as a service sees it.
        "job_pool_origin:http_client_pool_connections:sum":
            f"sum by ({origin_by}, state) (http_client_pool_connections)",
        "job_pool_origin:http_client_pool_requests:sum": f"sum by ({origin_by}, state) (http_client_pool_requests)",
        "job_pool_origin:http_client_pool_acquires:rate5m":
            grown(f"{origin_by}, kind", pool(f"acquires_total{{{own}}}")),
        "job_pool_origin:http_client_pool_acquire_failures:rate5m":
            grown(f"{origin_by}, reason", pool(f"acquire_failures_total{{{own}}}")),
        "job_pool_origin:http_client_pool_leases:rate5m":
            grown(f"{origin_by}, outcome", pool(f"leases_total{{{own}}}")),
        # Requests whose callers did not wait any longer, or whose time was over.
        "job_pool_origin:http_client_pool_given_up:rate5m":
            "sum without (reason) (\n"
            '  job_pool_origin:http_client_pool_acquire_failures:rate5m{reason="cancelled"}\n'
            ") + sum without (outcome) (\n"
            '  job_pool_origin:http_client_pool_leases:rate5m{outcome=~"cancelled|timeout"}\n'
            ")",
        "job_pool_origin:http_client_pool_connections_opened:rate5m":
            grown(origin_by, pool(f"connections_opened_total{{{own}}}")),
        "job_pool_origin:http_client_pool_connect_failures:rate5m":
            grown(f"{origin_by}, reason", pool(f"connect_failures_total{{{own}}}")),
        "job_pool_origin:http_client_pool_connections_closed:rate5m":
            grown(f"{origin_by}, reason", pool(f"connections_closed_total{{{own}}}")),
        # Failures that say something about the upstream.
        "job_pool_origin:http_client_pool_unreachable:rate5m":
            "sum without (reason) (\n"
            '  job_pool_origin:http_client_pool_connect_failures:rate5m{reason!~"cancelled|no_descriptor"}\n'
            ")",
        "job_pool_origin:http_client_pool_unreachable:ratio_rate5m":
            "job_pool_origin:http_client_pool_unreachable:rate5m\n"
            "/ (job_pool_origin:http_client_pool_unreachable:rate5m"
            " + job_pool_origin:http_client_pool_connections_opened:rate5m)",
        "job_pool_origin:http_client_pool_leases:ratio_rate5m":
            "job_pool_origin:http_client_pool_leases:rate5m\n"
            "/ ignoring (outcome) group_left sum without (outcome) (job_pool_origin:http_client_pool_leases:rate5m)",
        "job_pool_origin:http_client_pool_reuse:ratio_rate5m":
            'sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m{kind!="new"})\n'
            "/ sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m)",
        "job_pool_origin:http_client_pool_wait_seconds:mean5m":
            rate(origin_by, pool(f"wait_seconds_total{{{own}}}")) + "\n/ " + at_least_one(
                "\n  sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m)\n"
                "  + sum without (reason) (job_pool_origin:http_client_pool_acquire_failures:rate5m)"
            ),
        "job_pool_origin:http_client_pool_time_to_head_seconds:mean5m":
            rate(origin_by, pool(f"response_wait_seconds_total{{{own}}}")) + "\n/ "
            + rate(origin_by, pool(f"responses_total{{{own}}}")),

        "job_pool:http_client_pool_reuse:ratio_rate5m":
            f'sum by ({service_by}) (job_pool_origin:http_client_pool_acquires:rate5m{{kind!="new"}})\n'
            f"/ sum by ({service_by}) (job_pool_origin:http_client_pool_acquires:rate5m)",

        # Each upstream, over all services.
        "cluster_origin:http_client_pool_connections:sum":
            "sum by (cluster, origin) (job_pool_origin:http_client_pool_connections:sum)",
        "cluster_origin:http_client_pool_requests:sum":
            "sum by (cluster, origin, state) (job_pool_origin:http_client_pool_requests:sum)",
        "cluster_origin:http_client_pool_acquires:rate5m":
            "sum by (cluster, origin) (job_pool_origin:http_client_pool_acquires:rate5m)",
    }
    for name in ("acquire_duration", "queue_wait", "connect_duration", "lease_duration", "time_to_head"):
        bucket = pool(f"{name}_seconds_bucket")
        rules[f"job_pool:{bucket}:rate5m"] = rate(f"{service_by}, le", bucket)
    return [{"record": name, "expr": expr} for name, expr in rules.items()]
