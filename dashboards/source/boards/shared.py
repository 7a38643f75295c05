"""What the boards share: what is chosen, where labels lead, and panels that are on several."""

from grafana import PROCESS, chosen, graph, stat, table
from common import SERVICE
from settings import RUNBOOK

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


def worst(by, *shares):
    """The highest of several shares of the same thing."""
    numbered = [f'label_replace({share}, "share", "{number}", "", "")' for number, share in enumerate(shares)]
    return f"max by ({by}) ({' or '.join(numbered)})"


def quantile(share, family, selector, by="le"):
    return f"histogram_quantile({share}, sum by ({by}) (rate({family}_bucket{selector}[{PER}])))"


ALERTS = f'{{alertstate="firing", alertname=~"HTTPClient.+", {OF_SERVICE[1:]}'


def leases_ended(outcomes):
    """The share of the requests to each upstream that ended so."""
    return (
        "sum without (outcome) (job_pool_origin:http_client_pool_leases:ratio_rate5m"
        + OF_ORIGIN[:-1] + f', outcome=~"{outcomes}"}}) >= 0'
    )


def alerts():
    since = f'ALERTS_FOR_STATE{{alertname=~"HTTPClient.+", {OF_SERVICE[1:]}'
    return table(
        "Alerts that fire", "The alerts of these rules, with what they name. None: nothing is wrong that they know.",
        [(
            "For",
            f"max by (severity, alertname, {SERVICE}, instance, pool, origin, limit)"
            f" (time() - {since} and ignoring (alertstate) ALERTS{ALERTS})", "s",
        )],
        # critical comes before warning.
        links("job", "instance", "pool", "origin", "alertname"), (24, 7), "severity", descending=False,
    )


def clients_made_now():
    return stat(
        "Clients per second", "HTTP clients that the busiest process makes per second. A service makes its clients once, at the start: where"
        " it goes on, nothing is reused.", "ops", f"max({rate('http_client_pools_created_total' + PROCESSES)})", 0.01, 0.1, 2,
    )


def not_moving():
    return stat(
        "Nothing moves", "Requests that hold a connection on which no byte has moved for a minute: an upstream that is silent, or code"
        " that does not read.", "none", f"sum(http_client_pool_overdue_leases{POOLS})", 1, 10,
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
