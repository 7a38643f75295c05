import HTTPPool
import HTTPTypes
import Testing

@testable import CurlPool

@Suite("An exchange and the buffer of its response")
struct ExchangeBufferTests {
    private func exchange() throws -> Exchange {
        let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
        let encoded = try EncodedRequest(request, body: .none, defaults: DefaultHeaders([:]))
        return Exchange(encoded, options: RequestOptions(), defaults: RequestDefaults(PoolTimeouts()))
    }

    private func take(_ line: String, _ exchange: Exchange) -> ResponseHead.Fault? {
        Array((line + "\r\n").utf8).withUnsafeBufferPointer { exchange.response.take(header: $0) }
    }

    @Test(
        "What comes after a response was handed over does not reach its buffer",
        arguments: ["X: y", "HTTP/1.1 500 No"]
    )
    func handedOver(line: String) throws {
        let exchange = try exchange()
        let buffer = ResponseBuffer()
        exchange.response.begin(in: buffer)
        for line in ["HTTP/1.1 200 OK", ""] { #expect(take(line, exchange) == nil) }
        #expect(exchange.response.take().buffer === buffer)
        let before = buffer.head
        #expect(take(line, exchange) == nil)
        #expect(exchange.response.buffer == nil && buffer.head == before)
    }

    @Test("Trailers after the response was handed over count against the limit of a head")
    func trailers() throws {
        let exchange = try exchange()
        exchange.response.begin(in: ResponseBuffer())
        for line in ["HTTP/1.1 200 OK", ""] { #expect(take(line, exchange) == nil) }
        _ = exchange.response.take()
        let trailer = "X: " + String(repeating: "y", count: 1000)
        let faults = (0..<300).compactMap { _ in take(trailer, exchange) }
        #expect(faults.first == .tooLarge && faults.count < 60)
    }

    @Test("A response that nobody wants gives its buffer back")
    func dropped() throws {
        var buffers = ResponseBuffers()
        let buffer = buffers.lend()
        let exchange = try exchange()
        exchange.response.begin(in: buffer)
        exchange.caller.settle(.failure(CancellationError()))
        exchange.finish()
        #expect(buffers.lend() === buffer)
    }
}
