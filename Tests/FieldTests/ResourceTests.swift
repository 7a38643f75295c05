import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What is left of requests that failed, or whose responses nobody read: nothing.
@Suite("Resources", .serialized)
struct ResourceTests {
    /// Bytes of memory that the process has in use.
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    // nim-lang/Nim #12381, aesiniath/http-streams #44.
    /// A leak of a kilobyte each would add a mebibyte to every round. The allocator's own growth comes to an end.
    @Test("A thousand refused connections leave no descriptor and no memory")
    func refusedConnections() async throws {
        let refusing = try RefusingPort()
        let request = HTTPRequest.to(refusing.authority)
        try await withMeasuredPool { client in
            func round() async throws {
                try await withThrowingTaskGroup(of: PoolError.self) { group in
                    for _ in 0..<1000 { group.addTask { try await poolError { _ = try await client.fetch(request) } } }
                    for try await error in group { #expect(error.code == .connectFailed, "\(error)") }
                }
            }
            try await round()
            let descriptors = try Descriptors.count()
            var grown: [Int] = []
            repeat {
                let memory = try Self.residentBytes()
                try await round()
                grown.append(try Self.residentBytes() - memory)
            } while grown.count < 10 && grown[grown.count - 1] >= 512 << 10
            #expect(grown[grown.count - 1] < 512 << 10, "\(grown) bytes")
            #expect(try Descriptors.count() <= descriptors)
            try await client.becomes()
            let refused = try client.onlyOrigin.connectFailures[.refused]
            #expect(refused == UInt64(1000 * (1 + grown.count)))
        }
        withExtendedLifetime(refusing) {}
    }

    @Test("A pool that has been shut down has no descriptor left, its file of authorities included")
    func shutdown() async throws {
        let certificates = try await TestCertificates()
        let authority = try PoolTLS.PEM.text(certificates.authority.certificatePEM)
        for _ in 0..<100 {
            let descriptors = try Descriptors.count()
            try await withMeasuredPool {
                $0.transport.tls.trust = .only(authority)
            } _: { _ async throws in
                #expect(try Descriptors.count() > descriptors)
            }
            let kinds = try Descriptors.kinds()
            try #require(try Descriptors.count() <= descriptors, "\(kinds)")
        }
    }

    // vincenthz/hs-connection #27: the socket of a handshake that failed.
    @Test("Handshakes that fail, or are given up, leave no descriptor")
    func failedHandshakes() async throws {
        let certificates = try await TestCertificates()
        let tls = try TLSPeer(try await certificates.selfSigned())
        let untrusted = try ScriptedPeer { connection, _ in _ = try tls.accept(connection) }
        let mute = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let descriptors = try Descriptors.count()
        try await withMeasuredPool {
            $0.timeouts.connect = .milliseconds(500)
        } _: { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    let (peer, code) = number % 2 == 0 ? (untrusted, PoolError.Code.tlsFailed) : (mute, .connectTimeout)
                    let request = HTTPRequest.to("localhost:\(peer.port)", scheme: "https")
                    group.addTask {
                        let error = try await poolError { _ = try await client.fetch(request) }
                        #expect(error.code == code, "\(error)")
                    }
                }
                for number in 0..<100 {
                    let task = Task { try await client.fetch(.to("localhost:\(mute.port)", scheme: "https")) }
                    if number % 2 == 0 { await Task.yield() }
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                }
                try await group.waitForAll()
            }
            try await client.becomes()
            #expect(client.reading().origins.allSatisfy { $0.connectionsOpened == 0 })
        }
        try await untrusted.stop()
        try await mute.stop()
        try await eventually("no descriptor is left") { try Descriptors.count() <= descriptors }
    }

    // curl/curl #17281 (5000 fields are its own limit).
    @Test("Thousands of header fields are read, one more than the limit is an error", arguments: [5000, 5001, 20_000])
    func manyFields(count: Int) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                let fields = (0..<(count - 1)).map { "X\($0): \($0)\r\n" }.joined()
                connection.answer("ok", headers: fields)
            }
        }
        try await withMeasuredPool { client in
            if count <= 5000 {
                let found = try await client.fetch(.to(peer.authority))
                #expect(found.fields.count == count)
                #expect(found.text == "ok")
                try await client.becomes(idle: 1)
            } else {
                let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
                #expect(error.code == .invalidResponse, "\(error)")
                // No response is read any further from a peer that sends such heads.
                try await eventually("nothing is active") { client.reading().levels.connections.active == 0 }
            }
        }
    }

    @Test("A header field that is too long is an invalid response, not a lack of memory")
    func longField() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.answer("ok", headers: "X-Long: \(String(repeating: "x", count: 200_000))\r\n")
            }
        }
        try await withMeasuredPool { client in
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
            #expect(error.code == .invalidResponse && error.reason.contains("header field"), "\(error)")
            try await eventually("nothing is active") { client.reading().levels.connections.active == 0 }
        }
    }

    // akka/akka-core #17403, hyperium/hyper #1353, nodejs/undici #5728: a body that nobody reads holds its connection
    // for ever.
    @Test("A hundred responses that are dropped unread hold no connection, and no memory", arguments: [1, 20])
    func droppedUnread(connections: Int) async throws {
        let peer = try ScriptedPeer { connection, _ in
            let piece = [UInt8](repeating: 0, count: 1 << 16)
            while let request = try connection.readRequest() {
                if request.head.hasPrefix("GET /small") {
                    connection.answer("small")
                } else {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(50 << 20)\r\n\r\n")
                    for _ in 0..<800 { guard connection.write(piece) else { return } }
                }
            }
        }
        try await withMeasuredPool {
            $0.limits.maxConnections = connections
        } _: { client in
            func drop() async throws {
                let response = try await client.execute(.to(peer.authority, "/large"))
                #expect(response.status == .ok)
            }
            try await drop()
            let memory = try Self.residentBytes()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { try await drop() } }
                try await group.waitForAll()
            }
            let text = try await client.fetch(.to(peer.authority, "/small")).text
            #expect(text == "small")
            try await client.becomes(idle: 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.requestCancelled] == 101, "\(origin.connectionsClosed)")
            // Each may have had its window of memory, and gives it back.
            let grown = try Self.residentBytes() - memory
            #expect(grown < 64 << 20, "\(grown) bytes")
        }
        try await peer.stop()
    }

    // curl/curl #7718 and #15080: select() and descriptors beyond 1024.
    @Test("Descriptors beyond 1024 work like others, over TLS as well")
    func highDescriptors() async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(tls: .init(certificate: try await certificates.signed()))
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(7), &limit)
        let old = limit
        limit.rlim_cur = min(limit.rlim_max, 4096)
        try #require(limit.rlim_cur >= 2048)
        setrlimit(__rlimit_resource_t(7), &limit)
        let held = (0..<1100).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer {
            for descriptor in held { close(descriptor) }
            var old = old
            setrlimit(__rlimit_resource_t(7), &old)
        }
        try #require(held.max() ?? 0 > 1024)
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client in
            for _ in 0..<2 {
                let secure = try await client.fetch(.to(nginx.tlsAuthority, "/small", scheme: "https")).text
                let plain = try await client.fetch(.to(nginx.authority, "/small")).text
                #expect((secure, plain) == ("small", "small"))
            }
            let failures = client.reading().origins.reduce(0) { $0 + $1.connectFailures.total }
            #expect(failures == 0)
        }
    }
}
