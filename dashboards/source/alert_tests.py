"""The tests of the alerts, for promtool."""

from alerts import alerts
from common import Clock
from playing import play
from situations import ALSO_SICK, END, FROM_START, RESTART, SICK, SICK_FROM, SICK_UNTIL, STEP, WELL, WELL_AGAIN

FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def expect(time, alerts):
    """At `time` these alerts fire and no others."""
    return {
        "expr": f"count by (alertname) ({FIRING})",
        "eval_time": f"{time}s",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(set(alerts))],
    }


def test(name, series, expected, alerts=()):
    return {
        "name": name,
        "interval": f"{STEP}s",
        "input_series": series,
        "promql_expr_test": [expect(time, names) for time, names in expected],
        **({"alert_rule_test": list(alerts)} if alerts else {}),
    }


def tests(major):
    """The file for promtool of this major version."""
    severities = {rule["alert"]: rule["labels"]["severity"] for rule in alerts(Clock())}
    runbook = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in alerts(Clock())}
    # From version 3 on, a range leaves out the sample that is just as old as the range is long.
    every_other = "48.39%" if major < 3 else "50%"
    found = []
    for name, sick in SICK.items():
        firing = {name, *sick.also}
        early = SICK_FROM + sick.within
        peers = play("b", sick.peer)
        annotated = {
            "eval_time": f"{SICK_UNTIL - STEP}s",
            "alertname": name,
            "exp_alerts": [{
                "exp_labels": {"severity": severities[name], **sick.labels},
                "exp_annotations": {
                    "summary": sick.summary, "runbook_url": runbook[name],
                    "description": sick.description.format(every_other=every_other),
                },
            }],
        }
        found.append(test(
            f"{name}: fires within {sick.within} s, and resolves", play("a", sick.series) + peers,
            [
                (SICK_FROM - STEP, ()), (early, {name, *(other for other in sick.also if SICK[other].within <= sick.within)}),
                (SICK_UNTIL - STEP, firing), (sick.resolved, ()),
            ],
            [annotated],
        ))
        if name not in ("HTTPClientInstanceDown", "HTTPClientServiceGone", "HTTPClientScrapesMissed"):
            missing = {"HTTPClientScrapesMissed"}
            found.append(test(
                f"{name}: fires with every fourth scrape missed", play("a", sick.series, missed=True) + peers,
                [(SICK_UNTIL - at * STEP, firing | missing) for at in range(1, 9)] + [(sick.resolved, missing)],
            ))
        if sick.restart:
            found.append(test(
                f"{name}: goes on firing through a restart", play("a", sick.series, restart=RESTART) + peers,
                [(RESTART + 2 * STEP, firing), (RESTART + 240, firing), (SICK_UNTIL - STEP, firing), (sick.resolved, ())],
            ))
        if sick.born:
            found.append(test(
                f"{name}: fires for series that begin above 0", play("a", sick.series, born=sick.born) + peers,
                [(SICK_FROM - STEP, ()), (early, firing)],
            ))
    for name, (series, peer, firing) in ALSO_SICK.items():
        found.append(test(
            f"{', '.join(sorted(firing))}: {name}", play("a", series) + play("b", peer),
            [(SICK_FROM - STEP, ()), (SICK_UNTIL - STEP, firing), (WELL_AGAIN, ())],
        ))
    for name, series in WELL.items():
        start = 0 if name in FROM_START else SICK_FROM
        found.append(test(
            f"no alert: {name}", play("a", series, start=start, until=END + 1) + play("b", {}),
            [(time, ()) for time in range(SICK_FROM, WELL_AGAIN + 1, 300)],
        ))
    found.append(test(
        "no alert: a restart", play("a", {}, restart=RESTART) + play("b", {}),
        [(time, ()) for time in range(RESTART, RESTART + 1201, 60)],
    ))
    # InstanceDown may fire on for five minutes.
    found.append(test(
        "no alert of missed scrapes after one outage", play("a", {"up": 0}) + play("b", {}),
        [(time, ()) for time in range(SICK_UNTIL + 420, WELL_AGAIN + 1, 60)],
    ))
    found.append(test(
        "no alert of one instance where all fail alike",
        play("a", SICK["HTTPClientInstanceFailing"].series) + play("b", SICK["HTTPClientInstanceFailing"].series),
        [(SICK_UNTIL - STEP, {"HTTPClientUpstreamFailing"})],
    ))
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{STEP}s",
        # Prometheus evaluates groups independently. In this order alerts see what was recorded one evaluation before.
        "group_eval_order": ["poolscope-alerts", "poolscope-records"],
        "tests": found,
    }
