import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What goes wrong, and what is left of it.
@Suite("Failures", .serialized)
struct FailureTests {
    @Test(
        "Whatever a server does to a request, the answer is right or an error, and the next request finds nothing of it",
        arguments: Fault.unheld.filter { $0 != .closeIdle && $0 != .resetIdle && $0 != .strayIdle },
        [HTTPRequest.Method.get, .head, .post]
    )
    func everyFault(fault: Fault, method: HTTPRequest.Method) async throws {
        let server = try FaultServer()
        try await withClient { client in
            let question = Question(fault, method, to: server, bodyBytes: method == .post ? 300 : 0)
            if fault.answer(to: method.rawValue) != nil {
                try await expectAnswer(to: question, from: client)
            } else {
                let error = try await poolError {
                    _ = try await question.ask(client, options: Self.patience(with: fault))
                }
                #expect(Self.errors(of: fault).contains(error.code), "\(fault): \(error)")
                try await client.becomes(OriginLevels())
            }
            #expect(server.ledger.arrivals(ofToken: question.token) == 1)
            try await expectAnswer(to: Question(.plain, .post, to: server, bodyBytes: 50), from: client)
            for _ in 0..<3 { try await expectAnswer(to: Question(.plain, to: server), from: client) }
            try await client.becomes(OriginLevels(idle: 1))
            try await expectSockets(1, to: server)
            #expect(server.ledger.garbled == 0)
        }
    }

    private static func patience(with fault: Fault) -> RequestOptions {
        var options = RequestOptions()
        switch fault {
        case .hang, .hangInHead, .hangInBody:
            options.timeouts.read = .milliseconds(300)
            options.timeouts.write = .milliseconds(300)
        case .endlessInterim: options.timeouts.total = .milliseconds(500)
        default: break
        }
        return options
    }

    @Test("The read timeout counts from the end of the request, however long the other timeouts are")
    func readTimeoutAfterUpload() async throws {
        let server = try FaultServer()
        try await withClient({ $0.timeouts.read = .milliseconds(200) }) { client in
            for bodyBytes in [0, 100] {
                let question = Question(.hang, .post, to: server, bodyBytes: bodyBytes)
                let error = try await poolError { _ = try await question.ask(client) }
                #expect(error.code == .readTimeout)
                let elapsed = try #require(error.elapsed)
                // Half of the connect timeout, which is the next deadline there is.
                #expect(elapsed < .seconds(5))
            }
        }
    }

    private static func errors(of fault: Fault) -> [PoolError.Code] {
        switch fault {
        case .hang, .hangInHead, .hangInBody: [.readTimeout]
        case .endlessInterim: [.totalTimeout]
        case .garbage, .endlessHead: [.invalidResponse]
        case .chunkSizeNotHex, .chunkSizeTooLarge, .chunkWithoutEnd: [.connectionLost, .invalidResponse]
        default: [.connectionLost]
        }
    }

    @Test(
        "A connection that never becomes one is an error of its own, and leaves nothing",
        arguments: [
            (Door.silent, PoolError.Code.readTimeout), (.closing, .connectionLost), (.resetting, .connectionLost),
            (.full, .connectTimeout), (.refusing, .connectFailed), (.plainText, .tlsFailed),
            (.closingInHandshake, .tlsFailed), (.resettingInHandshake, .tlsFailed), (.refusingHandshake, .tlsFailed),
        ]
    )
    func everyDoor(door: Door, code: PoolError.Code) async throws {
        let server = try FaultServer(door)
        let before = try KernelSockets().count(to: server.port)
        var options = RequestOptions()
        if door == .full { options.timeouts.connect = .milliseconds(300) }
        if door == .silent { options.timeouts.read = .milliseconds(300) }
        try await withClient { client in
            for method in [HTTPRequest.Method.get, .post] {
                let question = Question(.plain, method, to: server)
                let error = try await poolError { _ = try await question.ask(client, options: options) }
                // A reset can come before the connection was used, or after.
                let isEarlyReset = door == .resetting && error.code == .connectFailed
                #expect(error.code == code || isEarlyReset, "\(error)")
                #expect(door != .full || error.reason == "the connection was not ready within 0.3 s", "\(error)")
                try await client.becomes(OriginLevels())
            }
            try await eventually("the kernel agrees") { try KernelSockets().count(to: server.port) <= before }
            // The pool is as it was.
            try await expectAnswer(to: Question(.plain, to: FaultServer()), from: client)
        }
    }

