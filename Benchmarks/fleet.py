"""A fleet of simulated instances on one Prometheus: how long its rules and the queries of each board take, and what it stores.

The page of a real `poolscope run` with eight upstreams is replayed for each instance, with counters that go on rising. Ten services
of equal size, each scraped every 15 seconds.

    python3 Benchmarks/fleet.py --tool .build/debug/poolscope [--instances 300] [--minutes 8]
"""

import argparse
import functools
import http.server
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICES = 10
ORIGINS = 8


class Upstream:
    """An upstream that responds at once, on every address of loopback."""

    def __enter__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_port

    def __exit__(self, *arguments):
        self.server.shutdown()


def page(tool):
    """The metrics of a real run, half a minute old."""
    with Upstream() as port:
        targets = [part for number in range(ORIGINS) for part in ("--target", f"http://127.0.0.{number + 1}:{port}/")]
        process = subprocess.Popen(
            [tool, "run", "--rate", "100", *targets], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HTTP_CLIENT_METRICS_PORT": "19499"},
        )
        try:
            time.sleep(30)
            with urllib.request.urlopen("http://127.0.0.1:19499/metrics") as response:
                return response.read().decode()
        finally:
            process.terminate()
            process.wait()


def replay(text):
    """Serves the page to every instance; what accumulates has grown by what it had grown a second, since then."""
    lines = []
    for line in text.splitlines():
        name = re.match(r"[a-z0-9_]+", line)
        rises = name and re.search(r"_(total|bucket|sum|count)$", name[0])
        head, _, value = line.rpartition(" ")
        lines.append((head, float(value)) if rises else line)
    began = time.monotonic()

    @functools.lru_cache(maxsize=2)
    def body(second):
        factor = 1 + second / 30
        return "\n".join(
            line if isinstance(line, str) else f"{line[0]} {scaled(line[1], factor)}" for line in lines
        ).encode() + b"\n"

    class Replay(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            text = body(int(time.monotonic() - began))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def scaled(value, factor):
    return int(value * factor) if value == int(value) else value * factor


def configuration(port, instances):
    jobs = []
    for service in range(SERVICES):
        targets = [f"instance-{number}" for number in range(service, instances, SERVICES)]
        jobs.append({
            "job_name": f"service-{service}",
            "static_configs": [{"targets": targets}],
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": f"127.0.0.1:{port}"},
            ],
        })
    # JSON is YAML.
    return json.dumps({
        "global": {"scrape_interval": "15s", "scrape_timeout": "14s", "evaluation_interval": "30s"},
        "rule_files": [str(ROOT / "dashboards/prometheus/rules.yml")],
        "scrape_configs": jobs,
    })


class Prometheus:
    def __init__(self, folder, configuration):
        pathlib.Path(folder, "prometheus.yml").write_text(configuration)
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:19498"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:19498/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=120) as response:
            return json.load(response)["data"]

    def value(self, query):
        return float(self.ask("query", query=query)["result"][0]["value"][1])


def board_times(prometheus, board, **chosen):
    """The time of all queries of a board one after the other, as a panel asks them for the last hour, and the slowest.

    chosen: values of the board's variables; of the others all is chosen."""
    values = {variable["name"]: variable.get("allValue", "") for variable in board["templating"]["list"]}
    values |= {"__rate_interval": "1m", **chosen}
    times, end = [], time.time()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            query = re.sub(r"\$(\w+)", lambda match: values[match[1]], target["expr"])
            began = time.monotonic()
            if target["instant"]:
                prometheus.ask("query", query=query)
            else:
                prometheus.ask("query_range", query=query, start=end - 3600, end=end, step=15)
            times.append((time.monotonic() - began, panel["title"]))
    return sum(time for time, _ in times), max(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, help="the path of poolscope")
    parser.add_argument("--instances", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=8, help="how long to scrape before measuring")
    arguments = parser.parse_args()
    port = replay(page(arguments.tool))
    with tempfile.TemporaryDirectory() as folder:
        prometheus = Prometheus(folder, configuration(port, arguments.instances))
        try:
            time.sleep(arguments.minutes * 60)
            groups = prometheus.ask("rules")["groups"]
            print(f"instances {arguments.instances}, up {prometheus.value('sum(up)'):.0f}")
            print(f"series {json.dumps(prometheus.ask('status/tsdb')['headStats']['numSeries'])}")
            recorded = prometheus.value('count({__name__=~".+:.+"})')
            print(f"recorded series {recorded:.0f}")
            status = pathlib.Path(f"/proc/{prometheus.process.pid}/status").read_text()
            kilobytes = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
            print(f"resident memory {kilobytes // 1024} MiB")
            for group in groups:
                slowest = max(group["rules"], key=lambda rule: rule["evaluationTime"])
                print(f"{group['name']}: {group['evaluationTime']:.2f} s, the slowest {slowest['name']}"
                      f" {slowest['evaluationTime']:.2f} s")
            for name in ("fleet", "service", "pool", "origin"):
                board = json.loads((ROOT / f"dashboards/grafana/{name}.json").read_text())
                for chosen in {}, {"job": "service-1"}, {"job": "service-1", "instance": "instance-1"}:
                    total, (slowest, title) = board_times(prometheus, board, **chosen)
                    print(f"board {name}, {' '.join(chosen.values()) or 'all'}: {total:.1f} s for all queries,"
                          f" the slowest {slowest:.2f} s ({title})")
        finally:
            prometheus.process.terminate()
            prometheus.process.wait()


if __name__ == "__main__":
    main()
