"""The rule file, for Prometheus 2.42 and later."""

from alerts import alerts
from common import Clock
from records import records


def groups(clock=Clock()):
    """What the rule file holds: groups of rules, each a dictionary."""
    return [
        {"name": "poolscope-records", "rules": records(clock)},
        {"name": "poolscope-alerts", "rules": alerts(clock)},
    ]
