/// A response while it arrives: its head is read, and head and body are gathered in a buffer that the driver lent.
///
/// It belongs to the driver's thread. The buffer goes on to the caller, or back to the driver.
struct IncomingResponse {
    private(set) var head = ResponseHead()
    /// What the response is gathered in, from its first line until the caller gets it.
    private(set) var buffer: ResponseBuffer? {
        didSet { unretained = buffer.map(Unmanaged.passUnretained) }
    }
    /// The buffer again, for each line and piece, without counting references. Sound: `buffer` holds it.
    private var unretained: Unmanaged<ResponseBuffer>?

    mutating func begin(in buffer: ResponseBuffer) { self.buffer = buffer }

    /// Takes a line of a header block.
    ///
    /// - Returns: why the response is refused, where it is.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> ResponseHead.Fault? {
        guard let unretained else { return head.take(dropped: line) }
        return unretained._withUnsafeGuaranteedRef { head.take(line, into: $0) }
    }

    /// Takes a piece of the body.
    ///
    /// - Returns: whether a response has begun.
    func take(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) -> Bool {
        unretained?._withUnsafeGuaranteedRef { $0.append(body: bytes, expecting: expected()) } != nil
    }

    /// How many bytes of the body are in the buffer.
    var bodyCount: Int { unretained?._withUnsafeGuaranteedRef { $0.body.count } ?? 0 }

    /// The body as far as it has come, for the stream that goes on with it.
    func takeBody() -> [UInt8] { buffer?.takeBody() ?? [] }

    /// The response for the caller. What comes later does not reach its buffer.
    mutating func take(with stream: ResponseStream? = nil) -> RawResponse {
        buffer?.passOn()
        defer { buffer = nil }
        return RawResponse(buffer: buffer, stream: stream)
    }

    /// Nobody wants the response: the buffer goes back to the driver.
    mutating func drop() {
        buffer?.giveBack()
        buffer = nil
    }
}
