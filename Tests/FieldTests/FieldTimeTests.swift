import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Timeouts at the ends of their range, and peers that defeat one of them.
@Suite("Time")
struct FieldTimeTests {
    private static func echo() throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
    }

    private static func all(_ duration: Duration?) -> PoolTimeouts {
        var timeouts = PoolTimeouts()
        (timeouts.connect, timeouts.acquire, timeouts.read) = (duration, duration, duration)
        (timeouts.write, timeouts.total) = (duration, duration)
        return timeouts
    }

    /// A year, about the ends of what 32 and 64 bits hold of milliseconds and nanoseconds, and none.
    private static let long: [Duration?] = [
        .seconds(31_536_000), .milliseconds(Int64(Int32.max)), .milliseconds(Int64(Int32.max) + 1),
        .seconds(Int64(Int32.max) + 1), .seconds(Int64.max / 1_000_000_000), .seconds(Int64.max),
        .milliseconds(Int64.max), nil,
    ]

    // curl/curl #5583, swift-server/async-http-client #457: a long timeout that is due at once, or a trap.
    @Test("Very long timeouts are as good as none, whether the pool's or a request's", arguments: long)
    func longTimeouts(duration: Duration?) async throws {
        let peer = try Self.echo()
        let isAllowed = duration.map { $0 <= .seconds(31_536_000) } ?? true
        try await withMeasuredPool {
            $0.limits.maxConnections = 1
            if isAllowed {
                $0.timeouts = Self.all(duration)
                $0.limits.keepaliveExpiry = duration
                $0.limits.maxConnectionLifetime = duration
            }
        } _: { client in
            var options = RequestOptions()
            options.timeouts = RequestTimeouts(Self.all(duration))
            options.redirects = .follow(limit: 1)
            // Some of them wait in the queue.
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 {
                    group.addTask { [options] in try await client.fetch(.to(peer.authority), options: options).text }
                }
                for try await text in group { #expect(text == "ok") }
            }
            try await client.becomes(idle: 1)
            #expect(try client.onlyOrigin.connectionsOpened == 1)
            await client.shutdown(ShutdownPolicy(queued: .fail, grace: duration ?? .seconds(Int64.max)))
        }
    }

    // RFC 9110 has no word for it. jetty/jetty.project #5150, jhy/jsoup #968, elixir-mint/mint #495: nothing, less
    // than nothing, and what rounds to nothing.
    @Test(
        "A total timeout of nothing, or less, opens no connection and says what it was",
        arguments: [.zero, .seconds(-1), .seconds(Int64.min), .nanoseconds(1)] as [Duration]
    )
    func noTime(total: Duration) async throws {
        let peer = try Self.echo()
        try await withMeasuredPool { client in
            for redirects in [RedirectPolicy.none, .follow()] {
                var options = RequestOptions()
                options.timeouts.total = .after(total)
                options.redirects = redirects
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority), options: options) }
                #expect(error.code == .totalTimeout, "\(error)")
                #expect(error.limit?.setting == .totalTimeout)
            }
            try await client.becomes()
            #expect(peer.connections == 0)
        }
    }

    @Test(
        "A timeout below a millisecond ends the request, and is not taken for none",
        arguments: [true, false]
    )
    func shortTimeouts(isConnect: Bool) async throws {
        let hole = try FullBacklog()
        let mute = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let timeout = isConnect ? \RequestTimeouts.connect : \RequestTimeouts.read
        try await withMeasuredPool { client in
            var options = RequestOptions()
            options.timeouts[keyPath: timeout] = .microseconds(400)
            let port = isConnect ? hole.port : mute.port
            let error = try await poolError { _ = try await client.fetch(.to("127.0.0.1:\(port)"), options: options) }
            #expect(error.code == (isConnect ? .connectTimeout : .readTimeout), "\(error)")
            try await client.becomes()
        }
        try await mute.stop()
    }

    /// What a peer goes on writing, each time before the read timeout is over.
    enum Trickle: String, CaseIterable, Sendable {
        case body = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n|a"
        case chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|1\r\na\r\n"
        case interim = "|HTTP/1.1 103 Early Hints\r\n\r\n"
        case statusLine = "HTTP/1.1 200 |O"
        case fieldLine = "HTTP/1.1 200 OK\r\nX: |a"
        case fields = "HTTP/1.1 200 OK\r\n|X: a\r\n"
        case trailer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n|X: a\r\n"
    }

    // seanmonstar/reqwest #1161: each byte renews the read timeout.
    @Test("A peer that trickles is ended by the total timeout, wherever in the response", arguments: Trickle.allCases)
    func trickle(what: Trickle) async throws {
        let parts = what.rawValue.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil, connection.write(parts[0]) else { return }
            while connection.write(parts[1]) { usleep(100_000) }
        }
        try await withMeasuredPool {
            $0.timeouts.read = .milliseconds(800)
            $0.timeouts.total = .milliseconds(2000)
        } _: { client in
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
            // Trailers are no progress of the body, and their silence is the read timeout's.
            #expect(error.code == .totalTimeout || what == .trailer && error.code == .readTimeout, "\(error)")
            try await client.becomes()
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.requestTimeout] == 1)
            #expect(origin.leases.total == 1)
        }
        try await peer.stop()
    }
}
