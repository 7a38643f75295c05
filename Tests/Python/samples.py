"""Reads an exposition on standard input with PyPI's prometheus_client, and writes its families and samples as JSON.

    samples.py openmetrics | text
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

PARSERS = {"openmetrics": openmetrics, "text": text}


def main():
    # Bytes, because a text stream would take a carriage return for the end of a line.
    exposition = sys.stdin.buffer.read().decode()
    families = list(PARSERS[sys.argv[1]](exposition))
    samples = [[s.name, s.labels, repr(float(s.value))] for family in families for s in family.samples]
    units = {family.name: family.unit for family in families if family.unit}
    types = {family.name: family.type for family in families}
    json.dump({"samples": [{"name": n, "labels": l, "value": v} for n, l, v in samples], "units": units, "types": types}, sys.stdout)


main()
