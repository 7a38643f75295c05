/// The body of a request: nothing, bytes in memory, or a stream of chunks.
public struct RequestBody: Sendable, ExpressibleByStringLiteral {
    /// Writes one chunk and returns when there is room for the next. It throws when nobody wants the body any more.
    public typealias Writer = @Sendable ([UInt8]) async throws -> Void

    /// A body that comes in chunks.
    package struct Stream: Sendable {
        /// How many bytes there will be; `nil` where that is not known beforehand.
        package let length: Int?
        /// Whether ``produce`` may be called a second time, for a retry or a redirect.
        package let isReplayable: Bool
        /// Writes all chunks, in order.
        package let produce: @Sendable (Writer) async throws -> Void
    }

    package enum Content: Sendable {
        case none
        case bytes([UInt8])
        case stream(Stream)
    }
    package let content: Content

    /// No body. Methods that are defined to carry one (POST, PUT, PATCH) say `Content-Length: 0`.
    public static let none = RequestBody(content: .none)

    /// A body in memory. It can be sent again where that is safe.
    public static func bytes(_ bytes: [UInt8]) -> RequestBody { RequestBody(content: .bytes(bytes)) }

    /// The UTF-8 of a text.
    public static func text(_ text: String) -> RequestBody { .bytes(Array(text.utf8)) }

    /// The chunks of a sequence, which is asked for the next one only when the peer has taken most of those before.
    ///
    /// It is read once. So a request with such a body is not sent again: not after a dead connection that may have
    /// taken a part of it, not by a retry, and not to the target of a redirect that keeps the body.
    ///
    /// - Parameters:
    ///   - sequence: the chunks; empty ones are passed over. What it throws is what the request throws.
    ///   - length: the bytes of all chunks together, where that is known. Without it HTTP/1.1 sends the body chunked.
    ///     A sequence that yields more or fewer fails the request.
    public static func stream<Chunks: AsyncSequence & Sendable>(_ sequence: Chunks, length: Int? = nil) -> RequestBody
    where Chunks.Element == [UInt8] {
        RequestBody(
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
    ) -> RequestBody
    where Chunks.Element == [UInt8], Chunks.AsyncIterator: SendableMetatype {
        RequestBody(
            content: .stream(
                Stream(length: length, isReplayable: true) { write in
                    for try await chunk in makeSequence() { try await write(chunk) }
                }
            )
        )
    }

    /// The UTF-8 of a literal.
    public init(stringLiteral text: String) { self = .text(text) }

    private init(content: Content) { self.content = content }

    /// Whether it can be sent a second time.
    public var isReplayable: Bool {
        switch content {
        case .none, .bytes: true
        case .stream(let stream): stream.isReplayable
        }
    }
}
