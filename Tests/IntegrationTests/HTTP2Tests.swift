import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Many requests on few connections, against a real nginx: how many connections there are, and who waits.
@Suite("HTTP/2: connections and streams")
struct HTTP2Tests {
    private let certificates: TestCertificates
    private let upstream: HoldingUpstream

    init() async throws {
        certificates = try await TestCertificates()
        upstream = try HoldingUpstream()
    }

    private func nginx(streams: Int?) async throws -> Nginx {
        try await Nginx.start(
            locations: upstream.location,
            tls: Nginx.TLS(certificate: try await certificates.signed(), http2Streams: streams)
        )
    }

    private func negotiating(_ configuration: inout PoolConfiguration) {
        configuration.transport.http2 = .negotiated
        configuration.transport.tls.trust = .only(.file(certificates.authority.certificate))
    }

    /// Sends requests for `/held/0`, `/held/1` and so on, in this order.
    private func hold(_ count: Int, _ nginx: Nginx, _ pool: CurlClient, _ journal: Journal) async throws
        -> [Task<String, any Error>]
    {
        var tasks: [Task<String, any Error>] = []
        for number in 0..<count {
            tasks.append(Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) })
            try await eventually("the pool has it") { journal.levels.requests.total == number + 1 }
        }
        return tasks
    }

    /// The most requests that one connection carried, when all that nginx has served were on it at once.
    private func mostOnOne(_ nginx: Nginx) throws -> Int {
        let served = try nginx.served().filter { $0.path.hasPrefix("/held") }
        #expect(served.allSatisfy { $0.version == "HTTP/2.0" })
        return Dictionary(grouping: served, by: \.connection).values.map(\.count).max() ?? 0
    }

    @Test("Two hundred requests at once are on two connections at most, where the peer allows 128 on one")
    func noHerd() async throws {
        let nginx = try await nginx(streams: 128)
        try await withPool(negotiating) { pool, journal in
            let tasks = (0..<200).map { number in
                Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) }
            }
            try await eventually("all are held") { upstream.arrived.count == 200 }
            let levels = journal.levels
            #expect(levels.requests.inFlight == 200)
            #expect(levels.connections.active <= 2)
            #expect(journal.opened == levels.connections.active)
            #expect(try await nginx.status()?.open == levels.connections.active)
            try await eventually("the kernel agrees") {
                try KernelSockets().count(.established, to: nginx.tlsPort) == levels.connections.active
            }
            upstream.letGo(200)
            for task in tasks { #expect(try await task.value == "held") }
            #expect(journal.acquireKinds.count { $0 == .new } == journal.opened)
            #expect(journal.acquireKinds.count { $0 == .multiplexed } == 200 - journal.opened)
            #expect(try mostOnOne(nginx) <= 128)
            // All of it once more, and now nobody has to find anything out.
            let opened = journal.opened
            let more = (0..<200).map { _ in Task { try await pool.text(.get("https", nginx.tlsAuthority)) } }
            for task in more { #expect(try await task.value == "small") }
            #expect(journal.opened <= max(2, opened))
        }
    }

    @Test("Where the peer allows eight, there are as many connections as that takes, with eight on each")
    func fewStreams() async throws {
        let nginx = try await nginx(streams: 8)
        try await withPool(negotiating) { pool, journal in
            let tasks = (0..<60).map { number in
                Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) }
            }
            try await eventually("all are held") { upstream.arrived.count == 60 }
            #expect(journal.opened == 8)
            #expect(journal.levels.connections.active == 8)
            upstream.letGo(60)
            for task in tasks { #expect(try await task.value == "held") }
            #expect(try mostOnOne(nginx) <= 8)
            #expect(journal.closeReasons.isEmpty)
        }
    }

    @Test(
        "The limits hold, and who finds neither connection nor stream waits, first come, first served",
        arguments: [true, false]
    )
    func limits(perOrigin: Bool) async throws {
        let nginx = try await nginx(streams: 8)
        try await withPool {
            negotiating(&$0)
            if perOrigin { $0.limits.maxConnectionsPerOrigin = 3 } else { $0.limits.maxConnections = 3 }
        } _: { pool, journal in
            let tasks = try await hold(60, nginx, pool, journal)
            try await eventually("three times eight are held") { upstream.arrived.count == 24 }
            try await eventually("the others wait") { journal.levels.requests.queued == 36 }
            #expect(journal.levels.requests.inFlight == 24)
            #expect(journal.levels.connections.total == 3)
            // With every one that goes, the next one comes.
            for gone in 1...36 {
                upstream.letGo(1)
                try await eventually("the next one arrives") { upstream.arrived.count == 24 + gone }
                #expect(Set(upstream.arrived) == Set((0..<24 + gone).map { "/held/\($0)" }))
            }
            upstream.letGo(24)
            for task in tasks { #expect(try await task.value == "held") }
            #expect(journal.opened == 3)
        }
    }

    @Test("A server without HTTP/2 gets a connection for each of fifty requests, though none was answered yet")
    func http1Only() async throws {
        let nginx = try await nginx(streams: nil)
        try await withPool(negotiating) { pool, journal in
            let tasks = (0..<50).map { number in
                Task { try await pool.text(.get("https", nginx.tlsAuthority, "/held/\(number)")) }
            }
            try await eventually("all are held") { upstream.arrived.count == 50 }
            #expect(journal.opened == 50)
            #expect(journal.levels.connections.active == 50)
            upstream.letGo(50)
            for task in tasks { #expect(try await task.value == "held") }
            #expect(journal.acquireKinds.allSatisfy { $0 == .new })
            #expect(try nginx.served().allSatisfy { $0.version == "HTTP/1.1" })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        for _ in 0..<20 { try await pool.expect("small", to: .get("https", nginx.tlsAuthority)) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(journal.opened == 50)
            #expect(journal.closeReasons.isEmpty)
        }
    }

    @Test("Over plain TCP it is HTTP/1.1")
    func plain() async throws {
        let nginx = try await nginx(streams: 8)
        try await withPool(negotiating) { pool, journal in
            try await pool.expect("small", to: .get("http", nginx.authority))
            try await pool.expect("small", to: .get("http", nginx.authority))
            #expect(try nginx.served().map(\.version) == ["HTTP/1.1", "HTTP/1.1"])
            #expect(journal.acquireKinds == [.new, .reused])
        }
    }
}
