import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A peer that speaks HTTP/2 over TLS, frame by frame as a test's script says.
///
/// The script is Python, and defines `play(c, number)`: `c` is a connection whose preface was read and whose SETTINGS were
/// sent, unless the script has `def hello(c)`; `number` counts connections from 0. `c.next()` is the next frame as
/// `(kind, flags, stream, payload)`, with SETTINGS acknowledged on the way; `c.headers(stream, status, fields, end)`,
/// `c.data(stream, bytes, end)` and `c.send(kind, flags, stream, payload)` send; `note(words)` notes a line for the test.
final class HTTP2Peer: Sendable {
    let authority: String
    private let program: Program

    init(_ certificate: TestCertificates.Pair, _ script: String) async throws {
        let source = Self.prelude + "\n" + script + "\n" + Self.server
        let program = try Program("python3", ["-u", "-c", source, certificate.certificate, certificate.key])
        try await eventually("the peer listens; it says: \(program.errors)") { program.output.contains("\n") }
        guard let port = Self.lines(of: program).first.flatMap({ Int($0) }) else {
            throw TestFailure("no port: \(program.output)")
        }
        self.program = program
        authority = "localhost:\(port)"
    }

    /// What the script has noted.
    var notes: [String] { Array(Self.lines(of: program).dropFirst()) }

    /// How often the script has noted these words.
    func count(_ note: String) -> Int { notes.count { $0 == note } }

    private static func lines(of program: Program) -> [String] {
        // The last line may not be whole.
        program.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private static let prelude = """
        import socket, ssl, struct, sys, threading, time

        DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
        lock = threading.Lock()

        def note(words):
            with lock:
                sys.stdout.write(words + "\\n")
                sys.stdout.flush()

        def literal(name, value):
            name, value = name.encode(), value.encode()
            return b"\\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value

        def setting(number, value):
            return struct.pack(">HI", number, value)

        class Connection:
            def __init__(self, tls):
                self.tls = tls
                self.window = 65535

            def exactly(self, count):
                data = b""
                while len(data) < count:
                    more = self.tls.recv(count - len(data))
                    if not more:
                        raise EOFError
                    data += more
                return data

            def frame(self, kind, flags, stream, payload=b""):
                return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

            def send(self, kind, flags, stream, payload=b""):
                self.tls.sendall(self.frame(kind, flags, stream, payload))

            def block(self, status, fields={}):
                return literal(":status", str(status)) + b"".join(literal(k, v) for k, v in fields.items())

            def headers(self, stream, status=200, fields={}, end=True):
                self.send(HEADERS, 5 if end else 4, stream, self.block(status, fields))

            def data(self, stream, content, end=True):
                self.send(DATA, 1 if end else 0, stream, content)

            def goaway(self, last, code=0):
                self.send(GOAWAY, 0, 0, struct.pack(">II", last, code))

            def reset(self, stream, code):
                self.send(RST, 0, stream, struct.pack(">I", code))

            def credit(self, stream, count):
                self.send(WINDOW, 0, stream, struct.pack(">I", count))

            def next(self):
                while True:
                    head = self.exactly(9)
                    payload = self.exactly(int.from_bytes(head[:3], "big"))
                    kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
                    if kind == SETTINGS:
                        if not flags & 1:
                            self.send(SETTINGS, 1, 0)
                        continue
                    if kind == WINDOW and stream == 0:
                        self.window += int.from_bytes(payload, "big")
                        continue
                    return kind, flags, stream, payload

            def request(self):
                while True:
                    kind, flags, stream, _ = self.next()
                    if kind == HEADERS:
                        return stream

            def until(self, kind, stream=None):
                while True:
                    frame = self.next()
                    if frame[0] == kind and stream in (None, frame[2]):
                        return frame

            def drain(self):
                while True:
                    self.next()

        def hello(c):
            c.send(SETTINGS, 0, 0)
        """

    private static let server = """
        certificate, key = sys.argv[1:3]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        note(str(listener.getsockname()[1]))

        def serve(plain, number):
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                c = Connection(context.wrap_socket(plain, server_side=True))
                c.exactly(24)
                hello(c)
                play(c, number)
            except (OSError, EOFError):
                pass
            finally:
                plain.close()

        number = 0
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=serve, args=(plain, number), daemon=True).start()
            number += 1
        """
}

extension HTTP2Peer {
    func request(_ path: String = "/", method: HTTPRequest.Method = .get) -> HTTPRequest {
        .to(authority, path, method: method, scheme: "https")
    }
}

/// A measured pool that negotiates HTTP/2, and a peer that plays `script`.
func withHTTP2Peer(
    _ script: String,
    _ change: (inout PoolConfiguration) -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (InstrumentedClient, HTTP2Peer) async throws -> Void
) async throws {
    let certificates = try await TestCertificates()
    let peer = try await HTTP2Peer(try await certificates.signed(), script)
    let configure: (inout PoolConfiguration) -> Void = {
        $0.transport.http2 = .negotiated
        $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        $0.timeouts.read = .seconds(5)
        $0.timeouts.total = .seconds(15)
        change(&$0)
    }
    try await withMeasuredPool(configure, sourceLocation: sourceLocation) { client in try await body(client, peer) }
}
