"""One nginx on loopback, on several plain ports and one with TLS, in a folder of its own that goes with it."""

import socket
import subprocess
import tempfile
import time
from pathlib import Path

SMALL_BYTES = 200
LARGE_BYTES = 1 << 20
PLAIN_PORTS = 4
PATHS = {SMALL_BYTES: "/200", LARGE_BYTES: "/1mib"}

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; default_type application/octet-stream;
  keepalive_timeout 3600s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    {plain}
    listen 127.0.0.1:{tls} ssl backlog=4096;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    location = /200 {{ return 200 "{small}"; }}
    location = /1mib {{ alias {folder}/1mib; }}
    location = /503 {{ return 503; }}
    location = /close {{ keepalive_timeout 0; return 200 "{small}"; }}
    location = /drop {{ return 444; }}
  }}
}}
"""


def run_quietly(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{result.stderr}")


class Upstream:
    def __enter__(self) -> "Upstream":
        self.temporary = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self.temporary.name)
        # nginx started by root serves files as another user.
        self.folder.chmod(0o755)
        self.ca = self.folder / "ca.pem"
        self.make_certificates()
        (self.folder / "1mib").write_bytes(b"x" * LARGE_BYTES)
        self.tls_port, *self.plain_ports = free_ports(1 + PLAIN_PORTS)
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(
            folder=self.folder, tls=self.tls_port, small="x" * SMALL_BYTES,
            plain=" ".join(f"listen 127.0.0.1:{port} backlog=4096;" for port in self.plain_ports)))
        self.process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")])
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        self.temporary.cleanup()

    def url(self, size: int, tls: bool) -> str:
        # The certificate's name, so that every client can check it. It resolves without a DNS server.
        return f"https://localhost:{self.tls_port}{PATHS[size]}" if tls else \
            f"http://127.0.0.1:{self.plain_ports[0]}{PATHS[size]}"

    def make_certificates(self) -> None:
        at = self.folder.joinpath
        names = at("names")
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        run_quietly("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=Benchmark CA",
                    "-keyout", str(at("ca.key")), "-out", str(self.ca))
        run_quietly("openssl", "req", *key, "-subj", "/CN=localhost",
                    "-keyout", str(at("server.key")), "-out", str(at("server.csr")))
        run_quietly("openssl", "x509", "-req", "-in", str(at("server.csr")), "-CA", str(self.ca),
                    "-CAkey", str(at("ca.key")), "-CAcreateserial", "-days", "2", "-extfile", str(names),
                    "-out", str(at("server.pem")))

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        log = self.folder / "error.log"
        raise SystemExit(f"nginx does not answer:\n{log.read_text() if log.exists() else ''}")

    def processes(self) -> list[int]:
        """nginx and its worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


def free_ports(count: int) -> list[int]:
    """Ports that are free now. They are held together, so no two are the same."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
