import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Closes and records of TLS, one by one.
@Suite("Records of TLS")
struct TLSRecordTests {
    private let certificates: TestCertificates
    private let pair: TestCertificates.Pair

    init() async throws {
        certificates = try await TestCertificates()
        pair = try await certificates.signed()
    }

    /// A pool, and a peer that runs the script on every connection after the handshake.
    private func withPeer(
        _ version: TLSPeer.Version = .tls13,
        connections: Int = 20,
        total: Duration? = nil,
        _ script: @escaping @Sendable (TLSSession, _ number: Int) throws -> Void,
        _ body: (InstrumentedClient, ScriptedPeer) async throws -> Void
    ) async throws {
        let tls = try TLSPeer(pair, version)
        let peer = try ScriptedPeer { connection, number in
            // The session ends before the connection does.
            try script(try tls.accept(connection), number)
        }
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.limits.maxConnections = connections
            $0.timeouts.total = total
        } _: { client in
            try await body(client, peer)
        }
        try await peer.stop()
    }

    private func request(_ peer: ScriptedPeer, _ method: HTTPRequest.Method = .get) -> HTTPRequest {
        .to("localhost:\(peer.port)", method: method, scheme: "https")
    }

    /// How a response is written, and whether it is whole.
    enum Written: String, CaseIterable, Sendable {
        case untilClose = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
        case length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        case chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        case halfLength = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
        case halfChunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello"
        case noLastChunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        case noTrailerEnd = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        case noContent = "HTTP/1.1 204 No Content\r\n\r\n"
        case halfHead = "HTTP/1.1 200 OK\r\nContent-Le"

        /// What the reader gets; `nil` where that is an error.
        func body(saysClose: Bool) -> String? {
            switch self {
            case .untilClose: saysClose ? "hello" : nil
            case .length, .chunks: "hello"
            case .noContent: ""
            case .halfLength, .halfChunk, .noLastChunk, .noTrailerEnd, .halfHead: nil
            }
        }
    }

    // RFC 9112, 8 and 9.8: without the alert, a body that the close ends may be cut off; what has a length of its own is
    // whole all the same. rustls/ktls #74, cl-plus-ssl/cl-plus-ssl #166.
    @Test(
        "A response is whole or an error, with the closing alert and without",
        arguments: Written.allCases,
        [true, false]
    )
    func ends(written: Written, saysClose: Bool) async throws {
        try await withPeer { session, _ in
            guard session.readHead() != nil else { return }
            session.write(written.rawValue)
            if saysClose { session.sayClose() }
        } _: { client, peer in
            if let body = written.body(saysClose: saysClose) {
                let text = try await client.fetch(request(peer)).text
                #expect(text == body)
            } else {
                let error = try await poolError { _ = try await client.fetch(request(peer, .post)) }
                #expect(error.code == .connectionLost, "\(error)")
                #expect(error.phase == .exchange)
            }
            try await client.becomes()
            #expect(peer.connections == 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed.total == 1)
            let broke = written.body(saysClose: saysClose) == nil
            #expect(origin.connectionsClosed[.error] == (broke ? 1 : 0), "\(origin.connectionsClosed)")
        }
    }

    // curl/curl #10646 (7.88: "tried 5 times before giving up").
    @Test("An alert that closes is enough, though the connection stays open: the next request has a new one")
    func halfClosed() async throws {
        let answered = Counter()
        let isOver = Gate()
        try await withPeer(connections: 6) { session, number in
            guard session.readHead() != nil else { return }
            answered.add(1)
            if number < 6 { try waitOnThread("all six have asked") { answered.value >= 6 } }
            session.answer("\(number)")
            if number < 6 {
                session.sayClose()
                // The TCP connection stays open.
                try isOver.wait()
            }
        } _: { client, peer in
            defer { isOver.open() }
            let tasks = (0..<6).map { _ in Task { try await client.fetch(request(peer)).text } }
            for task in tasks { _ = try await task.value }
            try await client.becomes()
            let text = try await client.fetch(request(peer, .post)).text
            #expect(text == "6")
            #expect(peer.connections == 7)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsClosed[.peerClosed] >= 6)
        }
    }

    /// What a server may send on a connection that no request is on.
    enum Record: Sendable, CaseIterable {
        case ticket, keyUpdate, keyUpdateOfBoth, helloRequest

        func send(on session: TLSSession) {
            switch self {
            case .ticket: session.sendTicket()
            case .keyUpdate: session.updateKey()
            case .keyUpdateOfBoth: session.updateKey(both: true)
            case .helloRequest: session.requestHello()
            }
        }
        var version: TLSPeer.Version { self == .helloRequest ? .tls12 : .tls13 }
    }

    // RFC 8446, 4.6; RFC 5246, 7.4.1.1. jetty/jetty.project #4113. Encrypted, these records look like a response that
    // nobody asked for, so the connection is given up; no request fails for it.
    /// Sends three requests, each of which has its own response, and finds each connection closed for what came unasked.
    private func expectClosedConnections(client: InstrumentedClient, peer: ScriptedPeer) async throws {
        for round in 0..<3 {
            let text = try await client.fetch(request(peer, .post)).text
            #expect(text == "\(round)")
            try await client.becomes()
        }
        let origin = try client.onlyOrigin
        #expect(origin.connectionsClosed[.unexpectedData] == 3, "\(origin.connectionsClosed)")
    }

    @Test("A record that comes on an idle connection costs the connection, and no request", arguments: Record.allCases)
    func whileIdle(record: Record) async throws {
        try await withPeer(record.version) { session, number in
            while session.readHead() != nil {
                session.answer("\(number)")
                // The client has seen the response as one that is whole.
                usleep(50_000)
                record.send(on: session)
            }
        } _: {
            try await expectClosedConnections(client: $0, peer: $1)
        }
    }

    // RFC 9112, 9.2. libcurl from 8.15 on would read the second record together with the first.
    @Test(
        "A response that nobody asked for, in a record of its own, is not the next request's",
        arguments: TLSPeer.Version.allCases
    )
    func unasked(version: TLSPeer.Version) async throws {
        try await withPeer(version) { session, number in
            while session.readHead() != nil {
                // Both arrive at once.
                session.connection.cork(true)
                session.answer("\(number)")
                session.answer("nobody's")
                session.connection.cork(false)
            }
        } _: {
            try await expectClosedConnections(client: $0, peer: $1)
        }
    }

    // RFC 8446, 4.6.1 and 4.6.3. Mbed-TLS/mbedtls #10781.
    @Test("Records between those of a body leave the body whole and the connection alive", arguments: Record.allCases)
    func inBody(record: Record) async throws {
        let times = record == .helloRequest ? 1 : 100
        try await withPeer(record.version, total: .seconds(20)) { session, _ in
            while session.readHead() != nil {
                session.write("HTTP/1.1 200 OK\r\nContent-Length: \(1000 * times)\r\n\r\n")
                for _ in 0..<times {
                    record.send(on: session)
                    session.write([UInt8](repeating: UInt8(ascii: "a"), count: 1000))
                }
            }
        } _: { client, peer in
            for _ in 0..<2 {
                let text = try await client.fetch(request(peer)).text
                #expect(text == String(repeating: "a", count: 1000 * times))
            }
            // What is left of the second handshake may come when the first response is over.
            #expect(peer.connections <= (record == .helloRequest ? 2 : 1))
        }
    }

    // RFC 8446, 5.2 and 6.2: a record that cannot be authenticated ends the connection.
    @Test(
        "Bytes that are no record end the response with an error, unless it was whole before",
        arguments: [Written.untilClose, .halfLength, .halfChunk, .length, .chunks]
    )
    func garbage(written: Written) async throws {
        try await withPeer { session, _ in
            guard session.readHead() != nil else { return }
            session.write(written.rawValue)
            session.connection.write([23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32))
            session.connection.waitForEnd()
        } _: { client, peer in
            if let body = written.body(saysClose: false) {
                let text = try await client.fetch(request(peer)).text
                #expect(text == body)
            } else {
                let error = try await poolError { _ = try await client.fetch(request(peer)) }
                #expect(error.code == .connectionLost || error.code == .tlsFailed, "\(error)")
                #expect(error.phase == .exchange)
            }
            try await client.becomes()
            #expect(peer.connections == 1)
            #expect(try client.onlyOrigin.connectionsClosed.total == 1)
        }
    }

    // RFC 8446, 4.1: TLS is a part of connecting.
    @Test(
        "A peer that is silent in the handshake, or sends a part of it, is ended by the connect timeout",
        arguments: [0, 1, 6]
    )
    func muteHandshake(bytes: Int) async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard connection.readSome() else { return }
            connection.write(Array([22, 3, 3, 0, 122, 2, 0, 0, 118].prefix(bytes)))
            connection.waitForEnd()
        }
        let descriptors = try Descriptors.count()
        try await withMeasuredPool {
            $0.timeouts.connect = .milliseconds(400)
            $0.limits.maxConnections = 2
        } _: { client in
            try await withThrowingTaskGroup(of: PoolError.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await poolError { _ = try await client.fetch(request(peer)) } }
                }
                for try await error in group { #expect(error.code == .connectTimeout, "\(error)") }
            }
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.timeout] == 4)
            #expect(origin.connectionsOpened == 0)
        }
        try await peer.stop()
        #expect(try Descriptors.count() <= descriptors)
    }

    // RFC 8446, 6: encode/httpx #646 is of the other direction.
    @Test(
        "HTTP on a port of TLS is no response",
        arguments: [[21, 3, 1, 0, 2, 2, 10], [21, 3, 3, 0, 2, 2, 70]] as [[UInt8]]
    )
    func plainToTLS(alert: [UInt8]) async throws {
        let peer = try ScriptedPeer { connection, _ in
            guard connection.readSome() else { return }
            connection.write(alert)
        }
        try await withMeasuredPool { client in
            let error = try await poolError { _ = try await client.fetch(.to(peer.authority)) }
            #expect(error.code == .invalidResponse || error.code == .connectionLost, "\(error)")
            #expect(peer.connections == 1)
        }
    }

    @Test("Records that hold nothing of a response do not keep its request waiting beyond the read timeout")
    func recordsOnly() async throws {
        let tls = try TLSPeer(pair)
        let peer = try ScriptedPeer { connection, _ in
            let session = try tls.accept(connection)
            guard session.readHead() != nil else { return }
            for _ in 0..<1000 {
                session.updateKey()
                usleep(20_000)
            }
        }
        try await withMeasuredPool {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            $0.timeouts.read = .milliseconds(500)
            $0.timeouts.total = .seconds(15)
        } _: { client in
            let error = try await poolError { _ = try await client.fetch(request(peer)) }
            #expect(error.code == .readTimeout, "\(error)")
        }
        try await peer.stop()
    }
}
