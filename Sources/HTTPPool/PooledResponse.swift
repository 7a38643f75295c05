public import HTTPTypes

/// The answer to a request.
public struct PooledResponse: Sendable {
    /// Status and header fields.
    public let head: HTTPResponse
    /// The body, to be read once.
    public let body: ResponseBody

    /// The status.
    public var status: HTTPResponse.Status { head.status }

    /// Puts an answer together.
    public init(head: HTTPResponse, body: ResponseBody) {
        self.head = head
        self.body = body
    }
}

/// The body of an answer: a sequence of chunks, or the whole at once with ``collect(upTo:)``.
public struct ResponseBody: Sendable, AsyncSequence {
    private let bytes: [UInt8]

    /// A body that is in memory.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The whole body.
    ///
    /// - Parameter limit: the most bytes to take into memory.
    /// - Throws: ``PoolError`` with ``PoolError/Code/responseTooLarge`` if there are more.
    public func collect(upTo limit: Int = .max) async throws -> [UInt8] {
        guard bytes.count <= limit else {
            throw PoolError(.responseTooLarge, "the body has more than \(limit) bytes", phase: .exchange)
        }
        return bytes
    }

    /// Reads the body chunk by chunk.
    public func makeAsyncIterator() -> Iterator { Iterator(rest: bytes) }

    /// Reads the body chunk by chunk.
    public struct Iterator: AsyncIteratorProtocol {
        var rest: [UInt8]

        /// The next chunk, never empty; `nil` at the end.
        public mutating func next() async throws -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            defer { rest = [] }
            return rest
        }
    }
}
