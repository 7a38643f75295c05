import Foundation
import TestSupport

/// A peer that speaks HTTP/2 over TLS, and refuses what it is sent.
final class RefusingPeer: Sendable {
    /// How it refuses.
    enum Manner: String, Sendable, CaseIterable {
        /// RST_STREAM with REFUSED_STREAM, for each request.
        case refusedStream
        /// GOAWAY that lets no stream through, with the first request.
        case goAway
    }

    let authority: String
    private let program: Program

    /// `servesAfter`: so many connections refuse, and all later ones answer.
    init(_ manner: Manner, servesAfter: Int = .max, certificate: TestCertificates.Pair) async throws {
        let count = String(min(servesAfter, 1_000_000))
        let program = try Program(
            "python3",
            ["-u", "-c", Self.script, certificate.certificate, certificate.key, manner.rawValue, count]
        )
        try await eventually("the peer listens; it says: \(program.errors)") { program.output.contains("\n") }
        let port = try Self.lines(of: program).first.flatMap { Int($0) }
        guard let port else { throw TestFailure("no port: \(program.output)") }
        self.program = program
        authority = "localhost:\(port)"
    }

    /// When each connection was accepted, in seconds of a clock of its own.
    var accepted: [Double] { get throws { try Self.lines(of: program).dropFirst().compactMap(Double.init) } }

    private static func lines(of program: Program) throws -> [String] {
        // The last line may not be whole.
        program.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private static let script = """
        import socket, ssl, struct, sys, threading, time

        certificate, key, manner, serves_after = sys.argv[1:5]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        print(listener.getsockname()[1])

        def frame(kind, flags, stream, payload=b""):
            return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

        def exactly(connection, count):
            data = b""
            while len(data) < count:
                more = connection.recv(count - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        def serve(plain, serves):
            try:
                connection = context.wrap_socket(plain, server_side=True)
                exactly(connection, 24)
                connection.sendall(frame(4, 0, 0))
                while True:
                    head = exactly(connection, 9)
                    payload = exactly(connection, int.from_bytes(head[:3], "big"))
                    kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
                    if kind == 4 and not flags & 1:
                        connection.sendall(frame(4, 1, 0))
                    elif kind == 1 and serves:
                        connection.sendall(frame(1, 5, stream, bytes([0x88])))
                    elif kind == 1 and manner == "goAway":
                        connection.sendall(frame(7, 0, 0, struct.pack(">II", 0, 0)))
                    elif kind == 1:
                        connection.sendall(frame(3, 0, stream, struct.pack(">I", 7)))
            except (OSError, EOFError):
                pass
            finally:
                plain.close()

        count = 0
        while True:
            plain, _ = listener.accept()
            print(time.monotonic())
            threading.Thread(target=serve, args=(plain, count >= int(serves_after)), daemon=True).start()
            count += 1
        """
}
