import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// Where the time of a request went. A known time is spent in one place, and must show in the numbers of that place, never
/// less than the test's own clock measured within, nor more than it measured around; and in the numbers of no other place.
@Suite("Where time goes", .serialized)
struct TruthOfTimeTests {
    private let site = CallSite("truth of time")

    private func send(_ client: InstrumentedClient, _ request: HTTPRequest) -> Task<Void, any Error> {
        Task { _ = try await client.fetch(request, options: RequestOptions(site: site)) }
    }

    @Test("A peer that responds late: the time to the head, and the lease")
    func slowHead() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            try gate.wait()
            connection.answer("late")
        }
        try await withMeasuredPool { client in
            let hold = try await Hold(of: client) {
                send(client, .to(peer.authority))
            } until: { reading, phases in
                phases == [.waitingForHead] && reading.levels.requests.inFlight == 1
            } release: {
                gate.open()
            }
            hold.isIn("time_to_head_seconds_sum", "response_wait_seconds_total")
            hold.isIn("lease_seconds_total", "lease_duration_seconds_sum")
            hold.isIn("site_lease_seconds_total", labels: ["site": site.name])
            hold.wasIn("lease_seconds_total", "oldest_lease_seconds")
            hold.isNotIn("wait_seconds_total", "site_wait_seconds_total", "acquire_duration_seconds_sum")
            hold.isNotIn("queue_wait_seconds_sum", "connect_duration_seconds_sum", "queued_seconds_total")
            hold.isIn("connection_seconds_total", labels: ["state": "active"])
        }
        try await peer.stop()
    }

    @Test("A body that comes late: the lease, and not the time to the head")
    func slowBody() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi")
            try gate.wait()
            connection.write("gh")
            connection.waitForEnd()
        }
        try await withMeasuredPool { client in
            let hold = try await Hold(of: client) {
                send(client, .to(peer.authority))
            } until: { reading, phases in
                phases == [.receiving] && reading.origins.contains { $0.responses == 1 }
            } release: {
                gate.open()
            }
            hold.isIn("lease_seconds_total", "lease_duration_seconds_sum", "site_lease_seconds_total")
            hold.isNotIn("time_to_head_seconds_sum", "response_wait_seconds_total", "wait_seconds_total")
            hold.isNotIn("connect_duration_seconds_sum", "acquire_duration_seconds_sum")
        }
        try await peer.stop()
    }

    @Test("A body that the caller does not read: the lease, which the caller holds")
    func unreadBody() async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            let body = String(repeating: "x", count: 9_000_000)
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + body)
            connection.waitForEnd()
        }
        try await withMeasuredPool {
            $0.series.overdueLease = .milliseconds(100)
        } _: { client in
            let gate = Gate()
            let hold = try await Hold(of: client) {
                let response = try await client.execute(
                    .to(peer.authority),
                    body: .none,
                    options: RequestOptions(site: site)
                )
                return Task {
                    try await onThread { try gate.wait() }
                    _ = try await response.body.collect(upTo: 10_000_000)
                }
            } until: { reading, phases in
                phases == [.heldByCaller] && reading.origins.contains { $0.responses == 1 }
            } release: {
                gate.open()
            }
            hold.isIn("lease_seconds_total", "lease_duration_seconds_sum")
            hold.isIn("site_lease_seconds_total", labels: ["site": site.name])
            hold.isNotIn("time_to_head_seconds_sum", "response_wait_seconds_total", "wait_seconds_total")
            #expect(hold.during.value("http_client_pool_overdue_leases", ["held_by": "caller"]) == 1)
            #expect(hold.during.value("http_client_pool_overdue_leases", ["held_by": "peer"]) == 0)
            #expect(hold.atEnd.sum("http_client_pool_overdue_leases") == 0)
        }
        try await peer.stop()
    }

    @Test("A pool that is full: the queue, at the call site that waits")
    func fullPool() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let head = try connection.readHeadOnly() {
                if head.hasPrefix("GET /unread") {
                    let body = String(repeating: "x", count: 9_000_000)
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + body)
                } else {
                    connection.answer("quick")
                }
            }
        }
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
        } _: { client in
            let holder = RequestOptions(site: "truth of time, holder")
            let held = try await client.execute(.to(peer.authority, "/unread"), body: .none, options: holder)
            let hold = try await Hold(of: client) {
                send(client, .to(peer.authority))
            } until: { _, phases in
                phases == [.heldByCaller, .queued]
            } release: {
                _ = try await held.body.collect(upTo: 10_000_000)
            }
            let waiter = ["site": site.name]
            hold.isIn("site_wait_seconds_total", labels: waiter)
            hold.isIn("queued_seconds_total")
            hold.isIn("saturated_seconds_total", labels: ["limit": "connections"])
            hold.wasIn("queued_seconds_total", "oldest_queued_seconds")
            hold.wasIn("site_wait_seconds_total", labels: waiter)
            hold.isNotIn("site_lease_seconds_total", labels: waiter)
            // The holder's own acquisition and head were before the hold.
            let earlier = hold.during.sum("http_client_pool_queue_wait_seconds_sum", ["outcome": "acquired"])
            let all = hold.atEnd.sum("http_client_pool_queue_wait_seconds_sum", ["outcome": "acquired"])
            #expect(all - earlier >= hold.length - 1e-9 && all - earlier <= hold.most + 1e-9)
            let acquired = hold.atEnd.sum("http_client_pool_acquire_duration_seconds_sum", ["outcome": "acquired"])
            #expect(acquired >= all)
            let heads = hold.atEnd.sum("http_client_pool_time_to_head_seconds_sum")
            #expect(heads - hold.during.sum("http_client_pool_time_to_head_seconds_sum") <= hold.after + 1e-9)
        }
        try await peer.stop()
    }

    @Test("A peer that takes long over TLS: the connect and the wait, and neither the queue nor the lease")
    func slowConnect() async throws {
        let certificates = try await TestCertificates()
        let tls = try TLSPeer(try await certificates.signed())
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            try gate.wait()
            let session = try tls.accept(connection)
            while session.readHead() != nil { session.answer("quick") }
        }
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client in
            let hold = try await Hold(of: client) {
                send(client, .to("localhost:\(peer.port)", scheme: "https"))
            } until: { reading, phases in
                phases == [.connecting] && peer.connections == 1 && reading.levels.requests.connecting == 1
            } release: {
                gate.open()
            }
            hold.isIn("connect_duration_seconds_sum", labels: ["outcome": "connected"])
            hold.isIn("acquire_duration_seconds_sum", labels: ["outcome": "acquired"])
            hold.isIn("wait_seconds_total")
            hold.isIn("site_wait_seconds_total", labels: ["site": site.name])
            hold.isIn("connection_seconds_total", labels: ["state": "connecting"])
            hold.wasIn("wait_seconds_total", "site_wait_seconds_total")
            hold.isNotIn("queue_wait_seconds_sum", "queued_seconds_total")
            hold.isNotIn("lease_seconds_total", "lease_duration_seconds_sum", "site_lease_seconds_total")
            hold.isNotIn("time_to_head_seconds_sum", "response_wait_seconds_total")
        }
        try await peer.stop()
    }

    @Test("A peer that takes no connection, until the caller gives up: a failed connect and a failed acquisition")
    func noConnect() async throws {
        let hole = try FullBacklog()
        try await withMeasuredPool { client in
            let running = Mutex<Task<Void, any Error>?>(nil)
            let hold = try await Hold(of: client) {
                let task = send(client, .to("127.0.0.1:\(hole.port)"))
                running.withLock { $0 = task }
                return task
            } until: { reading, phases in
                phases == [.connecting] && reading.levels.connections.connecting == 1
            } release: {
                running.withLock { $0?.cancel() }
            }
            hold.wasIn("wait_seconds_total")
            #expect(hold.atEnd.value("http_client_pool_site_acquire_failures_total", ["site": site.name]) == 1)
            hold.isIn("connect_duration_seconds_sum", "acquire_duration_seconds_sum", labels: ["outcome": "failed"])
            hold.isNotIn("queue_wait_seconds_sum", "lease_seconds_total", "time_to_head_seconds_sum")
        }
    }
}
