"""Grafana's JSON: panels, variables, annotations, boards. What they show is in boards/."""

import string

from settings import RUNBOOK

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Every label by which a board can be narrowed, in this order. Clusters and namespaces may be labels that a Prometheus does not
# have, so that all of them includes none.
LABELS = {
    "cluster": ".*", "namespace": ".*", "job": ".+", "instance": ".+", "pool": ".+", "origin": ".+", "site": ".+",
}
PROCESS = ("cluster", "namespace", "job", "instance")
HOME = {
    "cluster": "http_client_pools", "namespace": "http_client_pools", "job": "http_client_pools",
    "instance": "http_client_pools", "pool": "http_client_pool_max_connections",
    "origin": "http_client_pool_requests", "site": "http_client_pool_site_requests",
}


def chosen(*labels, extra=""):
    """The matchers of a query for what is chosen at the top of the board."""
    return "{" + ", ".join([f'{label}=~"${label}"' for label in labels] + ([extra] if extra else [])) + "}"


def target(number, expr, legend="", table=False):
    return {
        "refId": string.ascii_uppercase[number],
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend,
        "range": not table,
        "instant": table,
        **({"format": "table"} if table else {}),
    }


def thresholds(warn=None, bad=None):
    steps = [{"color": "green", "value": None}]
    steps += [{"color": "orange", "value": warn}] if warn is not None else []
    steps += [{"color": "red", "value": bad}] if bad is not None else []
    return {"mode": "absolute", "steps": steps}


def panel(kind, title, about, unit, targets, size, options, defaults=None, **more):
    return {
        "type": kind, "title": title, "description": about, "datasource": SOURCE, "size": size, "targets": targets,
        "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": more.pop("overrides", [])},
        "options": options, **more,
    }


def stat(title, about, unit, expr, warn=None, bad=None, decimals=None):
    return panel(
        "stat", title, about, unit, [target(0, expr, title)], (4, 4),
        {
            "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        {
            "color": {"mode": "thresholds"}, "thresholds": thresholds(warn, bad),
            **({"decimals": decimals} if decimals is not None else {}),
        },
    )


def graph(title, about, unit, *queries, stack=False, top=None, dashed=()):
    """`queries`: pairs of an expression and a legend. `dashed`: legends of limits."""
    defaults = {
        "color": {"mode": "palette-classic"}, "min": 0,
        "custom": {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if stack else 8, "showPoints": "never",
            "spanNulls": False, "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        },
    }
    if top is not None:
        defaults["max"] = top
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.stacking", "value": {"mode": "none", "group": "B"}},
            ],
        }
        for name in dashed
    ]
    return panel(
        "timeseries", title, about, unit, [target(number, *query) for number, query in enumerate(queries)], (8, 8),
        {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        defaults, overrides=overrides,
    )


def table(title, about, columns, links=None, size=(24, 8), first=None, descending=True):
    """`columns`: tuples of a name, an expression, a unit and, to colour it, a warning level and a bad one; rows of the same labels
    are merged. `first`: what to sort by, a column or a label. `links`: label to a list of (title, URL)."""
    single = len(columns) == 1
    names = {"Value" if single else f"Value #{string.ascii_uppercase[n]}": column[0] for n, column in enumerate(columns)}
    overrides = []
    for name, _, unit, *levels in columns:
        properties = [{"id": "unit", "value": unit}]
        if levels:
            properties += [
                {"id": "thresholds", "value": thresholds(*levels)},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ]
        overrides.append({"matcher": {"id": "byName", "options": name}, "properties": properties})
    for label, pages in (links or {}).items():
        overrides.append({
            "matcher": {"id": "byName", "options": label},
            "properties": [{
                "id": "links",
                "value": [{"title": text, "url": url, "targetBlank": not url.startswith("/d/")} for text, url in pages],
            }],
        })
    return panel(
        "table", title, about, columns[0][2],
        [target(number, column[1], table=True) for number, column in enumerate(columns)], size,
        {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
        {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True}},
        overrides=overrides,
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names}},
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": first or columns[0][0], "desc": descending}]}},
        ],
    )


