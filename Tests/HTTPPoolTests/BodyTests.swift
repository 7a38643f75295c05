import HTTPPool
import Testing

@Suite("The body of an answer")
struct ResponseBodyTests {
    @Test("is there as a whole, up to a limit")
    func collect() async throws {
        let body = HTTPResponseBody(bytes: [1, 2, 3])
        #expect(try await body.collect() == [1, 2, 3])
        #expect(try await body.collect(upTo: 3) == [1, 2, 3])
        let error = try await #require(throws: PoolError.self) { try await body.collect(upTo: 2) }
        #expect(error.code == .responseTooLarge)
        #expect(
            error.description
                == "responseTooLarge: the response body exceeds the limit of 2 bytes"
        )
    }

    @Test("is described in grammatical words")
    func words() async throws {
        #expect("\(HTTPResponseBody(bytes: [1]))" == "1 byte")
        #expect("\(HTTPResponseBody(bytes: []))" == "0 bytes")
        let error = try await #require(throws: PoolError.self) {
            try await HTTPResponseBody(bytes: [1, 2]).collect(upTo: 1)
        }
        #expect(error.reason == "the response body exceeds the limit of 1 byte")
    }

    @Test("may be empty")
    func empty() async throws {
        let body = HTTPResponseBody(bytes: [])
        #expect(try await body.collect(upTo: 0) == [])
        for try await chunk in body { Issue.record("a chunk of \(chunk.count) bytes") }
    }

    @Test("comes in chunks that are never empty, and then ends for good")
    func chunks() async throws {
        let bytes = [UInt8](repeating: 7, count: 100_000)
        var collected: [UInt8] = []
        var iterator = HTTPResponseBody(bytes: bytes).makeAsyncIterator()
        while let chunk = try await iterator.next() {
            #expect(!chunk.isEmpty)
            collected += chunk
        }
        #expect(collected == bytes)
        #expect(try await iterator.next() == nil)
    }
}

@Suite("The body of a request")
struct RequestBodyTests {
    @Test("of bytes and text can be sent again, a stream only where it can be made again")
    func replay() {
        let chunks = AsyncStream<[UInt8]> { $0.finish() }
        #expect(HTTPRequestBody.none.isReplayable)
        #expect(HTTPRequestBody.text("é").isReplayable)
        #expect(!HTTPRequestBody.stream(chunks).isReplayable)
        #expect(HTTPRequestBody.replayableStream { chunks }.isReplayable)
    }

    @Test("is the UTF-8 of a text")
    func text() {
        guard case .bytes(let bytes) = HTTPRequestBody.text("é").content,
            case .bytes(let literal) = ("é" as HTTPRequestBody).content
        else {
            Issue.record("a text is bytes")
            return
        }
        #expect(bytes == [0xc3, 0xa9])
        #expect(literal == bytes)
    }
}
