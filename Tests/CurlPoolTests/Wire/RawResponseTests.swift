import HTTPPool
import HTTPTypes
import LoopbackUpstream
import Testing

@testable import CurlPool

@Suite("Reading a response's header block")
struct RawResponseTests {
    private func read(_ text: String) throws -> HTTPResponse {
        var response = GatheredResponse()
        if let fault = response.take(lines: text.utf8) {
            throw PoolError(.invalidResponse, fault.reason, phase: .exchange)
        }
        return try response.parsed().head
    }

    @Test(
        "The status line",
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", 200, "OK"), ("HTTP/1.1 204\r\n\r\n", 204, ""),
            ("HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found"), ("HTTP/1.1 200 Fine\n\n", 200, "Fine"),
            ("HTTP/1.1  599  odd one \r\n", 599, "odd one"), ("HTTP/1.1 999 \u{1}x\r\n", 999, "x"),
        ]
    )
    func statusLine(text: String, code: Int, phrase: String) throws {
        let head = try read(text)
        #expect(head.status.code == code)
        #expect(head.status.reasonPhrase == phrase)
    }

    @Test(
        "A status line that is none",
        arguments: ["", "\r\n", "HTTP/1.1", "HTTP/1.1 2x0 OK", "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1 099 X"]
    )
    func badStatusLine(text: String) {
        #expect(throws: PoolError.self) { try read(text) }
    }

    @Test("Fields keep their spelling, their order and their values")
    func fields() throws {
        let head = try read(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-type:text/plain\r\nX-A:  b: c \r\nx-a:\r\nETAG: 1\r\n\r\n"
        )
        #expect(head.headerFields.map(\.name.rawName) == ["Content-Length", "content-type", "X-A", "x-a", "ETAG"])
        #expect(head.headerFields[.contentLength] == "5")
        #expect(head.headerFields[.contentType] == "text/plain")
        #expect(head.headerFields[.eTag] == "1")
        #expect(head.headerFields[values: try #require(HTTPField.Name("X-A"))] == ["b: c", ""])
    }

    @Test("A field that is none", arguments: ["no colon", ": no name", "a b: c", " folded: x"])
    func badField(line: String) {
        #expect(throws: PoolError.self) { try read("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n") }
    }

    @Test("Any bytes are a response or an error, never a crash")
    func anyBytes() throws {
        var random = SplitMix64(seed: 7)
        let pieces = ["HTTP/1.1 ", "200", " OK", "\r\n", "\n", ":", "Content-Length", ": 1", "\u{0}", " ", "é", "x"]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<12, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = try? read(text)
        }
    }
}
