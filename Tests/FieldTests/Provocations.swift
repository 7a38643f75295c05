import CurlPool
import FaultServer
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What a server, a network or a caller does, so that a number of the pool moves. Each expects its own numbers in the
/// text of a scrape.
extension Vocabulary {
    private static func peer(_ response: @escaping @Sendable (String) -> String) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let head = try connection.readHeadOnly() { connection.write(response(head)) }
        }
    }

    /// Responds with the status that the path names.
    private static func statuses() throws -> ScriptedPeer {
        // It takes a moment, since a wait of less than the resolution of the pool's clock is 0.
        try peer { head in
            _ = usleep(5000)
            return "HTTP/1.1 \(head.split(separator: " ")[1].dropFirst()) X\r\nContent-Length: 0\r\n\r\n"
        }
    }

    /// Writes this to a request, and nothing more.
    private static func once(_ response: String, closes: Bool = true) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.write(response)
            if !closes { connection.waitForEnd() }
        }
    }

    // MARK: - Responses

    func completeResponses() async throws {
        let peer = try Self.statuses()
        try await provoke { pool in
            for status in [200, 304, 404, 503] { _ = try await pool.client.fetch(.to(peer.authority, "/\(status)")) }
            try await pool.shows(
                "acquires_total kind=new",
                "acquires_total kind=reused",
                "leases_total outcome=2xx",
                "leases_total outcome=3xx",
                "leases_total outcome=4xx",
                "leases_total outcome=5xx",
                "reuse_ratio",
                "responses_total",
                "response_wait_seconds_total",
                "connections state=idle"
            )
        }
    }

    func brokenResponses() async throws {
        let short = try Self.once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")
        let foreign = try Self.once("SSH-2.0-OpenSSH_9.2\r\n")
        try await provoke { pool in
            try await pool.fails(.to(short.authority))
            try await pool.fails(.to(foreign.authority))
            try await pool.shows(
                "leases_total outcome=connection_lost",
                "leases_total outcome=invalid_response",
                "connections_closed_total reason=error"
            )
        }
    }

    func deadConnection() async throws {
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readHeadOnly() != nil else { return }
            connection.answer("one")
            guard number == 0 else { return connection.waitForEnd() }
            _ = try connection.readHeadOnly()
        }
        try await provoke { pool in
            for _ in 0..<2 { _ = try await pool.client.fetch(.to(peer.authority)) }
            try await pool.shows("leases_total outcome=retried", "stale_retries_total")
        }
    }

    // MARK: - Callers

    private struct Broken: Error {}

    func callers() async throws {
        let peer = try Self.once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", closes: false)
        try await provoke {
            $0.limits.maxConnections = 1
        } _: { pool in
            let failing = AsyncThrowingStream<[UInt8], any Error> { $0.finish(throwing: Broken()) }
            try await pool.fails(.to(peer.authority, method: .post), body: .stream(failing))
            do { _ = try await pool.client.execute(.to(peer.authority)) }
            try await pool.shows(
                "leases_total outcome=caller_failed",
                "leases_total outcome=cancelled",
                "connections_closed_total reason=request_cancelled"
            )
            let held = try await pool.client.execute(.to(peer.authority))
            let queued = Task { try await pool.client.fetch(.to(peer.authority)) }
            try await pool.shows("requests state=queued", "connections state=active")
            await pool.client.shutdown(.immediate)
            await #expect(throws: PoolError.self) { _ = try await queued.value }
            try await pool.shows(
                "leases_total outcome=shutdown",
                "acquire_failures_total reason=shutdown",
                "connections_closed_total reason=shutdown"
            )
            withExtendedLifetime(held) {}
        }
    }

    func overdueLeases() async throws {
        let half = try Self.once("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi", closes: false)
        let whole = try Self.once(
            "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + String(repeating: "x", count: 9_000_000)
        )
        try await provoke {
            $0.series.overdueLease = .milliseconds(50)
        } _: { pool in
            let waiting = Task { try await pool.client.fetch(.to(half.authority)) }
            let held = try await pool.client.execute(.to(whole.authority))
            try await pool.shows(
                "overdue_leases held_by=peer",
                "overdue_leases held_by=caller",
                "oldest_lease_seconds"
            )
            waiting.cancel()
            withExtendedLifetime(held) {}
        }
    }

    func phases() async throws {
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
        try await provoke { pool in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0x78, count: 16 << 20))
            let task = Task { try await pool.client.fetch(.to(peer.authority, method: .post), body: body) }
            for (index, phase) in [RequestPhase.sending, .waitingForHead, .receiving].enumerated() {
                try await pool.reaches(phase)
                gates[index].open()
            }
            _ = try await task.value
        }
        let endless = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.waitForEnd()
        }
        try await provoke { pool in
            let body = EarlyResponseTests.EndlessBody()
            let task = Task { try await pool.client.fetch(.to(endless.authority, method: .post), body: body.body()) }
            try await pool.reaches(.heldByCaller)
            task.cancel()
        }
    }

    // MARK: - The queue

    func queue() async throws {
        let peer = try Self.once("", closes: false)
        try await provoke {
            $0.limits.maxConnections = 1
            $0.limits.maxQueuedRequests = 1
        } _: { pool in
            let holder = Task { try await pool.client.fetch(.to(peer.authority)) }
            try await pool.shows("requests state=in_flight", "site_requests state=in_flight")
            var options = RequestOptions()
            options.timeouts.acquire = .after(.milliseconds(50))
            try await pool.fails(.to(peer.authority), options: options)
            let waiter = Task { try await pool.client.fetch(.to(peer.authority)) }
            try await pool.shows(
                "requests state=queued",
                "site_requests state=queued",
                "saturated limit=connections",
                "oldest_queued_seconds",
                "queued_peak"
            )
            try await pool.fails(.to(peer.authority))
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
            try await pool.shows(
                "acquire_failures_total reason=timeout",
                "acquire_failures_total reason=rejected",
                "acquire_failures_total reason=cancelled",
                "limit_waits_total limit=connections",
                "saturated_seconds_total limit=connections",
                "saturated limit=none"
            )
            holder.cancel()
        }
    }

    func queueOfAnOrigin() async throws {
        let peer = try Self.once("", closes: false)
        try await provoke {
            $0.limits.maxConnectionsPerOrigin = 1
        } _: { pool in
            let tasks = (0..<2).map { _ in Task { try await pool.client.fetch(.to(peer.authority)) } }
            try await pool.shows(
                "limit_waits_total limit=connections_per_origin",
                "saturated limit=connections_per_origin",
                "saturated_seconds_total limit=connections_per_origin"
            )
            for task in tasks { task.cancel() }
        }
    }

    // MARK: - The pool itself

    func stalledThread() async throws {
        try await provoke { pool in
            let gate = Gate()
            let blocker = Task(executorPreference: pool.client.pool.executor) { try gate.wait() }
            try await pool.shows("driver_stall_seconds")
            gate.open()
            try await blocker.value
        }
    }

    func changedLimits() async throws {
        try await provoke { pool in
            var configuration = pool.client.pool.configuration
            configuration.limits.maxConnections = 7
            try await pool.client.pool.reconfigure(configuration)
            pool.client.measured.noteReload(succeeded: true)
            try await pool.shows("config_changes_total", "config_last_reload_successful")
            pool.client.measured.noteReload(succeeded: false)
            try await pool.shows("config_reload_failures_total")
        }
    }
}