def line(*stats):
    """Stats that share a line evenly."""
    return [{**item, "size": (24 // len(stats), item["size"][1])} for item in stats]


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "size": (24, 1)}


def evened(panels):
    """Graphs that follow each other fill their lines: those of a last line that would have a gap become wider or narrower."""
    start = 0
    while start < len(panels):
        end = start
        while end < len(panels) and panels[end]["type"] == "timeseries":
            end += 1
        count = end - start
        last = {1: 4, 2: 2}.get(count % 3, 0)
        for item in panels[end - min(last, count):end] if count else []:
            item["size"] = (24 // min(last, count), item["size"][1])
        start = end + 1
    return panels


def laid_out(panels):
    """Panels from left to right, in lines of 24."""
    placed, x, y, height = [], 0, 0, 0
    for number, item in enumerate(evened([dict(item) for item in panels]), 1):
        w, h = item.pop("size")
        if x + w > 24:
            x, y, height = 0, y + height, 0
        placed.append({"id": number, **item, "gridPos": {"h": h, "w": w, "x": x, "y": y}})
        x, height = x + w, max(height, h)
    return placed


def variable(name, before):
    before = [label for label in before if (name, label) != ("site", "origin")]
    within = chosen(*before) if before else ""
    query = f"label_values({HOME[name]}{within}, {name})"
    return {
        "name": name, "label": name.capitalize(), "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": "StandardVariableQuery"}, "definition": query, "refresh": 2, "multi": True,
        "includeAll": True, "allValue": LABELS[name], "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0, "options": [], "regex": "", "skipUrlSync": False, "sort": 1,
    }


def annotation(name, color, expr, title, text, at_value=False):
    return {
        "name": name, "enable": True, "hide": False, "iconColor": color, "datasource": SOURCE, "expr": expr,
        "useValueForTime": at_value, "step": "60s", "titleFormat": title, "textFormat": text,
    }


def annotations(labels):
    here = chosen(*PROCESS)
    pools = chosen(*(label for label in labels if label in PROCESS or label == "pool"))
    on = "on (cluster, namespace, job, instance)"
    return [
        annotation(
            "Limits changed", "purple",
            f"http_client_pool_config_last_change_timestamp_seconds{pools} * 1000"
            f" and http_client_pool_config_changes_total{pools} > 0",
            "Limits of {{pool}} changed", "{{instance}}", at_value=True,
        ),
        annotation(
            "Restarts", "blue", f"process_start_time_seconds{here} * 1000 and {on} http_client_pools{here}",
            "{{instance}} started", "{{job}}", at_value=True,
        ),
        annotation(
            "Alerts", "red",
            'ALERTS{alertstate="firing", alertname=~"HTTPClient.+", cluster=~"$cluster", namespace=~"$namespace", job=~"$job"}',
            "{{alertname}}", "{{instance}} {{pool}} {{origin}}",
        ),
    ]


def board(name, title, about, labels, panels):
    """The JSON of a board. `labels`: those by which it can be narrowed."""
    return {
        "uid": f"poolscope-{name}", "title": f"PoolScope: {title}", "description": about, "tags": ["poolscope"],
        "editable": False, "graphTooltip": 1, "schemaVersion": 38, "version": 1, "timezone": "browser",
        "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timepicker": {}, "liveNow": False, "weekStart": "",
        "fiscalYearStartMonth": 0,
        "links": [
            {
                "type": "dashboards", "title": "PoolScope", "tags": ["poolscope"], "asDropdown": False, "includeVars": True,
                "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": "",
            },
            {
                "type": "link", "title": "Runbook", "url": RUNBOOK, "tags": [], "asDropdown": False, "includeVars": False,
                "keepTime": False, "targetBlank": True, "icon": "doc", "tooltip": "What each alert means and what to do",
            },
        ],
        "annotations": {"list": annotations(labels)},
        "templating": {"list": [
            {
                "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {},
                "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1, "regex": "",
                "skipUrlSync": False,
            },
            *(variable(label, labels[:number]) for number, label in enumerate(labels)),
        ]},
        "panels": laid_out(panels),
    }
