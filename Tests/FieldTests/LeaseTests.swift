import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import PoolTesting
import TestSupport
import Testing

extension InstrumentedClient {
    /// Waits until the only request is in this phase.
    fileprivate func reaches(
        _ phase: RequestPhase,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> LiveRequest {
        try await eventually(
            "\(phase); there are \(measured.requests())",
            within: .seconds(20),
            sourceLocation: sourceLocation
        ) { measured.requests().map(\.phase) == [phase] }
        return try #require(measured.requests().first, sourceLocation: sourceLocation)
    }

    /// The outcomes that were counted, each as often as it was.
    fileprivate var outcomes: [LeaseOutcome] {
        get throws {
            let leases = try onlyOrigin.leases
            return LeaseOutcome.allCases.flatMap { Array(repeating: $0, count: Int(leases[$0])) }
        }
    }
}

/// Who holds a connection, and what for.
@Suite("Live requests of CurlPool")
struct LeasePhaseTests {
    @Test("A request that waits for a slot is queued, and the one that has it is held by its caller")
    func queued() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil {
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + String(repeating: "x", count: 9_000_000)
                )
            }
        }
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
        } _: { client in
            let response = try await client.execute(
                .to(peer.authority),
                body: .none,
                options: RequestOptions(site: "holder")
            )
            let waiter = Task { try await client.fetch(.to(peer.authority), options: RequestOptions(site: "waiter")) }
            try await eventually("\(client.measured.requests())") {
                client.measured.requests().map(\.phase) == [.heldByCaller, .queued]
            }
            let requests = client.measured.requests()
            #expect(requests.map(\.site) == ["holder", "waiter"])
            #expect(requests.map(\.number.value) == [1, 2])
            #expect(requests.allSatisfy { $0.origin == "http://\(peer.authority)" })
            #expect(requests.map { $0.connection != nil } == [true, false])
            let reading = client.reading()
            #expect(reading.saturation == .connections)
            #expect(reading.oldestLease == requests[0].since)
            #expect(requests[1].since == reading.oldestQueued)
            _ = try await response.body.collect(upTo: 10_000_000)
            #expect(try await waiter.value.text.utf8.count == 9_000_000)
            #expect(client.reading().saturation == [])
        }
        try await peer.stop()
    }

    @Test("A request whose connection is being opened is connecting")
    func connecting() async throws {
        let peer = try FullBacklog()
        try await withMeasuredPool { client in
            let task = Task { try await client.fetch(.to("127.0.0.1:\(peer.port)")) }
            let request = try await client.reaches(.connecting)
            #expect(request.connection == nil && request.moved == nil)
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(client.measured.requests() == [])
        }
    }

    @Test("A peer that does not read, does not respond, and stops in the middle of its response")
    func peers() async throws {
        let gates = (0..<3).map { _ in Gate() }
        let peer = try ScriptedPeer { connection, _ in
            guard let head = try connection.readHeadOnly() else { return }
            try gates[0].wait()
            _ = try connection.readBody(of: head)
            try gates[1].wait()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi")
            try gates[2].wait()
            connection.write("gh")
        }
        try await withMeasuredPool { client in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 16 << 20))
            let task = Task { try await client.fetch(.to(peer.authority, method: .post), body: body) }
            let sending = try await client.reaches(.sending)
            #expect(sending.connection == ConnectionNumber(1))
            gates[0].open()
            let waiting = try await client.reaches(.waitingForHead)
            #expect(waiting.since == sending.since)
            gates[1].open()
            let receiving = try await client.reaches(.receiving)
            #expect(try #require(receiving.moved) >= #require(waiting.moved))
            // The phase is known before the turn that counts the head has ended.
            try await eventually("the head is counted") { try client.onlyOrigin.responses == 1 }
            gates[2].open()
            #expect(try await task.value.text == "high")
            #expect(client.measured.requests() == [])
        }
        try await peer.stop()
    }

    @Test("A caller that does not provide the rest of its body holds the connection")
    func slowBody() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.waitForEnd()
        }
        try await withMeasuredPool { client in
            let body = EarlyResponseTests.EndlessBody()
            let task = Task { try await client.fetch(.to(peer.authority, method: .post), body: body.body()) }
            _ = try await client.reaches(.heldByCaller)
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(try client.outcomes == [.cancelled])
        }
        try await peer.stop()
    }

    @Test("A request on its way is in its phase on HTTP/2 as well")
    func http2() async throws {
        try await withHTTP2Peer(
            """
            def play(c, number):
                stream = c.request()
                c.headers(stream, 200, end=False)
                time.sleep(60)
            """
        ) { client, peer in
            let task = Task { try await client.fetch(peer.request()).status }
            _ = try await client.reaches(.receiving)
            try await eventually("the head is counted") { try client.onlyOrigin.responses == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            try await eventually("\(try client.outcomes)") { try client.outcomes == [.cancelled] }
        }
    }
}

