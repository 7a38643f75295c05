import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("The connection of a response")
struct ResponseConnectionTests {
    private func peer(version: String = "1.1") throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/\(version) 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
            }
        }
    }

    @Test("The kind, the wait and the opening are those of the events")
    func events() async throws {
        let peer = try peer()
        try await withPool { pool, journal in
            let first = try #require(try await pool.execute(get(peer)).connection)
            let second = try #require(try await pool.execute(get(peer)).connection)
            #expect([first.kind, second.kind] == [.new, .reused])
            var (acquired, opened): ([UInt64], [UInt64]) = ([], [])
            for event in journal.events {
                switch event.kind {
                case .acquired(_, let waited, _): acquired.append(waited)
                case .connectionOpened(let took): opened.append(took)
                default: break
                }
            }
            #expect([first, second].map(\.waited.wholeNanoseconds) == acquired)
            #expect([first.opening?.wholeNanoseconds] == opened)
            #expect(second.opening == nil)
            // Only a span asks for it.
            #expect(first.peer == nil)
        }
        try await peer.stop()
    }

    @Test("The wait of a request that is sent again includes the attempt on the dead connection")
    func retried() async throws {
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            if number == 0 { _ = try connection.readRequest() } else { connection.waitForEnd() }
        }
        try await withPool { pool, journal in
            _ = try await pool.execute(get(peer))
            let connection = try #require(try await pool.execute(get(peer)).connection)
            #expect(connection.kind == .new)
            let opening = try #require(connection.opening)
            let held = journal.events.compactMap { event -> UInt64? in
                if case .leaseEnded(.retried, let held) = event.kind { held } else { nil }
            }
            #expect(held.count == 1)
            #expect(connection.waited >= opening + .nanoseconds(Int64(held.first ?? 0)))
        }
        try await peer.stop()
    }

    @Test("The version of HTTP is that of the response", arguments: ["1.1", "1.0"])
    func version(_ version: String) async throws {
        let peer = try peer(version: version)
        try await withPool { pool, _ in
            let connection = try await pool.execute(get(peer)).connection
            #expect(connection?.httpVersion == version)
        }
        try await peer.stop()
    }

    @Test("A response of another client has a connection only if the client gives one")
    func otherClients() {
        let head = HTTPResponse(status: .ok, headerFields: [.server: "x"])
        #expect(PooledResponse(head: head, body: HTTPResponseBody(bytes: [])).connection == nil)
        let connection = ResponseConnection(kind: .multiplexed, waited: .seconds(1), httpVersion: "2")
        let response = PooledResponse(head: head, body: HTTPResponseBody(bytes: []), connection: connection)
        #expect(response.connection == connection)
        #expect(response.replacingBody(HTTPResponseBody(bytes: [1])).connection == connection)
        #expect(response.head == head)
        #expect(!"\(response) \(String(reflecting: response))".contains("server"))
    }
}
