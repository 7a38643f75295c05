import HTTPPool
import HTTPTypes
import Testing

@testable import CurlPool

@Suite("Response buffers")
struct ResponseBufferTests {
    /// A response as it comes from libcurl.
    private func response(_ head: String, body: String = "", in buffer: ResponseBuffer) throws -> PooledResponse {
        var response = GatheredResponse(in: buffer)
        #expect(response.take(lines: head.utf8.dropLast()) == nil)
        response.take(body: body)
        return try response.parsed()
    }

    private func text(_ response: PooledResponse) async throws -> String {
        String(decoding: try await response.body.collect(), as: UTF8.self)
    }

    @Test("A buffer is lent again only when it was given back")
    func lent() {
        var buffers = ResponseBuffers()
        let first = buffers.lend()
        let second = buffers.lend()
        #expect(first !== second)
        second.giveBack()
        #expect(buffers.lend() === second)
        #expect(buffers.lend() !== first)
        first.giveBack()
        let next = (0..<3).map { _ in buffers.lend() }
        #expect(next.count { $0 === first } == 1)
    }

    @Test("A response keeps what it was when its buffer serves the next")
    func kept() async throws {
        var buffers = ResponseBuffers()
        let buffer = buffers.lend()
        let first = try response("HTTP/1.1 200 OK\r\nA: first\r\n\r\n", body: "one", in: buffer)
        #expect(buffers.lend() === buffer)
        #expect(buffer.head.isEmpty && buffer.body.isEmpty)
        let second = try response("HTTP/1.1 404 No\r\nA: 2\r\n\r\n", body: "two", in: buffer)
        #expect(first.status == 200 && first.head.headerFields.first?.value == "first")
        #expect(second.status == 404 && second.head.headerFields.first?.value == "2")
        #expect(try await text(first) == "one")
        #expect(try await text(second) == "two")
    }

    @Test("A response that cannot be read gives its buffer back")
    func givenBack() {
        var buffers = ResponseBuffers()
        let buffer = buffers.lend()
        #expect(throws: PoolError.self) { try response("HTTP/1.1 x\r\n\r\n", in: buffer) }
        #expect(buffers.lend() === buffer)
    }

    @Test("A large body is passed on, not copied, and a large buffer is not kept")
    func large() async throws {
        var buffers = ResponseBuffers()
        let buffer = buffers.lend()
        let body = String(repeating: "x", count: 100_000)
        let head = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "y", count: 100_000) + "\r\n\r\n"
        let response = try response(head, body: body, in: buffer)
        #expect(buffer.body.isEmpty)
        #expect(try await text(response) == body)
        #expect(buffers.lend() === buffer)
        #expect(buffer.head.capacity < 10_000 && buffer.body.capacity < 10_000)
    }

    @Test("However many responses there are at once, few stay")
    func bounded() {
        var buffers = ResponseBuffers()
        let many = (0..<1000).map { _ in buffers.lend() }
        #expect(Set(many.map(ObjectIdentifier.init)).count == 1000)
        for buffer in many { buffer.giveBack() }
        let again = (0..<1000).map { _ in buffers.lend() }
        let kept = Set(again.map(ObjectIdentifier.init)).intersection(many.map(ObjectIdentifier.init))
        #expect(kept.count == 256)
    }
}
