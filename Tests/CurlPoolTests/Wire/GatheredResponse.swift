import HTTPPool

@testable import CurlPool

/// A response that is gathered as the driver does it, line by line.
struct GatheredResponse {
    private(set) var head = ResponseHead()
    let buffer: ResponseBuffer

    init(in buffer: ResponseBuffer = ResponseBuffer()) { self.buffer = buffer }

    /// Takes the lines of a header block, and of a last one its line end.
    ///
    /// - Returns: why the response is refused, where it is.
    mutating func take(lines: some Sequence<UInt8>) -> ResponseHead.Fault? {
        for line in Array(lines).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let line = Array(line) + [UInt8(ascii: "\n")]
            if let fault = line.withUnsafeBufferPointer({ head.take($0, into: buffer) }) { return fault }
        }
        return nil
    }

    func take(body: String) {
        Array(body.utf8).withUnsafeBufferPointer { buffer.append(body: $0, expecting: body.utf8.count) }
    }

    func parsed(from origin: Origin = Origin(scheme: "http", host: "a", port: 80)) throws -> PooledResponse {
        try RawResponse(buffer: buffer, stream: nil).parsed(from: origin)
    }
}