/// How requests that had a connection end.
@Suite("Outcomes of leases")
struct LeaseOutcomeTests {
    /// A peer that writes this to every request, and ends the connection if it does not say how long it is.
    private func outcomes(
        of response: String,
        _ change: (inout PoolConfiguration) -> Void = { _ in },
        collect: Int = 1000
    ) async throws -> [LeaseOutcome] {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.write(response)
            if !response.contains("Connection: close") { connection.waitForEnd() }
        }
        var found: [LeaseOutcome] = []
        try await withMeasuredPool(change) { client in
            do {
                _ = try await client.execute(.to(peer.authority)).body.collect(upTo: collect)
            } catch {}
            try await eventually("nothing is in flight") { client.reading().levels.requests.total == 0 }
            found = try client.outcomes
        }
        try await peer.stop()
        return found
    }

    @Test(
        "A complete response counts by the class of its status",
        arguments: [(200, .success), (299, .success), (304, .redirection), (404, .clientError), (503, .serverError)]
            as [(Int, LeaseOutcome)]
    )
    func complete(status: Int, outcome: LeaseOutcome) async throws {
        #expect(try await outcomes(of: "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n") == [outcome])
    }

    @Test("A redirect that the pool follows is a lease of its own")
    func redirect() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let head = try connection.readHeadOnly() {
                let isFirst = head.hasPrefix("GET /first")
                connection.write("HTTP/1.1 \(isFirst ? 302 : 200) X\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n")
            }
        }
        var options = RequestOptions()
        options.redirects = .follow(limit: 3)
        try await withMeasuredPool { [options] client in
            let status = try await client.fetch(.to(peer.authority, "/first"), options: options).status
            #expect(status == 200)
            #expect(try client.outcomes == [.success, .redirection])
            #expect(try client.onlyOrigin.responses == 2)
        }
        try await peer.stop()
    }

    @Test(
        "A response that is cut off is a lost connection, one that is not HTTP is invalid",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhi", .connectionLost),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi",
                .invalidResponse
            ),
            ("SSH-2.0-OpenSSH_9.2 Connection: close\r\n", .invalidResponse),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: close\r\n\r\n", .invalidResponse),
            ("HTTP/1.1 999 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", .invalidResponse),
        ] as [(String, LeaseOutcome)]
    )
    func broken(response: String, outcome: LeaseOutcome) async throws {
        #expect(try await outcomes(of: response) == [outcome])
    }

    @Test("A response that is larger than the caller wants is dropped, which cancels it")
    func tooLarge() async throws {
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + String(repeating: "x", count: 9_000_000)
        #expect(try await outcomes(of: response, collect: 10) == [.cancelled])
    }

    @Test("A timeout while it holds a connection, by any of the three")
    func timeouts() async throws {
        let silent = { (change: @escaping (inout PoolTimeouts) -> Void) in
            try await outcomes(of: "", { change(&$0.timeouts) })
        }
        #expect(try await silent { $0.read = .milliseconds(100) } == [.timeout])
        #expect(try await silent { $0.total = .milliseconds(100) } == [.timeout])
        let peer = try ScriptedPeer { connection, _ in connection.waitForEndUnread() }
        try await withMeasuredPool {
            $0.timeouts.write = .milliseconds(200)
        } _: { client in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 32 << 20))
            let error = try await poolError {
                _ = try await client.fetch(.to(peer.authority, method: .post), body: body)
            }
            #expect(error.code == .writeTimeout)
            #expect(try client.outcomes == [.timeout])
        }
        try await peer.stop()
    }

    @Test("A request that is sent again ends two leases, the first of them retried")
    func retried() async throws {
        // The second request meets a connection that ends under it.
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readHeadOnly() != nil else { return }
            connection.answer("one")
            guard number == 0 else { return connection.waitForEnd() }
            _ = try connection.readHeadOnly()
        }
        try await withMeasuredPool { client in
            for _ in 0..<2 { _ = try await client.fetch(.to(peer.authority)) }
            #expect(try client.outcomes == [.success, .success, .retried])
            #expect(try client.onlyOrigin.staleRetries == 1)
        }
        try await peer.stop()
    }

    @Test("A request that cannot be sent again, on a dead connection, is lost")
    func lost() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.answer("one")
            _ = try connection.readHeadOnly()
        }
        try await withMeasuredPool { client in
            _ = try await client.fetch(.to(peer.authority))
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority, method: .post)) }
            #expect(error.code == .connectionLost)
            #expect(try client.outcomes == [.success, .connectionLost])
        }
        try await peer.stop()
    }

    private struct Broken: Error {}

    @Test("A body that fails, a response that is dropped, and a shutdown")
    func callers() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")
            connection.waitForEnd()
        }
        try await withMeasuredPool { client in
            let failing = AsyncThrowingStream<[UInt8], any Error> { $0.finish(throwing: Broken()) }
            await #expect(throws: Broken.self) {
                _ = try await client.fetch(.to(peer.authority, method: .post), body: .stream(failing))
            }
            #expect(try client.outcomes == [.callerFailed])
            do { _ = try await client.execute(.to(peer.authority)) }
            try await eventually("it is dropped") { try client.outcomes == [.cancelled, .callerFailed] }
            let held = try await client.execute(.to(peer.authority))
            await client.shutdown(.immediate)
            #expect(try client.outcomes == [.cancelled, .callerFailed, .shutdown])
            withExtendedLifetime(held) {}
        }
        try await peer.stop()
    }
}
