"""Pool: everything about the pools that are chosen."""

from boards.shared import FLEET, POOLS, ORIGINS, SITES, PER, links, rate, quantile
from grafana import board, graph, row, stat, table
from common import SERVICE
from settings import THRESHOLDS as T


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
                 "sum(http_client_pool_requests" + ORIGINS[:-1] + ', state="queued"})'),
            stat("Oldest queued request", "Age of the request that has waited the longest.", "s",
                 f"max(http_client_pool_oldest_queued_seconds{POOLS})", 0.5, 5),
            stat("Time to acquire, p99", "99 of 100 acquisitions, failed ones included, ended within this time.", "s",
                 quantile(0.99, "http_client_pool_acquire_duration_seconds", POOLS), 0.1, 1),
            stat("Acquisitions that failed", "Per second, without a connection: timeouts, full queues, failed connects.",
                 "ops", f"sum({rate('http_client_pool_acquire_failures_total' + ORIGINS)})", 0.1, 1, 2),
            stat("How full", "Connections that exist, as a share of the limit, in the fullest of the chosen pools.", "percentunit",
                 f"max(sum by ({per_instance}) (http_client_pool_connections{ORIGINS})"
                 f" / on ({per_instance}) max by ({per_instance}) (http_client_pool_max_connections{POOLS}))"),
            graph("Connections by state", "Connections of the chosen pools, each in exactly one state. How close they are to the"
                  " limit is beside.", "none",
                  (f"sum by (state) (http_client_pool_connections{ORIGINS})", by_state), stack=True),
            graph("Fullest pools", "Connections that exist, as a share of the limit of their own pool; the ten fullest.",
                  "percentunit",
                  (f"topk(10, sum by ({per_instance}) (http_client_pool_connections{ORIGINS})"
                   f" / on ({per_instance}) max by ({per_instance}) (http_client_pool_max_connections{POOLS}))", "{{instance}} {{pool}}"), top=1),
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
                  first="Holds"),
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
                    f" group by ({per_instance}, library, library_version, tls) (http_client_pool_backend_info{POOLS}))", "none")], None, (8, 6)),
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
