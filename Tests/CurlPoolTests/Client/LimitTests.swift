import Glibc
import HTTPPool
import HTTPTypes
import LoopbackUpstream
import Synchronization
import TestSupport
import Testing

@testable import CurlPool

@Suite("Limits, timeouts and cancellation")
struct LimitTests {
    @Test("With few connections and 200 requests: never more sockets, first come first served", arguments: [1, 2])
    func neverMoreThanAllowed(connections: Int) async throws {
        let arrivals = Mutex<[Int: [Int]]>([:])
        let allAreWaiting = Gate()
        let peer = try ScriptedPeer { connection, id in
            try allAreWaiting.wait()
            while let (head, _) = try connection.readRequest() {
                let number = Int(head.split(separator: " ")[1].dropFirst()) ?? -1
                arrivals.withLock { $0[id, default: []].append(number) }
                connection.answer("\(number)")
            }
        }
        try await withPool(.with { $0.limits.maxConnections = connections }) { pool, journal in
            var mostSockets = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { try await expectAnswer("\(number)", to: get(peer, "/\(number)"), from: pool) }
                    // One after the other, so that the order of submission is known.
                    try await eventually("\(number) is submitted") { journal.levels.requests.total > number }
                }
                #expect(journal.levels.requests.queued == 200 - connections)
                allAreWaiting.open()
                while !group.isEmpty {
                    mostSockets = max(mostSockets, try KernelSockets().count(to: peer.port))
                    try await group.next()
                }
            }
            #expect(mostSockets == connections)
            #expect(peer.connections == connections)
            // What arrives side by side has no order; on each connection there is one.
            let orders = arrivals.withLock { $0 }
            for order in orders.values { #expect(order == order.sorted()) }
            #expect(orders.values.flatMap { $0 }.sorted() == Array(0..<200))
        }
    }

    @Test("The acquire timeout says how many others wait, in grammatical words")
    func otherWaiters() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool(
            .with {
                $0.limits.maxConnections = 1
                $0.timeouts.acquire = .milliseconds(100)
            }
        ) { pool, journal in
            let held = Task { try await pool.execute(get(peer)) }
            try await eventually("the connection is in use") { journal.levels.connections.active == 1 }
            let errors = await withTaskGroup(of: (any Error)?.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        do {
                            _ = try await pool.execute(get(peer))
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let words = errors.map { ($0 as? PoolError)?.reason.split(separator: "; ").last }
            #expect(
                Set(words) == [
                    "no other request is waiting", "1 other request is waiting", "2 other requests are waiting",
                ]
            )
            held.cancel()
        }
    }

    @Test("The acquire timeout fires on time with an error that names the limit")
    func acquireTimeout() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool(
            .with {
                $0.limits.maxConnections = 2
                $0.timeouts.acquire = .milliseconds(200)
            }
        ) { pool, journal in
            let held = (0..<2).map { _ in Task { try await pool.execute(get(peer)) } }
            try await eventually("both connections are in use") { journal.levels.connections.active == 2 }
            let clock = ContinuousClock()
            let began = clock.now
            do {
                _ = try await pool.execute(get(peer))
                Issue.record("it got a connection")
            } catch let error as PoolError {
                let took = clock.now - began
                #expect(error.code == .acquireTimeout)
                #expect(error.limit == PoolError.Limit(setting: .maxConnections, value: .count(2), source: .code))
                #expect("\(error)".contains("max_connections = 2 (code)"))
                #expect(error.origin?.description == "http://\(peer.authority)")
                // Never early; late only by what the machine is late.
                #expect(took >= .milliseconds(200))
                #expect(took < .seconds(5))
            }
            #expect(journal.acquireFailures == [.timeout])
            for task in held { task.cancel() }
            for task in held { await #expect(throws: CancellationError.self) { try await task.value } }
            #expect(journal.closeReasons == [.requestCancelled, .requestCancelled])
        }
    }

    @Test("The queue's limit refuses at once")
    func queueFull() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool(
            .with {
                $0.limits.maxConnections = 1
                $0.limits.maxQueuedRequests = 1
            }
        ) { pool, journal in
            let held = (0..<2).map { _ in Task { try await pool.execute(get(peer)) } }
            try await eventually("one runs, one waits") { journal.levels.requests.queued == 1 }
            #expect(await code { _ = try await pool.execute(get(peer)) } == .queueFull)
            for task in held { task.cancel() }
        }
    }

    @Test("Cancelling in the queue, in connect and in flight leaves the pool as if the request had never been")
    func cancellation() async throws {
        let backlog = try FullBacklog()
        let authority = "127.0.0.1:\(backlog.port)"
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool(.with { $0.limits.maxConnections = 2 }) { pool, journal in
            let connecting = Task {
                try await pool.execute(HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/"))
            }
            try await eventually("connecting") { journal.levels.connections.connecting == 1 }
            let inFlight = Task { try await pool.execute(get(peer)) }
            try await eventually("in flight") { journal.levels.requests.inFlight == 1 }
            let queued = Task { try await pool.execute(get(peer)) }
            try await eventually("queued") { journal.levels.requests.queued == 1 }
            for task in [queued, connecting, inFlight] {
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(journal.levels == OriginLevels())
            #expect(journal.acquireFailures == [.cancelled, .cancelled])
            #expect(journal.connectFailures == [.cancelled])
            #expect(journal.closeReasons == [.requestCancelled])
            try await eventually("the kernel agrees") { try KernelSockets().count(to: peer.port) == 0 }
            withExtendedLifetime(backlog) {}
        }
    }

    @Test("A slot whose connection was given up in connect is as good as new for the next one")
    func slotAfterCancelledConnect() async throws {
        let backlog = try FullBacklog()
        let hanging = HTTPRequest(
            method: .get,
            scheme: "http",
            authority: "127.0.0.1:\(backlog.port)",
            path: "/"
        )
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                connection.answer("ok", headers: head.contains("/last") ? "Connection: close\r\n" : "")
            }
        }
        try await withPool(.with { $0.limits.maxConnections = 1 }) { pool, journal in
            for round in 1...5 {
                let task = Task { try await pool.execute(hanging) }
                try await eventually("connecting") { journal.levels.connections.connecting == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await expectAnswer("ok", to: get(peer, "/last"), from: pool)
                #expect(journal.closeReasons.last == .responseClose)
                #expect(journal.levels == OriginLevels())
                for _ in 0..<3 { try await expectAnswer("ok", to: get(peer), from: pool) }
                #expect(journal.levels.connections.idle == 1)
                try await eventually("the kernel agrees") {
                    try KernelSockets().count(.established, to: peer.port) == 1
                }
                #expect(journal.opened == 2 * round)
            }
            withExtendedLifetime(backlog) {}
        }
    }

    @Test("A request of a cancelled task is not begun")
    func cancelledBefore() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await withPool { pool, journal in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await pool.execute(get(peer))
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(journal.events.isEmpty)
        }
    }

    @Test("Thousands of requests cancelled at random moments leak nothing")
    func randomCancellation() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        let (answered, cancelled) = (Counter(), Counter())
        try await withPool(.with { $0.limits.maxConnections = 8 }) { pool, journal in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        var random = SplitMix64(seed: UInt64(number))
                        for _ in 0..<50 {
                            let task = Task { try await pool.execute(get(peer)).text }
                            for _ in 0..<Int.random(in: 0..<200, using: &random) { await Task.yield() }
                            task.cancel()
                            do {
                                let text = try await task.value
                                #expect(text == "ok")
                                answered.add(1)
                            } catch is CancellationError {
                                cancelled.add(1)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            // The moments were before and after the response.
            #expect(answered.value > 0 && cancelled.value > 0)
            #expect(journal.levels.requests == RequestLevels())
            let levels = journal.levels.connections
            #expect(levels.active == 0 && levels.connecting == 0)
            #expect(journal.opened - journal.closeReasons.count == levels.idle)
            try await eventually("the kernel agrees") {
                try KernelSockets().count(.established, to: peer.port) == journal.levels.connections.idle
            }
        }
    }

    @Test("A connect that hangs, an answer that does not come and one that stops midway each have their own error")
    func phases() async throws {
        let backlog = try FullBacklog()
        let authority = "127.0.0.1:\(backlog.port)"
        let peer = try ScriptedPeer { connection, _ in
            guard let (head, _) = try connection.readRequest() else { return }
            if head.contains("/half") { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") }
            connection.waitForEnd()
        }
        try await withPool(
            .with {
                $0.timeouts.connect = .milliseconds(100)
                $0.timeouts.read = .milliseconds(150)
            }
        ) { pool, journal in
            let hanging = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/")
            #expect(await code { _ = try await pool.execute(hanging) } == .connectTimeout)
            #expect(await code { _ = try await pool.execute(get(peer)) } == .readTimeout)
            let half = try await pool.execute(get(peer, "/half"))
            #expect(await code { _ = try await half.body.collect() } == .readTimeout)
            var options = RequestOptions()
            options.timeouts.total = .milliseconds(100)
            let total = await code { _ = try await pool.execute(get(peer), body: .none, options: options) }
            #expect(total == .totalTimeout)
            #expect(journal.connectFailures == [.timeout])
            #expect(journal.closeReasons == [.requestTimeout, .requestTimeout, .requestTimeout])
            #expect(journal.levels == OriginLevels())
            withExtendedLifetime(backlog) {}
        }
    }

    @Test("A peer that takes no bytes is a write timeout")
    func writeTimeout() async throws {
        let listener = try ScriptedPeer.listen(backlog: 8)
        defer { close(listener) }
        let request = HTTPRequest(
            method: .post,
            scheme: "http",
            authority: "127.0.0.1:\(ScriptedPeer.port(of: listener))",
            path: "/"
        )
        try await withPool(.with { $0.timeouts.write = .milliseconds(200) }) { pool, _ in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0, count: 64 << 20))
            #expect(await code { _ = try await pool.execute(request, body: body) } == .writeTimeout)
        }
    }

    @Test("What cannot be reached says why")
    func unreachable() async throws {
        try await withPool { pool, journal in
            let refusing = try RefusingPort()
            for (authority, expected) in [
                (refusing.authority, PoolError.Code.connectFailed), ("no.invalid", .dnsFailed),
            ] {
                let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/")
                #expect(await code { _ = try await pool.execute(request) } == expected)
            }
            #expect(journal.connectFailures == [.refused, .dns])
            #expect(journal.acquireFailures == [.connectFailed, .connectFailed])
            withExtendedLifetime(refusing) {}
        }
    }
}
