#!/usr/bin/env python3
"""Serves the boards of this folder to a browser, drawn from a Prometheus and without Grafana.

    python3 dashboards/preview/serve.py [--prometheus URL] [--port PORT]

It listens on loopback only and passes on nothing but queries.
"""

import argparse
import http.client
import http.server
import json
import pathlib
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = HERE.parent / "grafana"
NAMES = ["fleet", "service", "pool", "origin"]
QUERIES = {"/api/v1/query", "/api/v1/query_range"}
MOST_BYTES = 32 << 20  # of a response of Prometheus
# No proxy: the Prometheus is the one that was named.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Handler(http.server.BaseHTTPRequestHandler):
    prometheus = ""

    def do_GET(self):
        # A page of the web may have its own name resolve to this address.
        if self.headers.get("Host", "").rsplit(":", 1)[0].lower() not in ("127.0.0.1", "localhost"):
            return self.respond(421, "text/plain", b"ask 127.0.0.1 or localhost\n")
        try:
            target = urllib.parse.urlsplit(self.path)
        except ValueError:
            return self.respond(400, "text/plain", b"not a path\n")
        path = target.path
        name = path.removeprefix("/boards/").removesuffix(".json")
        if path == "/":
            self.respond(200, "text/html; charset=utf-8", (HERE / "index.html").read_bytes())
        elif path == "/preview.js":
            self.respond(200, "text/javascript; charset=utf-8", (HERE / "preview.js").read_bytes())
        elif path == "/runbook.md":
            self.respond(200, "text/plain; charset=utf-8", (HERE.parent / "runbook.md").read_bytes())
        elif path.startswith("/boards/") and name in NAMES:
            self.respond(200, "application/json", (BOARDS / f"{name}.json").read_bytes())
        elif path in QUERIES:
            self.ask(f"{path}?{target.query}")
        else:
            self.respond(404, "text/plain", b"not here\n")

    def ask(self, query):
        try:
            with OPENER.open(self.prometheus + query, timeout=30) as response:
                self.pass_on(response.status, response)
        except urllib.error.HTTPError as error:
            self.pass_on(error.code, error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.refuse(f"no Prometheus at {self.prometheus}: {error}")

    def pass_on(self, status, response):
        body = response.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            return self.refuse("the response of Prometheus is too large")
        self.respond(status, "application/json", body)

    def refuse(self, error):
        self.respond(502, "application/json", json.dumps({"status": "error", "error": error}).encode())

    def respond(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9465, help="the port on loopback (default: %(default)s)")
    arguments = parser.parse_args()
    Handler.prometheus = arguments.prometheus.rstrip("/")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    print(f"boards of {Handler.prometheus}: http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
