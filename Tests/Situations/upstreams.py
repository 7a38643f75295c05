"""Upstreams that misbehave when asked to, and proxies before an endpoint, all on one event loop in a thread."""

import asyncio
import os
import socket
import ssl
import subprocess
import threading
import urllib.request


# Whatever proxy the machine has, nothing here goes through it.
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Loop:
    """The event loop of all upstreams."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


def free_port(host="127.0.0.1"):
    with socket.socket() as found:
        found.bind((host, 0))
        return found.getsockname()[1]


class Upstream:
    """Responds with `ok`, until `now` gives it another behaviour.

    delay: seconds before the response.
    status: of the response.
    close: whether the response says `Connection: close`.
    idle: seconds after which an idle connection is closed.
    hang: "before" or "after" the head of the response.
    """

    WELL = {"delay": 0, "status": 200, "close": False, "idle": None, "hang": None}

    def __init__(self, loop, hosts=("127.0.0.1",), context=None):
        self.loop, self.hosts, self.port, self.context = loop, hosts, free_port(), context
        self.writers = set()
        self.server = None
        self.hole = []
        self.now()
        loop.run(self._open())

    @property
    def url(self):
        return f"https://localhost:{self.port}/" if self.context else self.urls[0]

    @property
    def urls(self):
        return [f"http://{host}:{self.port}/" for host in self.hosts]

    def now(self, **behaviour):
        self.behaviour = {**self.WELL, **behaviour}

    def refuse(self):
        self.loop.run(self._shut())

    def black_hole(self):
        """A full queue of connections that nobody accepts: the kernel ignores all others."""
        self.loop.run(self._shut())
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((self.hosts[0], self.port))
        listening.listen(0)
        self.hole = [listening]
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex((self.hosts[0], self.port))
            self.hole.append(waiting)

    def present(self, context):
        """Another certificate for new connections; those that are open are closed."""
        self.loop.run(self._shut())
        self.context = context
        self.loop.run(self._open())

    def well(self):
        hung = self.behaviour["hang"]
        self.now()
        if hung:
            self.loop.run(self._abort())
        for open_socket in self.hole:
            open_socket.close()
        self.hole = []
        if self.server is None:
            self.loop.run(self._open())

    async def _open(self):
        self.server = await asyncio.start_server(
            self._serve, self.hosts, self.port, ssl=self.context, backlog=512, reuse_address=True
        )

    async def _shut(self):
        if self.server is not None:
            self.server.close()
            self.server = None
        await self._abort()

    async def _abort(self):
        for writer in list(self.writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        try:
            await self._requests(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _requests(self, reader, writer):
        first = True
        while True:
            idle = None if first else self.behaviour["idle"]
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), idle)
            first = False
            now = self.behaviour
            if now["hang"] == "before":
                await reader.read()
                return
            if now["delay"]:
                await asyncio.sleep(now["delay"])
            close = b"Connection: close\r\n" if now["close"] else b""
            writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n%s\r\n" % (now["status"], close))
            if now["hang"] == "after":
                await writer.drain()
                await reader.read()
                return
            writer.write(b"ok")
            await writer.drain()
            if now["close"]:
                return


class ScrapeProxy:
    """Stands before an endpoint: fails every fourth scrape while `missing`, and rewrites the page while `rewrite` is set."""

    def __init__(self, loop, address):
        self.address, self.port = address, free_port()
        self.missing, self.rewrite, self.count = False, None, 0
        loop.run(self._open())

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    async def _open(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def _fetch(self):
        with open_url(f"http://{self.address}/metrics", timeout=1) as page:
            return page.headers["Content-Type"], page.read()

    async def _serve(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.count += 1
            if not (self.missing and self.count % 4 == 0):
                kind, page = await asyncio.get_running_loop().run_in_executor(None, self._fetch)
                page = self.rewrite(page) if self.rewrite else page
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(page)}\r\n"
                    "Connection: close\r\n\r\n".encode() + page
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


class Certificates:
    """An authority, a certificate of localhost that it signed, and one that nobody signed."""

    def __init__(self, folder):
        self.authority = os.path.join(folder, "ca.pem")
        self._openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem")
        self._openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout good.key -out good.csr")
        with open(os.path.join(folder, "names"), "w") as names:
            names.write("subjectAltName=DNS:localhost\n")
        self._openssl(folder, "x509 -req -in good.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out good.pem")
        self._openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout bad.key -out bad.pem")
        self.good, self.bad = self._context(folder, "good"), self._context(folder, "bad")

    @staticmethod
    def _openssl(folder, arguments):
        subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)

    @staticmethod
    def _context(folder, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
        return context
