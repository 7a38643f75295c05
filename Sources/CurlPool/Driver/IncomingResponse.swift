/// A response while it arrives: the state of its head, and the buffer lent by the driver in which head and body are
/// collected.
///
/// Confined to the driver's thread. The buffer is passed to the caller or returned to the driver.
struct IncomingResponse {
    private(set) var head = ResponseHead()
    /// Holds the response from its first line until it is delivered.
    private(set) var buffer: ResponseBuffer? {
        didSet { unretained = buffer.map(Unmanaged.passUnretained) }
    }
    /// The buffer without reference counting, for each line and piece. Sound: `buffer` retains it.
    private var unretained: Unmanaged<ResponseBuffer>?

    mutating func begin(in buffer: ResponseBuffer) { self.buffer = buffer }

    /// Takes a line of a header block.
    ///
    /// - Returns: why the response is refused; `nil` if it is not.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> ResponseHead.Fault? {
        guard let unretained else { return head.take(dropped: line) }
        return unretained._withUnsafeGuaranteedRef { head.take(line, into: $0) }
    }

    /// Takes a piece of the body.
    ///
    /// - Returns: `false` if no response has begun.
    func take(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) -> Bool {
        unretained?._withUnsafeGuaranteedRef { $0.append(body: bytes, expecting: expected()) } != nil
    }

    /// How many bytes of the body are in the buffer.
    var bodyCount: Int { unretained?._withUnsafeGuaranteedRef { $0.body.count } ?? 0 }

    /// Removes the body received so far, for the stream that continues it.
    func takeBody() -> [UInt8] { buffer?.takeBody() ?? [] }

    /// Hands the response to the caller. Nothing is written to its buffer afterwards.
    mutating func take(with stream: ResponseStream? = nil) -> RawResponse {
        buffer?.passOn()
        defer { buffer = nil }
        return RawResponse(buffer: buffer, stream: stream)
    }

    /// Discards the response and returns the buffer to the driver.
    mutating func drop() {
        buffer?.giveBack()
        buffer = nil
    }
}
