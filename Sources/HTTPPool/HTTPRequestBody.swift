/// The body of a request: none, bytes in memory, or a stream of chunks. The bytes are never printed.
public struct HTTPRequestBody: Sendable, ExpressibleByStringLiteral {
    /// Writes one chunk and returns once there is room for the next. Throws when the body is no longer needed.
    public typealias Writer = @Sendable ([UInt8]) async throws -> Void

    /// A streamed body.
    public struct Stream: Sendable {
        /// The length in bytes; `nil` if not known in advance.
        public let length: Int?
        /// Whether ``write(to:)`` may be called again, for a retry or a redirect.
        public let isReplayable: Bool
        private let produce: @Sendable (Writer) async throws -> Void

        fileprivate init(length: Int?, isReplayable: Bool, produce: @escaping @Sendable (Writer) async throws -> Void) {
            self.length = length
            self.isReplayable = isReplayable
            self.produce = produce
        }

        /// Writes all chunks in order and returns after the last. Throws the errors of the sequence and of the
        /// writer.
        public func write(to writer: Writer) async throws { try await produce(writer) }
    }

    /// The kind of body.
    @nonexhaustive
    public enum Content: Sendable {
        /// No body.
        case none
        /// Bytes in memory.
        case bytes([UInt8])
        /// Chunks, produced while they are sent.
        case stream(Stream)
    }

    /// The content to send.
    public let content: Content
    /// The media type to send if the request has no `Content-Type`.
    public let contentType: String?

    /// No body. Methods that define one (POST, PUT, PATCH) are sent with `Content-Length: 0`.
    public static let none = HTTPRequestBody(content: .none)

    /// A body in memory. It is replayable.
    public static func bytes(_ bytes: [UInt8]) -> HTTPRequestBody { HTTPRequestBody(content: .bytes(bytes)) }

    /// A text, encoded as UTF-8.
    public static func text(_ text: String) -> HTTPRequestBody { .bytes(Array(text.utf8)) }

    /// A stream of chunks. The next chunk is pulled only when the peer has taken most of the previous ones.
    ///
    /// The sequence is read once, so the request is never sent again: not after a dead connection that may have
    /// taken part of the body, not by a retry, and not by a redirect that keeps the body.
    ///
    /// - Parameters:
    ///   - sequence: the chunks; empty ones are skipped. An error thrown by it fails the request.
    ///   - length: the total number of bytes, if known. Without it HTTP/1.1 uses chunked encoding. The request
    ///     fails if the sequence yields more or fewer. With 0, the sequence is read before the request is queued, and
    ///     the timeouts begin after that.
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

    /// A stream of chunks that can be produced again, so that the request may be sent again where that is safe.
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

    /// A literal, encoded as UTF-8.
    public init(stringLiteral text: String) { self = .text(text) }

    init(content: Content, contentType: String? = nil) {
        self.content = content
        self.contentType = contentType
    }

    /// Whether the body can be sent a second time.
    public var isReplayable: Bool {
        switch content {
        case .none, .bytes: true
        case .stream(let stream): stream.isReplayable
        }
    }
}

extension HTTPRequestBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The size of the body, never its content.
    public var description: String {
        switch content {
        case .none: "no body"
        case .bytes(let bytes): bytes.count.of("byte")
        case .stream(let stream): stream.length.map { "a stream of \($0.of("byte"))" } ?? "a stream"
        }
    }

    /// The size of the body, never its content.
    public var debugDescription: String { description }

    /// Empty, so that `dump` does not show the bytes.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
