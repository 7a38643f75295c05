/// The body of a response: a sequence of chunks, or the whole at once with ``collect(upTo:)``.
///
/// A body that had not come in completely with the head is a stream. While it is read, the request holds its connection;
/// a reader that pauses makes the peer pause, and memory stays bounded. The connection is given back when the last
/// byte has come in. Letting go of the body before (the value, and its iterator), ``discard()`` and the cancellation of
/// the reading task end the request and close the connection, which an HTTP/2 connection survives.
///
/// It is read once: a second reader finds what the first one left. Its bytes are never printed.
public struct HTTPResponseBody: Sendable, AsyncSequence {
    private enum Storage: Sendable {
        case bytes([UInt8])
        case stream(any ResponseBodySource)
    }
    private let storage: Storage

    /// The most that ``collect(upTo:)`` takes into memory unless given another limit: 64 MiB.
    public static let defaultCollectLimit = 64 << 20

    /// A body that is in memory.
    public init(bytes: [UInt8]) { storage = .bytes(bytes) }

    /// A body that comes from a client, chunk by chunk.
    public init(source: any ResponseBodySource) { storage = .stream(source) }

    /// The whole body, as far as it was not read.
    ///
    /// - Parameter limit: the most bytes to take into memory.
    /// - Throws: ``PoolError`` with ``PoolError/Code/responseTooLarge`` if there are more, which also ends the request;
    ///   the error that ended the stream; `CancellationError`.
    public func collect(upTo limit: Int = defaultCollectLimit) async throws -> [UInt8] {
        switch storage {
        case .stream(let source): return try await source.collect(upTo: limit)
        case .bytes(let bytes):
            guard bytes.count <= limit else { throw PoolError.responseTooLarge(limit) }
            return bytes
        }
    }

    /// Discards the rest: the request ends now.
    public func discard() {
        if case .stream(let source) = storage { source.discard() }
    }

    /// Discards the body, and reads its rest where that is small and arrives at once, so that the connection can serve
    /// another request. It does not wait longer: the peer may never send the rest.
    ///
    /// - Throws: `CancellationError`. Other errors of the rest are ignored.
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
        /// - Throws: ``PoolError`` when the stream broke; `CancellationError`.
        public mutating func next() async throws -> [UInt8]? {
            if let source { return try await source.next() }
            guard !rest.isEmpty else { return nil }
            defer { rest = [] }
            return rest
        }
    }
}

extension HTTPResponseBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How large it is, never what is in it.
    public var description: String {
        switch storage {
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .stream: "a stream"
        }
    }

    /// How large it is, never what is in it.
    public var debugDescription: String { description }

    /// Empty: a dump does not show the bytes either.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Where a body comes from that is still on its way. A client implements it; its last reference going away is the same as
/// ``discard()``.
public protocol ResponseBodySource: AnyObject, Sendable {
    /// The next chunk, never empty; `nil` at the end. One reader at a time.
    func next() async throws -> [UInt8]?
    /// The rest of the body, or ``PoolError/Code/responseTooLarge`` beyond the limit.
    func collect(upTo limit: Int) async throws -> [UInt8]
    /// Discards the rest.
    func discard()
}

extension PoolError {
    /// The body has more than `limit` bytes.
    package static func responseTooLarge(_ limit: Int) -> PoolError {
        PoolError(
            .responseTooLarge,
            "the response body has more than the \(limit) bytes that may be taken into memory",
            phase: .exchange
        )
    }
}
