import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Looking names up: once for all who want one, on few threads, and anew when an address proved bad (Go's singleflight in
/// net/lookup.go; curl/curl #2581; dotnet/runtime #48566; apple/swift-nio #536).
@Suite("Look-ups")
struct LookUpTests {
    private let port: SharedPort

    init() throws { port = try SharedPort() }

    private func text(_ client: InstrumentedClient, _ host: String = "name.test") async throws -> Substring {
        try await client.fetch(.to("\(host):\(port.number)")).text.prefix { $0 != "|" }
    }

    @Test("Fifty requests to a name that is not known are one look-up, which shows while it lasts")
    func single() async throws {
        let peer = try port.peer(2, says: "peer")
        let gate = Gate()
        let names = ScriptedNames(["name.test": ["127.0.0.2"]], behind: gate)
        try await withMeasuredPool(names: names) { client async throws in
            let tasks = (0..<50).map { _ in Task { try await self.text(client) } }
            try await client.becomes(connecting: 50)
            #expect(client.reading().resolving == 1)
            #expect(client.reading().levels.requests.connecting == 50)
            gate.open()
            for task in tasks { #expect(try await task.value == "peer") }
            #expect(names.asked == ["name.test"])
            #expect(client.reading().resolving == 0)
            let origin = try client.onlyOrigin
            #expect(origin.acquires.total == 50)
            #expect(origin.connectFailures.total == 0)
        }
        try await peer.stop()
    }

    @Test("Two pools share a look-up, and each shows it as its own")
    func shared() async throws {
        let peer = try port.peer(2, says: "peer")
        let gate = Gate()
        let names = ScriptedNames(["name.test": ["127.0.0.2"]], behind: gate)
        let resolver = names.resolver
        try await withMeasuredPool(resolver: resolver) { one in
            try await withMeasuredPool(resolver: resolver) { other in
                let tasks = [one, other].map { client in Task { try await self.text(client) } }
                for client in [one, other] {
                    try await eventually("it waits") { client.reading().resolving == 1 }
                }
                gate.open()
                for task in tasks { #expect(try await task.value == "peer") }
                #expect(names.asked == ["name.test"])
            }
        }
        try await peer.stop()
    }

    @Test("A resolver that hangs costs four threads and no descriptor, however many requests come and give up")
    func hangs() async throws {
        let gate = Gate()
        let names = ScriptedNames(behind: gate)
        try await withMeasuredPool(names: names) {
            $0.limits.maxConnections = 20
            $0.timeouts.acquire = .milliseconds(100)
            $0.timeouts.connect = .milliseconds(200)
        } _: { client async throws in
            let descriptors = try Descriptors.count()
            let failed = Counter()
            // 40 a second for three seconds, to thirty names.
            var tasks: [Task<Void, any Error>] = []
            for number in 0..<120 {
                tasks.append(
                    Task {
                        let error = try await poolError { _ = try await self.text(client, "hangs-\(number % 30).test") }
                        #expect([.connectTimeout, .acquireTimeout].contains(error.code), "\(error)")
                        failed.add(1)
                    }
                )
                try await Task.sleep(for: .milliseconds(25))
                let reading = client.reading()
                #expect(try #require(reading.resolving) <= 20)
                #expect(reading.levels.connections.connecting <= 20)
                #expect(try Self.resolverThreads() <= 4)
            }
            let kinds = try Descriptors.kinds()
            #expect(try Descriptors.count() <= descriptors, "\(kinds)")
            for task in tasks { try await task.value }
            #expect(failed.value == 120)
            // All have given up. What the threads had begun goes on; nothing else was ever begun.
            #expect(names.mostRunning == 4)
            #expect(names.asked.count == 4)
            #expect(client.reading().resolving == 0)
            gate.open()
            try await eventually("the threads end") { try Self.resolverThreads() == 0 }
            #expect(names.asked.count == 4)
        }
    }

    /// The threads of this process that look names up.
    private static func resolverThreads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { id in
            // One may be gone by now.
            (try? String(contentsOfFile: "/proc/self/task/\(id)/comm", encoding: .utf8)) == "poolscope-dns\n"
        }
    }

    @Test(
        "A request can be cancelled while its name is looked up; its slot is free then, and the result has nobody to go to"
    )
    func cancelled() async throws {
        let peer = try port.peer(2, says: "peer")
        let gate = Gate()
        let names = ScriptedNames(["name.test": ["127.0.0.2"]], behind: gate)
        try await withMeasuredPool(names: names) {
            $0.limits.maxConnections = 1
        } _: { client async throws in
            let first = Task { try await self.text(client) }
            try await client.becomes(connecting: 1)
            let second = Task { try await self.text(client) }
            try await eventually("it queues") { client.reading().levels.requests.queued == 1 }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            // The slot is the second's now, which waits for the same look-up.
            try await eventually("it has the slot") { client.reading().levels.requests.queued == 0 }
            #expect(client.reading().resolving == 1)
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            #expect(client.reading().resolving == 0)
            #expect(client.reading().levels == OriginLevels())
            gate.open()
            #expect(try await text(client) == "peer")
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.cancelled] == 2)
            #expect(origin.connectionsOpened == 1)
        }
        try await peer.stop()
    }

    @Test("A shutdown does not wait for a look-up, and a late result is nothing to it", arguments: [0, 1])
    func shutdown(grace: Int) async throws {
        let gate = Gate()
        let names = ScriptedNames(["name.test": ["127.0.0.2"]], behind: gate)
        try await withMeasuredPool(names: names) { client async throws in
            let task = Task { try await poolError { _ = try await self.text(client) } }
            try await client.becomes(connecting: 1)
            await client.shutdown(ShutdownPolicy(queued: .fail, grace: .milliseconds(50 * grace)))
            let error = try await task.value
            #expect(error.code == .shutdown)
            #expect(error.phase == .connect)
            #expect(client.reading().resolving == 0)
            gate.open()
            try await eventually("the look-up ends") { names.running == 0 }
        }
    }

    @Test("Requests that share the connection which waits for its name go on when the one that opens it is cancelled")
    func openerIsCancelled() async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            tls: Nginx.TLS(certificate: try await certificates.signed(for: "name.test"), http2Streams: 8)
        )
        let gate = Gate()
        let names = ScriptedNames(["name.test": ["127.0.0.1"]], behind: gate)
        try await withMeasuredPool(names: names) {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client async throws in
            let request = HTTPRequest.to("name.test:\(nginx.tlsPort)", "/small", scheme: "https")
            let opener = Task { try await client.fetch(request).text }
            try await client.becomes(connecting: 1)
            let others = (0..<5).map { _ in Task { try await client.fetch(request).text } }
            try await eventually("they share it") { client.reading().levels.requests.connecting == 6 }
            #expect(client.reading().levels.connections.connecting == 1)
            opener.cancel()
            await #expect(throws: CancellationError.self) { try await opener.value }
            #expect(client.reading().resolving == 1)
            gate.open()
            for task in others { #expect(try await task.value == "small") }
            #expect(names.asked == ["name.test"])
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.connectFailures[.cancelled] == 1)
            #expect(origin.acquires.total == 5)
        }
    }

    @Test("A body that breaks while the name is looked up ends the request")
    func bodyBreaks() async throws {
        struct Broken: Error {}
        let gate = Gate()
        let names = ScriptedNames(behind: gate)
        try await withMeasuredPool(names: names) { client async throws in
            let (chunks, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
            let task = Task {
                try await client.execute(
                    .to("name.test", method: .post),
                    body: .stream(chunks),
                    options: RequestOptions()
                )
            }
            try await client.becomes(connecting: 1)
            task.cancel()
            continuation.finish(throwing: Broken())
            await #expect(throws: (any Error).self) { try await task.value }
            try await client.becomes()
            gate.open()
        }
    }

    @Test("A name that does not resolve fails all who wait, once, and is looked up again by the next")
    func unknown() async throws {
        let peer = try port.peer(2, says: "peer")
        let gate = Gate()
        let names = ScriptedNames(behind: gate)
        try await withMeasuredPool(names: names) { client async throws in
            let tasks = (0..<10).map { _ in Task { try await poolError { _ = try await self.text(client) } } }
            try await client.becomes(connecting: 10)
            gate.open()
            for task in tasks {
                let error = try await task.value
                #expect(error.code == .dnsFailed)
                #expect(error.phase == .connect)
            }
            #expect(names.asked.count == 1)
            #expect(try client.onlyOrigin.connectFailures[.dns] == 10)
            #expect(client.reading().resolving == 0)
            names["name.test"] = .success(["127.0.0.2"])
            #expect(try await text(client) == "peer")
            names["name.test"] = .failure(.failed("words of the system's"))
        }
        try await withMeasuredPool(names: names) { client async throws in
            let error = try await poolError { _ = try await text(client) }
            #expect(error.reason.contains("words of the system's"))
        }
        try await peer.stop()
    }

    @Test("The name moves and the old address refuses: the next connection looks it up anew")
    func moves() async throws {
        let old = try port.peer(2, says: "old", closes: true)
        let new = try port.peer(3, says: "new", closes: true)
        let names = ScriptedNames(["name.test": ["127.0.0.2"]])
        try await withMeasuredPool(names: names) { client async throws in
            #expect(try await text(client) == "old")
            #expect(try await text(client) == "old")
            #expect(names.asked.count == 1, "it is known")
            try await old.stop()
            let refusing = try port.refusing(2)
            names["name.test"] = .success(["127.0.0.3"])
            let error = try await poolError { _ = try await text(client) }
            #expect(error.code == .connectFailed)
            #expect(try await text(client) == "new")
            #expect(names.asked.count == 2)
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.refused] == 1)
            #expect(origin.connectFailures.total == 1)
            #expect(origin.connectionsOpened == 3)
            withExtendedLifetime(refusing) {}
        }
        try await new.stop()
    }

    @Test("The name moves and the old address swallows SYNs: the next connection looks it up anew")
    func movesFromBlackHole() async throws {
        let new = try port.peer(3, says: "new")
        let hole = try port.blackHole(2)
        let names = ScriptedNames(["name.test": ["127.0.0.2"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .milliseconds(400)
        } _: { client async throws in
            let error = try await poolError { _ = try await text(client) }
            #expect(error.code == .connectTimeout)
            names["name.test"] = .success(["127.0.0.3"])
            #expect(try await text(client) == "new")
            #expect(try client.onlyOrigin.connectFailures[.timeout] == 1)
        }
        withExtendedLifetime(hole) {}
        try await new.stop()
    }

    @Test("With a cache of no time each connection looks up, and those of one moment share it")
    func noCache() async throws {
        let peer = try port.peer(2, says: "peer", closes: true)
        let names = ScriptedNames(["name.test": ["127.0.0.2"]])
        try await withMeasuredPool(names: names) {
            $0.transport.dnsCache = .zero
        } _: { client async throws in
            for _ in 0..<3 { #expect(try await text(client) == "peer") }
            #expect(names.asked.count == 3)
        }
        try await withMeasuredPool(names: names) {
            $0.transport.dnsCache = .milliseconds(1)
        } _: { client async throws in
            #expect(try await text(client) == "peer")
            try await eventually("what is known is too old") {
                let asked = names.asked.count
                let found = try await text(client)
                return found == "peer" && names.asked.count > asked
            }
        }
        try await peer.stop()
    }
}
