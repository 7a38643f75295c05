import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Several readers of one body.
@Suite("Readers of a body")
struct ReaderTests {
    /// A way to read a body that has more bytes than have arrived.
    enum Read: CaseIterable, Sendable {
        case pieces, whole

        func read(_ body: HTTPResponseBody) async throws -> [UInt8] {
            switch self {
            case .whole: return try await body.collect()
            case .pieces:
                var all: [UInt8] = []
                for try await piece in body { all += piece }
                return all
            }
        }
    }

    /// Passes a body of which the second half waits for the gate, as it is or packed.
    private func withHalf(
        _ isPacked: Bool,
        _ body: (InstrumentedClient, HTTPResponseBody, Gate) async throws -> Void
    ) async throws {
        let gate = Gate()
        let bytes = isPacked ? PackedBody.gzipFoo : Array("foo".utf8)
        let middle = bytes.count - 1
        var response = CodedResponse("gzip", Array(bytes[..<middle]), Array(bytes[middle...]))
        if !isPacked { response.fields = "" }
        let peer = try response.peer { try gate.wait() }
        try await withMeasuredPool {
            $0.transport.decompression = .on(maxRatio: 100)
        } _: { client in
            defer { gate.open() }
            try await body(client, try await client.execute(.to(peer.authority)).body, gate)
        }
    }

    private func expectRefused(_ read: Read, _ body: HTTPResponseBody) async throws {
        let error = try await poolError { _ = try await read.read(body) }
        #expect(error.code == .invalidRequest, "\(error)")
        #expect(error.reason == "the response body is already being read")
        #expect(error.origin != nil)
    }

    // swift-nio and async-http-client end the process there.
    @Test(
        "A second reader is refused at once while the first waits, and the first gets the whole body",
        arguments: [(Read.pieces, Read.pieces), (.pieces, .whole), (.whole, .pieces), (.whole, .whole)],
        [false, true]
    )
    func second(reads: (Read, Read), isPacked: Bool) async throws {
        try await withHalf(isPacked) { client, body, gate in
            // It runs up to where it waits before the next line does.
            let first = Task.immediate { try await reads.0.read(body) }
            for _ in 0..<3 { try await expectRefused(reads.1, body) }
            gate.open()
            #expect(try await first.value == Array("foo".utf8))
            try await client.becomes(idle: 1)
            // Readers may follow each other.
            #expect(try await reads.1.read(body) == [])
        }
    }

    @Test("A second reader that is cancelled does not end the request", arguments: Read.allCases, [false, true])
    func cancelledSecond(read: Read, isPacked: Bool) async throws {
        try await withHalf(isPacked) { client, body, gate in
            let first = Task.immediate { try await read.read(body) }
            let second = Task.immediate {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await read.read(body)
            }
            await #expect(throws: PoolError.self) { _ = try await second.value }
            gate.open()
            #expect(try await first.value == Array("foo".utf8))
            try await client.becomes(idle: 1)
        }
    }

    @Test(
        "A first reader that is cancelled ends the request, for the second too",
        arguments: Read.allCases,
        [false, true]
    )
    func cancelledFirst(read: Read, isPacked: Bool) async throws {
        try await withHalf(isPacked) { client, body, _ in
            let first = Task.immediate { try await read.read(body) }
            try await expectRefused(read, body)
            first.cancel()
            await #expect(throws: CancellationError.self) { _ = try await first.value }
            await #expect(throws: CancellationError.self) { _ = try await read.read(body) }
            try await client.becomes()
            #expect(try client.onlyOrigin.connectionsClosed[.requestCancelled] == 1)
        }
    }
}
