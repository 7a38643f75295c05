"""The real processes: `poolscope run`, Prometheus, Alertmanager. Each is ended by its id, whatever happens."""

import ctypes
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.parse

from upstreams import free_port, open_url

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DASHBOARDS = REPOSITORY / "dashboards"


class Processes:
    """Everything that was started, to be ended."""

    def __init__(self, folder):
        self.folder, self.running, self.logs = folder, [], 0
        self.lock, self.over = threading.Lock(), False

    def start(self, command, environment=None, files=None):
        """`files`: how many it may open."""
        if files:
            command = ["bash", "-c", f'ulimit -n {files} && exec "$@"', "bash", *command]
        with self.lock:
            if self.over:
                raise RuntimeError("everything is being ended")
            self.logs += 1
            with open(os.path.join(self.folder, f"log-{self.logs}"), "wb") as log:
                process = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                )
            process.log = log.name
            self.running.append(process)
            return process

    def end(self, process):
        with self.lock:
            if process in self.running:
                self.running.remove(process)
        self._kill(process)

    @staticmethod
    def _kill(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def end_all(self):
        with self.lock:
            self.over = True
            ending, self.running = self.running, []
        for process in ending:
            self._kill(process)


class Poolscope:
    """A `poolscope run` that can be restarted with other arguments at the same address."""

    def __init__(self, processes, program, targets, environment, arguments, files=None):
        self.processes, self.program, self.port, self.files = processes, program, free_port(), files
        self.environment = {
            **{
                name: value for name, value in os.environ.items()
                if not name.startswith("HTTP_CLIENT_") and not name.lower().endswith("_proxy")
            },
            "HTTP_CLIENT_METRICS_PORT": str(self.port), **environment,
        }
        self.start(targets, arguments)

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def start(self, targets, arguments):
        self.last = targets, arguments
        command = [self.program, "run", "--grace", "0.1"]
        for url in targets:
            command += ["--target", url]
        self.process = self.processes.start(
            command + [str(argument) for argument in arguments], self.environment, self.files
        )

    def end(self):
        self.processes.end(self.process)

    def restart(self, targets=None, arguments=None):
        self.end()
        self.start(targets or self.last[0], self.last[1] if arguments is None else arguments)

    def signal(self, number):
        self.process.send_signal(number)

    def threads(self):
        """Id to name of each thread."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return {int(task.name): (task / "comm").read_text().strip() for task in tasks.iterdir()}


class StoppedThread:
    """Stops one thread of another process, as a debugger does, while the others run on. The calling thread must live on."""

    SEIZE, INTERRUPT, DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, thread):
        self.thread, self.library = thread, ctypes.CDLL(None, use_errno=True)
        self._call(self.SEIZE)
        self._call(self.INTERRUPT)
        os.waitpid(thread, self.WAIT_ALL)

    def _call(self, request):
        self.library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if self.library.ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def resume(self):
        self._call(self.DETACH)


def get(url):
    with open_url(url, timeout=10) as page:
        return json.load(page)


class Monitoring:
    """A Prometheus with the rules at a fraction of their times, and an Alertmanager with the example's routes."""

    def __init__(self, processes, folder, jobs, scale):
        subprocess.run(
            [sys.executable, DASHBOARDS / "generate.py", "--scale", str(scale), "--output", folder], check=True
        )
        self.managed, self.port = free_port(), free_port()
        config = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "1500ms", "evaluation_interval": "2s"},
            "rule_files": [f"{folder}/prometheus/rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self.managed}"]}]}]},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in jobs.items()
            ],
        }
        file = pathlib.Path(folder, "prometheus.yml")
        file.write_text(json.dumps(config))
        self.alertmanager = processes.start([
            "prometheus-alertmanager", f"--config.file={DASHBOARDS}/prometheus/alertmanager.yml",
            f"--storage.path={folder}/alertmanager", f"--web.listen-address=127.0.0.1:{self.managed}",
            "--cluster.listen-address=",
        ])
        self.prometheus = processes.start([
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--rules.alert.resend-delay=4s",
        ])
        deadline = time.monotonic() + 30
        while True:
            try:
                for port in (self.port, self.managed):
                    open_url(f"http://127.0.0.1:{port}/-/ready", timeout=2).close()
                return
            except OSError:
                for process in (self.prometheus, self.alertmanager):
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(pathlib.Path(process.log).read_text()[-3000:])
                time.sleep(0.2)

    def query(self, query):
        return get(f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": query}))["data"]["result"]

    def firing(self):
        """Job and alert of everything that fires."""
        found = self.query('count by (job, alertname) (ALERTS{alertstate="firing"})')
        return {(series["metric"]["job"], series["metric"]["alertname"]) for series in found}

    def managed_alerts(self):
        """Job and alert of everything that Alertmanager knows, each with whether all of them are silenced by another."""
        found = {}
        for alert in get(f"http://127.0.0.1:{self.managed}/api/v2/alerts"):
            key = alert["labels"]["job"], alert["labels"]["alertname"]
            found[key] = found.get(key, True) and bool(alert["status"]["inhibitedBy"])
        return found
