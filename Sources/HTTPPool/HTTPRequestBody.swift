/// The body of a request: nothing, bytes in memory, or a stream of chunks. Its bytes are never printed.
public struct HTTPRequestBody: Sendable, ExpressibleByStringLiteral {
    /// Writes one chunk and returns when there is room for the next. It throws when the body is not needed any more.
    public typealias Writer = @Sendable ([UInt8]) async throws -> Void

    /// A body that comes in chunks.
    public struct Stream: Sendable {
        /// How many bytes there will be; `nil` where that is not known beforehand.
        public let length: Int?
        /// Whether ``write(to:)`` may be called a second time, for a retry or a redirect.
        public let isReplayable: Bool
        private let produce: @Sendable (Writer) async throws -> Void

        fileprivate init(length: Int?, isReplayable: Bool, produce: @escaping @Sendable (Writer) async throws -> Void) {
            self.length = length
            self.isReplayable = isReplayable
            self.produce = produce
        }

        /// Writes all chunks, in order, and returns after the last. It throws what the sequence or the writer throws.
        public func write(to writer: Writer) async throws { try await produce(writer) }
    }

    /// What a body is.
    @nonexhaustive
    public enum Content: Sendable {
        /// No body.
        case none
        /// Bytes in memory.
        case bytes([UInt8])
        /// Chunks that come while they are sent.
        case stream(Stream)
    }

    /// What a client sends.
    public let content: Content
    /// The media type that the client names where the request has no `Content-Type`.
    public let contentType: String?

    /// No body. Methods that are defined to carry one (POST, PUT, PATCH) say `Content-Length: 0`.
    public static let none = HTTPRequestBody(content: .none)

    /// A body in memory. It can be sent again where that is safe.
    public static func bytes(_ bytes: [UInt8]) -> HTTPRequestBody { HTTPRequestBody(content: .bytes(bytes)) }

    /// The UTF-8 of a text.
    public static func text(_ text: String) -> HTTPRequestBody { .bytes(Array(text.utf8)) }

    /// The chunks of a sequence, whose next one is requested only when the peer has taken most of those before.
    ///
    /// It is read once. So a request with such a body is not sent again: not after a dead connection that may have
    /// taken a part of it, not by a retry, and not to the target of a redirect that keeps the body.
    ///
    /// - Parameters:
    ///   - sequence: the chunks; empty ones are passed over. Errors that it throws end the request.
    ///   - length: the bytes of all chunks together, where that is known. Without it HTTP/1.1 sends the body chunked.
    ///     A sequence that yields more or fewer fails the request.
    public static func stream<Chunks: AsyncSequence & Sendable>(_ sequence: Chunks, length: Int? = nil)
        -> HTTPRequestBody
    where Chunks.Element == [UInt8] {
        HTTPRequestBody(
            content: .stream(
                Stream(length: length, isReplayable: false) { write in
                    for try await chunk in sequence { try await write(chunk) }
                }
            )
        )
    }

    /// The same with a sequence that can be made again: the request may then be sent again where that is safe.
    public static func replayableStream<Chunks: AsyncSequence & SendableMetatype>(
        length: Int? = nil,
        _ makeSequence: @escaping @Sendable () -> Chunks
    ) -> HTTPRequestBody
    where Chunks.Element == [UInt8], Chunks.AsyncIterator: SendableMetatype {
        HTTPRequestBody(
            content: .stream(
                Stream(length: length, isReplayable: true) { write in
                    for try await chunk in makeSequence() { try await write(chunk) }
                }
            )
        )
    }

    /// The UTF-8 of a literal.
    public init(stringLiteral text: String) { self = .text(text) }

    init(content: Content, contentType: String? = nil) {
        self.content = content
        self.contentType = contentType
    }

    /// Whether it can be sent a second time.
    public var isReplayable: Bool {
        switch content {
        case .none, .bytes: true
        case .stream(let stream): stream.isReplayable
        }
    }
}

extension HTTPRequestBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How large it is, never what is in it.
    public var description: String {
        switch content {
        case .none: "no body"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .stream(let stream): stream.length.map { "a stream of \($0) bytes" } ?? "a stream"
        }
    }

    /// How large it is, never what is in it.
    public var debugDescription: String { description }

    /// Empty: a dump does not show the bytes either.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
