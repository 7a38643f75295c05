/// The body of a request.
public struct RequestBody: Sendable, Hashable, ExpressibleByStringLiteral {
    private enum Content: Sendable, Hashable {
        case none
        case bytes([UInt8])
    }
    private let content: Content

    /// No body. Methods that are defined to carry one (POST, PUT, PATCH) say `Content-Length: 0`.
    public static let none = RequestBody(content: .none)

    /// A body in memory. It can be sent again where that is safe.
    public static func bytes(_ bytes: [UInt8]) -> RequestBody { RequestBody(content: .bytes(bytes)) }

    /// The UTF-8 of a text.
    public static func text(_ text: String) -> RequestBody { .bytes(Array(text.utf8)) }

    /// The UTF-8 of a literal.
    public init(stringLiteral text: String) { self = .text(text) }

    private init(content: Content) { self.content = content }

    /// The bytes in memory; `nil` where there is no body.
    package var inMemory: [UInt8]? {
        switch content {
        case .none: nil
        case .bytes(let bytes): bytes
        }
    }
}
