/// The body of a response: a sequence of chunks, or all of it with ``collect(upTo:)``.
///
/// A body that did not arrive together with the head is streamed. The request holds its connection until the last
/// byte has arrived. A reader that pauses applies back-pressure to the peer, so memory stays bounded. Releasing the
/// body and its iterator early, calling ``discard()``, or cancelling the reading task ends the request and closes
/// the connection; over HTTP/2 only the stream is reset.
///
/// A body can be read once: a second reader gets the part that the first did not consume. A streamed body has one
/// reader at a time: a read that begins while another one waits throws ``PoolError`` with code
/// ``PoolError/Code/invalidRequest``, and the other one goes on. The bytes are never printed.
public struct HTTPResponseBody: Sendable, AsyncSequence {
    private enum Storage: Sendable {
        case bytes([UInt8])
        case stream(any ResponseBodySource)
    }
    private let storage: Storage

    /// The default limit of ``collect(upTo:)``: 64 MiB.
    public static let defaultCollectLimit = 64 << 20

    /// A body in memory.
    public init(bytes: [UInt8]) { storage = .bytes(bytes) }

    /// A body that is streamed from a client.
    public init(source: any ResponseBodySource) { storage = .stream(source) }

    /// The source of a body that is streamed; `nil` if it is in memory.
    package var source: (any ResponseBodySource)? {
        if case .stream(let source) = storage { source } else { nil }
    }

    /// Reads the part of the body that was not consumed yet.
    ///
    /// - Parameter limit: the maximum number of bytes to buffer.
    /// - Throws: ``PoolError`` with ``PoolError/Code/responseTooLarge`` if the body is larger, which also ends the
    ///   request, or with ``PoolError/Code/invalidRequest`` if another reader is waiting; the error that ended the
    ///   stream; `CancellationError`.
    public func collect(upTo limit: Int = defaultCollectLimit) async throws -> [UInt8] {
        switch storage {
        case .stream(let source): return try await source.collect(upTo: limit)
        case .bytes(let bytes):
            guard bytes.count <= limit else { throw PoolError.responseTooLarge(limit) }
            return bytes
        }
    }

    /// Discards the rest of the body and ends the request.
    public func discard() {
        if case .stream(let source) = storage { source.discard() }
    }

    /// Discards the body, but first reads a rest that is small and arrives soon, so that the connection can be
    /// reused. The wait is bounded, because the peer may never send the rest.
    ///
    /// - Throws: `CancellationError`. Other errors are ignored.
    package func drain(upTo limit: Int = 16 << 10, within patience: Duration = .milliseconds(100)) async throws {
        guard case .stream(let source) = storage else { return }
        let impatience = Task {
            try await Task.sleep(for: patience)
            source.discard()
        }
        defer { impatience.cancel() }
        do {
            _ = try await source.collect(upTo: limit)
        } catch {
            try Task.checkCancellation()
        }
    }

    /// Reads the body chunk by chunk.
    public func makeAsyncIterator() -> Iterator {
        switch storage {
        case .bytes(let bytes): Iterator(rest: bytes, source: nil)
        case .stream(let source): Iterator(rest: [], source: source)
        }
    }

    /// Reads the body chunk by chunk.
    public struct Iterator: AsyncIteratorProtocol {
        var rest: [UInt8]
        let source: (any ResponseBodySource)?

        /// The next chunk, never empty; `nil` at the end.
        ///
        /// - Throws: ``PoolError`` if the stream failed, or if another reader is waiting for the next chunk;
        ///   `CancellationError`.
        public mutating func next() async throws -> [UInt8]? {
            if let source { return try await source.next() }
            guard !rest.isEmpty else { return nil }
            defer { rest = [] }
            return rest
        }
    }
}

extension HTTPResponseBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The size of the body, never its content.
    public var description: String {
        switch storage {
        case .bytes(let bytes): bytes.count.of("byte")
        case .stream: "a stream"
        }
    }

    /// The size of the body, never its content.
    public var debugDescription: String { description }

    /// Empty, so that `dump` does not show the bytes.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// The source of a streamed body, implemented by a client. Releasing the last reference is the same as
/// ``discard()``.
public protocol ResponseBodySource: AnyObject, Sendable {
    /// The next chunk, never empty; `nil` at the end. There is one reader at a time: a call of this method or of
    /// ``collect(upTo:)`` while another one waits throws ``PoolError/Code/invalidRequest``.
    func next() async throws -> [UInt8]?
    /// The rest of the body; throws ``PoolError/Code/responseTooLarge`` if it is longer than `limit` bytes.
    func collect(upTo limit: Int) async throws -> [UInt8]
    /// Discards the rest of the body.
    func discard()
}

extension PoolError {
    /// The error for a body larger than `limit` bytes.
    package static func responseTooLarge(_ limit: Int) -> PoolError {
        PoolError(
            .responseTooLarge,
            "the response body exceeds the limit of \(limit.of("byte"))",
            phase: .exchange
        )
    }
}
