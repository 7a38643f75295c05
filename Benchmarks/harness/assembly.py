"""A server on loopback that answers its requests together, or never."""

import resource
import selectors
import socket
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Assembly:
    """Answers nobody before `count` requests are there, each on a connection of its own; without a count never.

    So many connections are then open at once, and idle. It serves from a thread of its own.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count

    def __enter__(self) -> "Assembly":
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.authority = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.stopped, self.stop = socket.socketpair()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop.close()
        self.thread.join()
        self.stopped.close()

    def serve(self) -> None:
        waiting: set[socket.socket] = set()
        with selectors.DefaultSelector() as selector:
            for each in (self.stopped, self.listener):
                selector.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    ready = key.fileobj
                    if ready is self.stopped:
                        for open_socket in [each.fileobj for each in selector.get_map().values()]:
                            open_socket.close()
                        return
                    if ready is self.listener:
                        selector.register(ready.accept()[0], selectors.EVENT_READ)
                    elif received(ready):
                        # Requests without a body, so small that each comes in one piece.
                        waiting.add(ready)
                    else:
                        waiting.discard(ready)
                        selector.unregister(ready)
                        ready.close()
                if len(waiting) == self.count:
                    for each in waiting:
                        each.sendall(ANSWER)
                    waiting.clear()


def received(connection: socket.socket) -> bytes:
    """Empty where the peer has gone."""
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""
