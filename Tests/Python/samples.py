"""Reads an exposition on standard input with PyPI's prometheus_client, and writes its families and samples as JSON.

    samples.py openmetrics | text
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

PARSERS = {"openmetrics": openmetrics, "text": text}


def sample(s):
    read = {"name": s.name, "labels": s.labels, "value": repr(float(s.value))}
    if s.exemplar:
        read["exemplar"] = {"labels": s.exemplar.labels, "value": s.exemplar.value, "time": float(s.exemplar.timestamp)}
    return read


def main():
    # Bytes, because a text stream would take a carriage return for the end of a line.
    exposition = sys.stdin.buffer.read().decode()
    families = list(PARSERS[sys.argv[1]](exposition))
    samples = [sample(s) for family in families for s in family.samples]
    units = {family.name: family.unit for family in families if family.unit}
    types = {family.name: family.type for family in families}
    json.dump({"samples": samples, "units": units, "types": types}, sys.stdout)


main()
