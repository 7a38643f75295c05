import CurlPool
import FaultServer
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// How connections fail to open, and why they close.
extension Vocabulary {
    private static func answering(_ answer: String = "a") throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer(answer) }
        }
    }

    // MARK: - Connects that fail

    func unknownName() async throws {
        let gate = Gate()
        let names = ScriptedNames(behind: gate)
        try await provoke(resolver: names.resolver) { pool in
            let task = Task { try await pool.client.fetch(.to("unknown.test")) }
            try await pool.shows("resolving", "requests state=connecting", "connections state=connecting")
            gate.open()
            await #expect(throws: PoolError.self) { _ = try await task.value }
            try await pool.shows(
                "connect_failures_total reason=dns",
                "acquire_failures_total reason=connect_failed"
            )
        }
    }

    func failedConnects() async throws {
        let refusing = try RefusingPort()
        let hole = try FullBacklog()
        let plain = try FaultServer(.plainText)
        try await provoke {
            $0.timeouts.connect = .milliseconds(200)
        } _: { pool in
            try await pool.fails(.to(refusing.authority))
            try await pool.fails(.to("127.0.0.1:\(hole.port)"))
            try await pool.fails(.to(plain.authority, scheme: "https"))
            try await pool.shows(
                "connect_failures_total reason=refused",
                "connect_failures_total reason=timeout",
                "connect_failures_total reason=tls"
            )
            var options = RequestOptions()
            options.timeouts.connect = .none
            let task = Task { [options] in
                try await pool.client.fetch(.to("127.0.0.1:\(hole.port)"), options: options)
            }
            try await pool.reaches(.connecting)
            try await pool.shows("requests state=connecting", "site_requests state=connecting")
            task.cancel()
            try await pool.shows("connect_failures_total reason=cancelled")
        }
        try await plain.stop()
    }

    func refusedTunnel() async throws {
        let proxy = try ScriptedProxy(["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"], then: .close)
        try await provoke {
            $0.transport.proxy = .server(PoolProxy.Server(host: "127.0.0.1", port: proxy.peer.port))
        } _: { pool in
            try await pool.fails(.to("origin.test", scheme: "https"))
            try await pool.shows("connect_failures_total reason=other")
        }
    }

    func noDescriptor() async throws {
        let peer = try Self.answering()
        try await provoke { pool in
            // The pool leaves the last eight to the runtime.
            let squeeze = try DescriptorSqueeze(free: 8)
            defer { squeeze.end() }
            try await pool.fails(.to(peer.authority))
            try await pool.shows("connect_failures_total reason=no_descriptor")
        }
    }

    // MARK: - Connections that close

    func idleConnections() async throws {
        let (one, other) = (try Self.answering(), try Self.answering())
        try await provoke {
            $0.limits.keepaliveExpiry = .milliseconds(50)
        } _: { pool in
            _ = try await pool.client.fetch(.to(one.authority))
            try await pool.shows("connections_closed_total reason=idle_expired")
        }
        try await provoke {
            $0.limits.maxIdleConnections = 0
        } _: { pool in
            _ = try await pool.client.fetch(.to(one.authority))
            try await pool.shows("connections_closed_total reason=idle_surplus")
        }
        try await provoke {
            $0.limits.maxConnections = 1
        } _: { pool in
            for peer in [one, other] { _ = try await pool.client.fetch(.to(peer.authority)) }
            try await pool.shows("connections_closed_total reason=evicted")
        }
        try await provoke {
            $0.limits.maxConnectionLifetime = .milliseconds(50)
        } _: { pool in
            _ = try await pool.client.fetch(.to(one.authority))
            try await pool.shows("connections_closed_total reason=max_lifetime")
        }
    }

    func closingPeers() async throws {
        let gate = Gate()
        let closing = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.answer("a")
            try gate.wait()
        }
        let speaking = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.answer("a")
            try gate.wait()
            connection.write("HTTP/1.1 408 Request Timeout\r\n\r\n")
            connection.waitForEnd()
        }
        let announcing = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.answer("a", headers: "Connection: close\r\n")
        }
        try await provoke { pool in
            for peer in [closing, speaking, announcing] { _ = try await pool.client.fetch(.to(peer.authority)) }
            gate.open()
            try await pool.shows(
                "connections_closed_total reason=peer_closed",
                "connections_closed_total reason=unexpected_data",
                "connections_closed_total reason=response_close"
            )
        }
    }

    func silentPeer() async throws {
        let mute = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        try await provoke {
            $0.timeouts.read = .milliseconds(100)
        } _: { pool in
            try await pool.fails(.to(mute.authority))
            try await pool.shows(
                "leases_total outcome=timeout",
                "connections_closed_total reason=request_timeout"
            )
        }
    }

    func http2() async throws {
        let certificates = try await TestCertificates()
        // Two requests at once, and then none any more.
        let script = """
            def play(c, number):
                streams = [c.request(), c.request()]
                for stream in streams:
                    c.headers(stream)
                c.drain()
            """
        let peer = try await HTTP2Peer(try await certificates.signed(), script)
        try await provoke {
            $0.transport.http2 = .negotiated
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.read = .seconds(1)
        } _: { pool in
            let tasks = (0..<2).map { _ in Task { try await pool.client.fetch(peer.request()) } }
            for task in tasks { _ = try await task.value }
            try await pool.shows("acquires_total kind=multiplexed")
            try await pool.fails(peer.request())
            try await pool.shows("connections_closed_total reason=unresponsive")
        }
    }
}
