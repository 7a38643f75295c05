import HTTPPool
import HTTPTypes
import Testing

@testable import CurlPool

@Suite("The memory of answers")
struct AnswerMemoryTests {
    private let origin = Origin(scheme: "http", host: "a", port: 80)

    /// An answer as it comes from libcurl.
    private func answer(_ head: String, body: String = "", in memory: AnswerMemory = AnswerMemory()) -> RawResponse {
        var raw = RawResponse()
        raw.begin(in: memory)
        for line in head.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            let line = Array(line) + [UInt8(ascii: "\n")]
            let isTaken = line.withUnsafeBufferPointer { raw.take(header: $0) == nil }
            #expect(isTaken)
        }
        _ = Array(body.utf8).withUnsafeBufferPointer { raw.take(body: $0, expecting: body.utf8.count) }
        return raw
    }

    private func text(_ response: PooledResponse) async throws -> String {
        String(decoding: try await response.body.collect(), as: UTF8.self)
    }

    @Test("Memory is lent again only when it was given back")
    func lent() {
        var memories = AnswerMemories()
        let first = memories.lend()
        let second = memories.lend()
        #expect(first !== second)
        second.giveBack()
        #expect(memories.lend() === second)
        #expect(memories.lend() !== first)
        first.giveBack()
        let next = (0..<3).map { _ in memories.lend() }
        #expect(next.count { $0 === first } == 1)
    }

    @Test("An answer keeps what it was when its memory serves the next")
    func kept() async throws {
        var memories = AnswerMemories()
        let memory = memories.lend()
        let first = try answer("HTTP/1.1 200 OK\r\nA: first\r\n\r\n", body: "one", in: memory).parsed(from: origin)
        #expect(memories.lend() === memory)
        #expect(memory.head.isEmpty && memory.body.isEmpty)
        let second = try answer("HTTP/1.1 404 No\r\nA: 2\r\n\r\n", body: "two", in: memory).parsed(from: origin)
        #expect(first.status == 200 && first.head.headerFields.first?.value == "first")
        #expect(second.status == 404 && second.head.headerFields.first?.value == "2")
        #expect(try await text(first) == "one")
        #expect(try await text(second) == "two")
    }

    @Test(
        "What comes after an answer was handed over does not reach its memory",
        arguments: ["X: y", "HTTP/1.1 500 No"]
    )
    func handedOver(line: String) {
        var raw = answer("HTTP/1.1 200 OK\r\n\r\n")
        let handedOver = raw.handOver()
        let before = handedOver.memory?.head
        let isTaken = Array((line + "\r\n").utf8).withUnsafeBufferPointer { raw.take(header: $0) == nil }
        #expect(isTaken && raw.memory == nil)
        #expect(handedOver.memory?.head == before)
    }

    @Test("An answer that cannot be read, or that nobody wants, gives its memory back")
    func givenBack() throws {
        var memories = AnswerMemories()
        let memory = memories.lend()
        #expect(throws: PoolError.self) { try answer("HTTP/1.1 x\r\n\r\n", in: memory).parsed(from: origin) }
        #expect(memories.lend() === memory)
        var raw = answer("HTTP/1.1 200 OK\r\n\r\n", in: memory)
        raw.drop()
        #expect(memories.lend() === memory)
    }

    @Test("A large body is passed on, not copied, and large memory is not kept")
    func large() async throws {
        var memories = AnswerMemories()
        let memory = memories.lend()
        let body = String(repeating: "x", count: 100_000)
        let head = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "y", count: 100_000) + "\r\n\r\n"
        let response = try answer(head, body: body, in: memory).parsed(from: origin)
        #expect(memory.body.isEmpty)
        #expect(try await text(response) == body)
        #expect(memories.lend() === memory)
        #expect(memory.head.capacity < 10_000 && memory.body.capacity < 10_000)
    }

    @Test("However many answers there are at once, few stay")
    func bounded() {
        var memories = AnswerMemories()
        let many = (0..<1000).map { _ in memories.lend() }
        #expect(Set(many.map(ObjectIdentifier.init)).count == 1000)
        for memory in many { memory.giveBack() }
        let again = (0..<1000).map { _ in memories.lend() }
        let kept = Set(again.map(ObjectIdentifier.init)).intersection(many.map(ObjectIdentifier.init))
        #expect(kept.count == 256)
    }
}
