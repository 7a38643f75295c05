"""Alerts."""

from common import INSTANCE, SERVICE
from settings import RUNBOOK, THRESHOLDS as T, WINDOW

# Connections that were closed although they could have been used again, and not because the upstream failed.
WASTED = "response_close|max_requests|evicted|idle_surplus|request_cancelled|unexpected_data"


def commonest(label, record, selector):
    """A part of a description: the value of `label` with the highest rate, as ` (dns)`."""
    names = [*SERVICE.split(", "), "pool", "origin"]
    matchers = ", ".join(f"{name}=%q" for name in names)
    values = " ".join(f"$labels.{name}" for name in names)
    return (
        f"{{{{ with printf `topk(1, sum by ({label}) ({record}{{{matchers}{selector}}}) > 0)` {values} | query }}}}"
        f' ({{{{ . | first | label "{label}" }}}}){{{{ end }}}}'
    )


def alerts(clock):
    def events(rate, floor):
        return f"{rate} * {WINDOW * clock.scale:g} >= {T[floor]}"

    PERCENT = "{{ $value | humanizePercentage }}"
    WHO = "pool {{ $labels.pool }} of {{ $labels.job }}"
    WHERE = "pool {{ $labels.pool }} in {{ $labels.instance }} ({{ $labels.job }})"
    PROCESS = "{{ $labels.instance }} ({{ $labels.job }})"
    on_pool = f"on ({INSTANCE}, pool)"
    saturated = f"max_over_time(job_instance_pool:http_client_pool_saturated:ratio_rate5m[{clock(120)}])"
    waited = f"max_over_time(job_instance_pool:http_client_pool_queue_wait_seconds:mean5m[{clock(120)}])"
    on_origin = f"on ({SERVICE}, pool, origin)"
    timeouts = (
        'sum without (reason) (job_instance_pool:http_client_pool_acquire_failures:rate5m{reason=~"timeout|rejected"})'
    )
    failures = 'outcome=~"5xx|connection_lost|invalid_response"'
    broken = f"sum without (outcome) (job_pool_origin:http_client_pool_leases:rate5m{{{failures}}})"
    late = 'sum without (outcome) (job_pool_origin:http_client_pool_leases:{}rate5m{{outcome="timeout"}})'
    leases = "sum without (outcome) (job_pool_origin:http_client_pool_leases:rate5m)"
    acquires = "sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m)"

    silent = (
        f"sum by ({INSTANCE}, pool)"
        f' (min_over_time(http_client_pool_overdue_leases{{held_by="peer"}}[{clock(300)}]))'
    )

    def others(what):
        """The rate in the other instances together, for each instance."""
        own = f"job_instance_pool:http_client_pool_{what}:rate5m"
        return f"-({own} - on ({SERVICE}, pool) group_left sum by ({SERVICE}, pool) ({own}))"

    def closed(reasons):
        return (
            "sum without (reason) "
            f'(job_pool_origin:http_client_pool_connections_closed:rate5m{{reason=~"{reasons}"}})'
        )

    # Callers may give up before any timeout of the pool.
    given_up = "job_pool_origin:http_client_pool_given_up:rate5m"
    responses = 'sum without (outcome) (job_pool_origin:http_client_pool_leases:rate5m{outcome=~"[2345]xx"})'
    return [
        alert(
            "HTTPClientPoolSaturated", "warning", clock,
            f"{saturated} > {T['saturated_share']} and {on_pool} {waited} > {T['saturated_wait']}\n"
            f"or {saturated} > {T['long_wait_share']} and {on_pool} {waited} > {T['long_wait']}",
            "Requests of pool {{ $labels.pool }} wait because of a limit",
            f"The limit {{{{ $labels.limit }}}} of {WHERE} kept requests waiting for {PERCENT} of the last five minutes.",
            after=180,
        ),
        alert(
            "HTTPClientPoolAcquireTimeouts", "critical", clock,
            f"{timeouts} / {on_pool} job_instance_pool:http_client_pool_acquisitions:rate5m"
            f" > {T['acquire_timeout_share']}\n"
            f"and {on_pool} ({events(timeouts, 'acquire_timeout_floor')}\n"
            # Few in each of many instances.
            f"  or {timeouts} > 0 and on ({SERVICE}, pool)"
            f" {events(f'sum by ({SERVICE}, pool) ({timeouts})', 'acquire_timeout_floor_of_service')})",
            "Requests of pool {{ $labels.pool }} get no connection",
            f"{PERCENT} of the requests of {WHERE} waited for the acquire timeout or found the queue full.",
            after=60,
        ),
        alert(
            "HTTPClientPoolLeak", "warning", clock,
            "sum without (held_by)"
            f' (min_over_time(http_client_pool_overdue_leases{{held_by="caller"}}[{clock(300)}])) >= {T["leaked_leases"]}',
            "Code of {{ $labels.job }} holds connections on which nothing moves",
            f"{{{{ $value | humanize }}}} connections of {WHERE} are held by code that does not read its response.",
            after=300,
        ),
        alert(
            "HTTPClientPoolThreadBlocked", "critical", clock,
            f"quantile_over_time(0.5, http_client_pool_driver_stall_seconds[{clock(120)}]) > {T['stall']}\n"
            # The median of two is their mean, which one long turn can raise.
            f"and count_over_time(http_client_pool_driver_stall_seconds[{clock(120)}]) > 3\n"
            f"or quantile_over_time(0.5, http_client_pool_driver_stall_seconds[{clock(240)}]) > {T['stall']}",
            "The thread of pool {{ $labels.pool }} is blocked",
            f"The thread of {WHERE} is busy with one turn, for {{{{ $value | humanizeDuration }}}} and longer: no request proceeds.",
            after=60,
        ),
        alert(
            "HTTPClientUpstreamDown", "critical", clock,
            f"job_pool_origin:http_client_pool_unreachable:ratio_rate5m > {T['connect_failure_share']}\n"
            f"and {on_origin} "
            + events(f"max_over_time(job_pool_origin:http_client_pool_unreachable:rate5m[{clock(120)}])", "connect_failure_floor")
            # Requests that go on over open connections: it was down for a moment, or for one instance of many.
            + f"\nunless {on_origin} job_pool_origin:http_client_pool_unreachable:rate5m < {T['unreachable_share']} * {acquires}",
            "{{ $labels.job }} cannot connect to {{ $labels.origin }}",
            f"{PERCENT} of the attempts of {WHO} to connect to {{{{ $labels.origin }}}} fail"
            + commonest(
                "reason", "job_pool_origin:http_client_pool_connect_failures:rate5m",
                ', reason!~"cancelled|no_descriptor"',
            ) + ".",
            after=120,
        ),
        alert(
            "HTTPClientUpstreamTimeouts", "warning", clock,
            f"{late.format('ratio_')} > {T['upstream_timeout_share']}\n"
            f"and {on_origin} {events(late.format(''), 'upstream_timeout_floor')}\n"
            f"or {given_up} / {given_up}\n"
            f"and {on_origin} {events(given_up, 'given_up_floor')}\n"
            f"unless {on_origin} {responses} > 0",
            "{{ $labels.origin }} does not respond to {{ $labels.job }} in time",
            f"{PERCENT} of the requests of {WHO} to {{{{ $labels.origin }}}} timed out, or were given up without any response.",
            after=120,
        ),
        alert(
            "HTTPClientUpstreamFailing", "warning", clock,
            f"{broken} / {leases} > {T['upstream_failure_share']}\n"
            f"and {on_origin} {events(broken, 'upstream_failure_floor')}",
            "{{ $labels.origin }} fails requests of {{ $labels.job }}",
            f"{PERCENT} of the requests of {WHO} to {{{{ $labels.origin }}}} fail"
            + commonest("outcome", "job_pool_origin:http_client_pool_leases:rate5m", f", {failures}") + ".",
            after=300,
        ),
        alert(
            "HTTPClientUpstreamSilent", "warning", clock,
            f"{silent}\n/ {on_pool} (\n"
            # A pool may have no limit.
            f"  clamp_max(sum by ({INSTANCE}, pool) (max_over_time(http_client_pool_max_connections[{clock(300)}])),"
            f" {T['silent_limit']})\n"
            f"  or {silent} * 0 + {T['silent_limit']}\n) > {T['silent_share']}",
            "Upstreams of {{ $labels.job }} hold connections on which nothing moves",
            f"An upstream has moved no byte for a minute on {PERCENT} of the connections that {WHERE} may open.",
            after=300,
        ),
        alert(
            "HTTPClientPoolNotReused", "warning", clock,
            f"{closed(WASTED)} / {acquires} > {T['wasted_share']}\n"
            f"and {on_origin} {events(acquires, 'reuse_floor')}",
            "{{ $labels.job }} does not reuse connections to {{ $labels.origin }}",
            f"{PERCENT} of the requests of {WHO} to {{{{ $labels.origin }}}} cost a connection"
            + commonest(
                "reason", "job_pool_origin:http_client_pool_connections_closed:rate5m", f', reason=~"{WASTED}"'
            ) + ".",
            after=600,
        ),
        alert(
            "HTTPClientPeerClosesIdle", "warning", clock,
            f"{closed('peer_closed')} / {acquires} > {T['peer_closed_share']}\n"
            f"and {on_origin} {events(acquires, 'reuse_floor')}",
            "{{ $labels.origin }} closes idle connections of {{ $labels.job }}",
            f"{{{{ $labels.origin }}}} closes an idle connection for {PERCENT} of the requests of {WHO}:"
            " its keep-alive is shorter than that of the pool.",
            after=600,
        ),
        alert(
            "HTTPClientPerRequest", "warning", clock,
            f"changes(http_client_pools_created_total[{clock(1800)}]) >= {T['clients_made_scrapes']}\n"
            f"and increase(http_client_pools_created_total[{clock(1800)}]) >= {T['clients_made']}\n"
            # By one process: every restart makes a client.
            f"and max_over_time(http_client_pools_created_total[{clock(1800)}]) >= {T['clients_made']}\n"
            f"and changes(http_client_pools_created_total[{clock(600)}]) >= 2",
            "{{ $labels.job }} makes HTTP clients again and again",
            f"{PROCESS} keeps making HTTP clients instead of sharing one: nothing is reused between them.",
            after=120,
        ),
        alert(
            "HTTPClientPoolTooManyOrigins", "warning", clock,
            f"sum by ({SERVICE}, pool, origin) (job_pool_origin:http_client_pool_acquires:rate5m{{origin=\"other\"}})\n"
            f"/ {on_origin.replace(', origin', '')} group_left sum by ({SERVICE}, pool)"
            f" (job_pool_origin:http_client_pool_acquires:rate5m) > {T['other_share']}\n"
            f"and {on_origin} "
            + events(
                'sum without (kind) (job_pool_origin:http_client_pool_acquires:rate5m{origin="other"})', "other_floor"
            ),
            "Pool {{ $labels.pool }} has more upstreams than series",
            f"{PERCENT} of the requests of {WHO} go to upstreams that share the row other.",
            after=600,
        ),
        alert(
            "HTTPClientPoolReloadFailed", "warning", clock,
            f"max_over_time(http_client_pool_config_last_reload_successful[{clock(120)}]) == 0",
            "The settings of pool {{ $labels.pool }} were not reloaded",
            f"The last reload of the settings of {WHERE} failed; those before it are in force.",
            after=60,
        ),
        alert(
            "HTTPClientOutOfDescriptors", "critical", clock,
            events("job_instance:http_client_pool_no_descriptor:rate5m", "no_descriptor_floor"),
            "{{ $labels.instance }} has no file descriptor left",
            f"{PROCESS} could not open {{{{ $value | printf `%.0f` }}}} connections for lack of a file descriptor.",
        ),
        alert(
            "HTTPClientDescriptorsLow", "warning", clock,
            f"max_over_time(process_open_fds[{clock(120)}]) / max_over_time(process_max_fds[{clock(120)}])"
            f" > {T['descriptors_share']}\n"
            f"and on ({INSTANCE}) job_instance:http_client_pools:known",
            "{{ $labels.instance }} is running out of file descriptors",
            f"{PROCESS} has opened {PERCENT} of the file descriptors that it may open.",
            after=120,
        ),
        alert(
            "HTTPClientInstanceFailing", "warning", clock,
            f"job_instance_pool:http_client_pool_failed:ratio_rate5m > {T['instance_failure_share']}\n"
            f"and {on_pool} (job_instance_pool:http_client_pool_failed:ratio_rate5m\n"
            f"  > {T['instance_failure_factor']} * {others('failed')}\n"
            f"  / ({others('acquisitions')} > 1 / {WINDOW * clock.scale:g}))\n"
            f"and {on_pool} {events('job_instance_pool:http_client_pool_failed:rate5m', 'instance_failure_floor')}",
            "{{ $labels.instance }} fails more requests than the rest of {{ $labels.job }}",
            f"{PERCENT} of the requests of {WHERE} fail, far more than in the other instances.",
            after=300,
        ),
        alert(
            "HTTPClientInstanceDown", "warning", clock,
            f"max_over_time(up[{clock(120)}]) == 0 and on ({INSTANCE}) job_instance:http_client_pools:known",
            "{{ $labels.instance }} does not respond to scrapes",
            f"{PROCESS} has not responded to a scrape for minutes: it has ended, is frozen, or cannot be reached.",
            after=60,
        ),
        alert(
            "HTTPClientServiceGone", "critical", clock,
            f"count by ({SERVICE}) (last_over_time(http_client_pools[{clock(21600)}]))\n"
            # Not one whose instances go on with other labels of the service,
            f"unless on ({SERVICE}) count by ({SERVICE}) (last_over_time(http_client_pools[{clock(21600)}])\n"
            f"  and on (job, instance) last_over_time(http_client_pools[{clock(180)}]))\n"
            # and not a job that ran for less than an hour and has no target any more.
            f"and on ({SERVICE}) (\n  group by ({SERVICE}) (up)\n"
            f"  or count_over_time(group by ({SERVICE}) (http_client_pools)[{clock(21600)}:{clock(300)}]) >= 12\n)",
            "No instance of {{ $labels.job }} is left",
            "None of the instances of {{ $labels.job }} that were scraped in the last six hours responds any more.",
            after=120,
        ),
        alert(
            "HTTPClientScrapesMissed", "warning", clock,
            f"1 - avg_over_time(up[{clock(900)}]) > {T['missed_share']}\n"
            f"and changes(up[{clock(900)}]) >= {T['missed_changes']}\n"
            f"and max_over_time(up[{clock(120)}]) == 1\n"
            # A target that was first reached within this time has not missed what was before.
            f"and on ({INSTANCE}) job_instance:http_client_pools:known offset {clock(900)}\n"
            f"unless on ({INSTANCE}) changes(process_start_time_seconds[{clock(900)}]) > 0",
            "Scrapes of {{ $labels.instance }} fail now and then",
            f"{PERCENT} of the scrapes of {PROCESS} in the last quarter of an hour failed; rates are less exact.",
            after=300,
        ),
    ]


def alert(name, severity, clock, expr, summary, description, after=0):
    rule = {"alert": name, "expr": expr}
    if after:
        rule["for"] = clock(after)
    rule["keep_firing_for"] = clock(300)
    rule["labels"] = {"severity": severity}
    rule["annotations"] = {
        "summary": summary, "description": description, "runbook_url": f"{RUNBOOK}#{name.lower()}",
    }
    return rule
