import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What an error says when a peer breaks off or sends what is not HTTP.
@Suite("Words of errors")
struct ErrorWordTests {
    @Test(
        "A response that breaks off says where",
        arguments: [
            ("", "the connection closed before a response arrived"),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", "the connection broke within the head of the response"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
                "the connection closed before the body was complete: 5 of 10 bytes"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "the connection closed before the end of the body, after 5 bytes"
            ),
        ]
    )
    func brokenOff(bytes: String, reason: String) async throws {
        let error = try await self.error(after: bytes)
        #expect(error.code == .connectionLost)
        #expect(error.reason == reason)
    }

    @Test(
        "A response that is not HTTP says so",
        arguments: [
            ("SSH-2.0-x\r\n", "the response is not HTTP"),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "the head of the response is not valid HTTP"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n",
                "the chunked body is malformed"
            ),
        ]
    )
    func notHTTP(bytes: String, reason: String) async throws {
        let error = try await self.error(after: bytes)
        #expect(error.code == .invalidResponse)
        #expect(error.reason == reason)
    }

    @Test("A connection that is reset says that it broke")
    func reset() async throws {
        let error = try await self.error(after: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", isReset: true)
        #expect(error.code == .connectionLost)
        #expect(error.reason == "the connection broke before the body was complete: 5 of 10 bytes")
    }

    /// The error of a request whose connection ends after these bytes.
    private func error(after bytes: String, isReset: Bool = false) async throws -> PoolError {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readHeadOnly() != nil else { return }
            connection.write(bytes)
            if isReset {
                try gate.wait()
                connection.reset()
            }
        }
        var found: PoolError?
        try await withMeasuredPool { client in
            found = try await poolError {
                let response = try await client.execute(.to(peer.authority))
                gate.open()
                _ = try await response.body.collect()
            }
            try await client.becomes()
        }
        return try #require(found)
    }
}
