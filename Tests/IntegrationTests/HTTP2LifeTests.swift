import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// What befalls a connection that carries many requests, against a real nginx.
@Suite("HTTP/2: a connection's life")
struct HTTP2LifeTests {
    private let certificates: TestCertificates
    private let folder: URL

    init() async throws {
        certificates = try await TestCertificates()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("h2-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func nginx(
        _ locations: String = "",
        streams: Int = 128,
        keepaliveTimeout: Int = 75,
        keepaliveRequests: Int = 1_000_000
    ) async throws -> Nginx {
        try await Nginx.start(
            locations: "client_max_body_size 1g; location /files { alias \(folder.path); } \(locations)",
            keepaliveTimeout: keepaliveTimeout,
            keepaliveRequests: keepaliveRequests,
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: streams)
        )
    }

    private func withHTTP2(
        _ change: (inout PoolConfiguration) -> Void = { _ in },
        _ body: (CurlClient, Journal) async throws -> Void
    ) async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withPool(
            {
                $0.transport.http2 = .negotiated
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
                change(&$0)
            },
            body
        )
    }

    private func file(_ name: String, bytes: Int) throws -> [UInt8] {
        let random = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/urandom"))
        let content = try [UInt8](random.read(upToCount: bytes) ?? Data())
        try #require(content.count == bytes)
        try Data(content).write(to: folder.appendingPathComponent(name))
        return content
    }

    // MARK: The peer ends it

    /// GETs, PUTs and POSTs from many tasks at once: all but POSTs have their answers, and no POST is carried out twice.
    private func load(_ pool: CurlClient, _ nginx: Nginx, rounds: Range<Int>) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<24 {
                group.addTask {
                    var failed = 0
                    for round in rounds {
                        try await pool.expect("ok", to: .get("https", nginx.tlsAuthority, "/get/\(worker)/\(round)"))
                        let put = HTTPRequest(
                            method: .put,
                            scheme: "https",
                            authority: nginx.tlsAuthority,
                            path: "/put/\(worker)/\(round)"
                        )
                        try await pool.expect("ok", to: put, body: "abc")
                        var post = put
                        (post.method, post.path) = (.post, "/post/\(worker)/\(round)")
                        do {
                            try await pool.expect("ok", to: post, body: "abc")
                        } catch let error as PoolError {
                            #expect(error.code == .connectionLost, "\(error)")
                            failed += 1
                        }
                    }
                    return failed
                }
            }
            return try await group.reduce(0, +)
        }
    }

    private func expectOnce(_ nginx: Nginx, rounds: Int, failed: Int) throws {
        let posts = 24 * rounds
        let served = try nginx.served()
        let carriedOut = served.filter { $0.method == "POST" }.map(\.path)
        #expect(Set(carriedOut).count == carriedOut.count)
        #expect(carriedOut.count >= posts - failed)
        for (method, path) in [("GET", "/get/"), ("PUT", "/put/")] {
            let paths = served.filter { $0.method == method && $0.path.hasPrefix(path) }.map(\.path)
            #expect(Set(paths).count == posts)
        }
        print("HTTP/2, connections that end under load: \(posts) POSTs, \(failed) of them failed")
    }

    private let answersOK =
        "location /get { return 200 ok; } location /put { return 200 ok; } location /post { return 200 ok; }"

    @Test(
        "A peer that ends every connection after twenty requests costs no GET and no PUT, and no POST is carried out twice"
    )
    func goAway() async throws {
        let nginx = try await nginx(answersOK, keepaliveRequests: 20)
        try await withHTTP2 { pool, journal in
            let failed = try await load(pool, nginx, rounds: 0..<40)
            try expectOnce(nginx, rounds: 40, failed: failed)
            // 2880 requests, twenty on a connection, and those that are open at the end.
            #expect(journal.closeReasons.count >= 100)
        }
    }

    @Test("A peer that is reloaded under load costs no GET and no PUT, and no POST is carried out twice")
    func reload() async throws {
        let nginx = try await nginx(answersOK)
        try await withHTTP2 { pool, journal in
            var failed = 0
            for burst in 0..<4 {
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                let running = Task { try await load(pool, nginx, rounds: burst * 20..<burst * 20 + 20) }
                let before = journal.acquireKinds.count
                try await eventually("there is load") { journal.acquireKinds.count > before + 200 }
                nginx.reload()
                failed += try await running.value
                // The old worker ends its connections when nothing is on them.
                try await eventually("they are closed") { journal.closeReasons.count > burst }
            }
            try expectOnce(nginx, rounds: 80, failed: failed)
        }
    }

    @Test("A peer that goes under load leaves errors of the pool, and nothing behind")
    func stop() async throws {
        let upstream = try HoldingUpstream()
        let nginx = try await nginx(upstream.location)
        try await withHTTP2 { pool, journal in
            let held = (0..<20).map { number in
                Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) }
            }
            try await eventually("all are held") { upstream.arrived.count == 20 }
            let busy = (0..<20).map { _ in
                Task { while true { _ = try await pool.text(.get("https", nginx.tlsAuthority)) } }
            }
            try await eventually("there is load") { journal.acquireKinds.count > 200 }
            try await nginx.stop()
            for task in held {
                let error = try await poolError { _ = try await task.value }
                #expect([.connectionLost, .connectFailed, .tlsFailed].contains(error.code), "\(error)")
            }
            for task in busy {
                let error = try await poolError { _ = try await task.value }
                #expect([.connectionLost, .connectFailed, .tlsFailed].contains(error.code), "\(error)")
            }
            #expect(journal.levels == OriginLevels())
            #expect(try KernelSockets().count(to: nginx.tlsPort) == 0)
        }
        upstream.letGo(20)
    }

    // MARK: One stream among others

    @Test("A request that is cancelled, and one that times out, leave the connection to the others")
    func oneStreamEnds() async throws {
        let (upstream, another) = (try HoldingUpstream(), try HoldingUpstream(path: "/another"))
        let nginx = try await nginx(upstream.location + another.location)
        try await withHTTP2 { pool, journal in
            let tasks = (0..<6).map { number in
                Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) }
            }
            try await eventually("all are held") { upstream.arrived.count == 6 }
            var options = RequestOptions()
            options.timeouts.read = .milliseconds(50)
            let late = try await poolError {
                _ = try await pool.execute(.get("https", nginx.tlsAuthority, "/held/6"), body: .none, options: options)
            }
            #expect(late.code == .readTimeout)
            for task in tasks[..<3] { task.cancel() }
            for task in tasks[..<3] { await #expect(throws: CancellationError.self) { try await task.value } }
            #expect(journal.levels.connections.active == 1)
            #expect(journal.levels.requests.inFlight == 3)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            upstream.letGo(7)
            for task in tasks[3...] { #expect(try await task.value == "held") }
            // Also when nobody else is on it.
            let last = Task { try await pool.text(.get("https", nginx.tlsAuthority, "/another")) }
            try await eventually("it is held") { another.arrived.count == 1 }
            last.cancel()
            await #expect(throws: CancellationError.self) { try await last.value }
            #expect(journal.levels.connections.idle == 1)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            #expect(journal.opened == 1)
            #expect(journal.closeReasons.isEmpty)
        }
        another.letGo(1)
    }

    /// Somebody who has read the beginning of a body, on a connection that has served another request.
    private func begunReader(
        of path: String,
        _ pool: CurlClient,
        _ nginx: Nginx
    ) async throws -> (reader: HTTPResponseBody.Iterator, read: [UInt8]) {
        try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
        var reader = try await pool.execute(.get("https", nginx.tlsAuthority, path)).body.makeAsyncIterator()
        let read = try #require(try await reader.next())
        return (reader, read)
    }

    @Test("A paused reader holds up nobody else on the connection, and gets all of it in the end")
    func slowReader() async throws {
        let content = try file("large", bytes: 8 << 20)
        let nginx = try await nginx()
        try await withHTTP2 { pool, journal in
            var (reader, read) = try await begunReader(of: "/files/large", pool, nginx)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        for _ in 0..<20 { try await pool.expect("small", to: .get("https", nginx.tlsAuthority)) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(journal.levels.requests.inFlight == 1)
            while let chunk = try await reader.next() { read += chunk }
            #expect(read == content)
            #expect(journal.opened == 1)
            #expect(journal.acquireKinds.count { $0 == .multiplexed } >= 400)
        }
    }

    @Test("A paused reader costs no processor time when the others of the connection have ended")
    func standingStill() async throws {
        let content = try file("large", bytes: 64 << 20)
        let nginx = try await nginx()
        try await withHTTP2 { pool, journal in
            var (reader, read) = try await begunReader(of: "/files/large", pool, nginx)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            let start = (clock: ContinuousClock.now, processor: clock())
            try await eventually("half a second has passed") { ContinuousClock.now - start.clock > .seconds(0.5) }
            #expect(clock() - start.processor < CLOCKS_PER_SEC / 4)
            while let chunk = try await reader.next() { read += chunk }
            #expect(read == content && journal.opened == 1)
        }
    }

    @Test("A request that the peer resets fails alone, and is not sent again: the connection is well")
    func reset() async throws {
        let nginx = try await nginx("location /reset { return 444; }")
        try await withHTTP2 { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            let error = try await poolError { _ = try await pool.text(.get("https", nginx.tlsAuthority, "/reset")) }
            #expect(error.code == .connectionLost)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            try await eventually("nginx has noted them") { try nginx.served().count == 3 }
            #expect(try nginx.served().count { $0.path == "/reset" } == 1)
            #expect(journal.opened == 1)
            #expect(journal.staleRetries == 0)
        }
    }

    @Test("A body that nobody reads on ends its stream alone")
    func discarded() async throws {
        _ = try file("large", bytes: 8 << 20)
        let nginx = try await nginx()
        try await withHTTP2 { pool, journal in
            for _ in 0..<20 {
                let response = try await pool.execute(.get("https", nginx.tlsAuthority, "/files/large"))
                response.body.discard()
            }
            try await eventually("none is in flight") { journal.levels.requests.inFlight == 0 }
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            #expect(journal.opened == 1, "\(journal.events)")
        }
    }

    @Test("Large bodies come whole, several at once on one connection")
    func large() async throws {
        let contents = try (0..<4).map { try file("\($0)", bytes: 6 << 20) }
        let nginx = try await nginx()
        try await withHTTP2 { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, content) in contents.enumerated() {
                    group.addTask {
                        let response = try await pool.execute(.get("https", nginx.tlsAuthority, "/files/\(number)"))
                        #expect(try await response.body.collect() == content)
                    }
                }
                try await group.waitForAll()
            }
            #expect(journal.opened == 1)
        }
    }

    @Test("A body is sent as a stream, several at once, and arrives whole")
    func upload() async throws {
        let bodies = Bodies()
        let peer = try ScriptedPeer { connection, _ in
            guard let (_, body) = try connection.readRequest() else { return }
            bodies.list.withLock { $0.append(body) }
            connection.answer("taken")
        }
        let nginx = try await nginx("location /put { proxy_pass http://\(peer.authority); }")
        let chunks = (0..<48).map { number in [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32 << 10) }
        let whole = chunks.flatMap { $0 }
        try await withHTTP2 { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let put = HTTPRequest(
                            method: .put,
                            scheme: "https",
                            authority: nginx.tlsAuthority,
                            path: "/put"
                        )
                        let stream = AsyncStream { continuation in
                            for chunk in chunks { continuation.yield(chunk) }
                            continuation.finish()
                        }
                        let body = HTTPRequestBody.stream(stream, length: number % 2 == 0 ? whole.count : nil)
                        try await pool.expect("taken", to: put, body: body)
                    }
                }
                try await group.waitForAll()
            }
            #expect(bodies.list.withLock { $0.count } == 6)
            #expect(bodies.list.withLock { $0.allSatisfy { $0 == whole } })
            #expect(journal.opened == 1)
        }
    }

    private final class Bodies: Sendable {
        let list = Mutex<[[UInt8]]>([])
    }

    // MARK: Idle

    @Test("An idle connection is used again after some seconds")
    func idle() async throws {
        let nginx = try await nginx()
        try await withHTTP2 { pool, journal in
            for _ in 0..<2 {
                try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
                try await Task.sleep(for: .seconds(2))
            }
            #expect(journal.acquireKinds == [.new, .reused])
        }
    }

    @Test("An idle connection is closed by a timer when it has been idle for long")
    func idleExpires() async throws {
        let nginx = try await nginx()
        try await withHTTP2 {
            $0.limits.keepaliveExpiry = .milliseconds(200)
        } _: { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            try await eventually("it is closed") { journal.closeReasons == [.idleExpired] }
            try await eventually("the kernel agrees") { try KernelSockets().count(to: nginx.tlsPort) == 0 }
        }
    }

    @Test("A peer that ends an idle connection is noticed at once")
    func peerEndsIdle() async throws {
        let nginx = try await nginx(keepaliveTimeout: 1)
        try await withHTTP2 { pool, journal in
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            try await eventually("it is closed") { journal.closeReasons == [.peerClosed] }
            #expect(try KernelSockets().count(.closeWait, to: nginx.tlsPort) == 0)
            try await pool.expect("small", to: .get("https", nginx.tlsAuthority))
            #expect(journal.acquireKinds == [.new, .new])
            #expect(journal.staleRetries == 0)
        }
    }
}