    @Test("A TLS handshake that hangs ends with the connect timeout")
    func silentHandshake() async throws {
        let server = try FaultServer(.silent)
        try await withClient({ $0.timeouts.connect = .milliseconds(300) }) { client in
            let error = try await poolError { _ = try await Question(.plain, to: server, scheme: "https").ask(client) }
            #expect(error.code == .connectTimeout)
            #expect(error.reason == "the TLS handshake was not complete within 0.3 s")
            try await client.becomes(OriginLevels())
            try await expectSockets(0, to: server)
        }
    }

    @Test("A certificate that nobody has signed is an error, and nothing is kept")
    func untrusted() async throws {
        let server = try await UntrustedServer.start()
        try await withClient { client in
            for _ in 0..<3 {
                let question = Question(toTLS: server.authority)
                #expect(try await poolError { _ = try await question.ask(client) }.code == .tlsFailed)
                try await client.becomes(OriginLevels())
            }
            #expect(client.reading().origins.first?.connectFailures[.tls] == 3)
            try await eventually("the kernel agrees") { try KernelSockets().count(.established, to: server.port) == 0 }
        }
    }

    @Test(
        "A scheme that the pool does not speak is refused before anything is opened",
        arguments: [
            "ftp", "ws", "", "file",
        ]
    )
    func unsupportedScheme(scheme: String) async throws {
        let server = try FaultServer()
        try await withClient { client in
            let error = try await poolError { _ = try await Question(.plain, to: server, scheme: scheme).ask(client) }
            #expect(error.code == .invalidRequest)
            #expect(client.reading().origins.isEmpty)
            #expect(server.acceptedConnections == 0)
        }
    }

    @Test(
        "A reused connection that dies unanswered: what may be repeated is sent once more, a POST never",
        arguments: [Fault.dropOnReuse, .resetOnReuse],
        [HTTPRequest.Method.get, .head, .put, .delete, .post, .patch]
    )
    func deadReusedConnection(fault: Fault, method: HTTPRequest.Method) async throws {
        let server = try FaultServer()
        try await withClient { client in
            try await expectAnswer(to: Question(fault, to: server), from: client)
            try await client.becomes(OriginLevels(idle: 1))
            let carriesBody = method == .put || method == .post || method == .patch
            let question = Question(fault, method, to: server, bodyBytes: carriesBody ? 500 : 0)
            if method == .post || method == .patch {
                #expect(try await poolError { _ = try await question.ask(client) }.code == .connectionLost)
                #expect(server.ledger.arrivals(ofToken: question.token) == 1)
                try await client.becomes(OriginLevels())
                // It has left nothing behind that the next one would stumble over.
                try await expectAnswer(to: Question(.plain, .post, to: server, bodyBytes: 50), from: client)
            } else {
                try await expectAnswer(to: question, from: client)
                #expect(server.ledger.arrivals(ofToken: question.token) == 2)
                #expect(try client.numbers(of: server).staleRetries == 1)
                try await client.becomes(OriginLevels(idle: 1))
            }
            #expect(server.ledger.garbled == 0)
        }
    }

    @Test(
        "A connection that ended or spoke while idle is gone before anybody is given it",
        arguments: [
            Fault.closeIdle, .resetIdle, .strayIdle,
        ]
    )
    func spokeWhileIdle(fault: Fault) async throws {
        let server = try FaultServer()
        try await withClient { client in
            try await expectAnswer(to: Question(fault, to: server), from: client)
            try await client.becomes(OriginLevels())
            try await expectSockets(0, to: server)
            let closed = try client.numbers(of: server).connectionsClosed
            // Bytes that come with the last of the answer are libcurl's to find.
            let reasons: [CloseReason] = fault == .strayIdle ? [.unexpectedData, .responseClose] : [.peerClosed]
            #expect(closed.total == 1 && reasons.contains { closed[$0] == 1 })
            let question = Question(.plain, .post, to: server, bodyBytes: 20)
            try await expectAnswer(to: question, from: client)
            #expect(server.ledger.arrivals(ofToken: question.token) == 1)
        }
    }

    @Test("A server that restarts under a pool of idle connections costs nobody anything")
    func restart() async throws {
        let server = try FaultServer()
        try await withClient { client in
            for _ in 0..<3 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<5 {
                        group.addTask { try await expectAnswer(to: Question(.slowBody, to: server), from: client) }
                    }
                    try await group.waitForAll()
                }
                try await server.stop()
                try await client.becomes(OriginLevels())
                let error = try await poolError { _ = try await Question(.plain, to: server).ask(client) }
                #expect(error.code == .connectFailed)
                try server.start()
                try await expectAnswer(to: Question(.plain, .post, to: server, bodyBytes: 9), from: client)
            }
        }
    }
}
