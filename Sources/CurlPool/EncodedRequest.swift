import HTTPPool
import HTTPTypes

/// A request in libcurl's terms, checked. Made on the caller's side, so that the pool's thread has less to do.
struct EncodedRequest: Sendable {
    let origin: Origin
    let address: RequestAddress
    /// The path of the socket that is to be connected to in place of the address's host.
    let unixSocketPath: String?
    let method: String
    let headers: HeaderList
    /// Whether the pool asks for codings, and undoes them.
    let unpacks: Bool
    /// A method that is defined to carry a body has one, if an empty one.
    let body: HTTPRequestBody.Content
    let isHead: Bool
    /// A GET without a body.
    let isPlain: Bool
    /// Whether it asks for the end of its connection.
    let isLast: Bool
    /// Whether it may be sent a second time: an idempotent method, and a body that is there again.
    let isRepeatable: Bool

    /// - Throws: ``PoolError`` with code `invalidRequest`; its text repeats nothing of the request.
    init(_ request: HTTPRequest, body: HTTPRequestBody, defaults: DefaultHeaders) throws(PoolError) {
        // Locals first: a struct that could still be left half made is copied when it is done.
        let authority = request.authority ?? ""
        let origin = try Origin(scheme: request.scheme, authority: authority)
        let unixSocketPath = origin.unixSocketPath
        // A socket's address names a host, though none is looked up.
        let address = try RequestAddress(
            isSecure: origin.isSecure,
            authority: unixSocketPath == nil ? origin.inASCII(authority) : "localhost",
            path: request.path ?? ""
        )
        let method = request.method.rawValue
        let nature = try MethodNature(of: method)
        var content = body.content
        switch content {
        case .none where nature.carriesBody: content = .bytes([])
        // A method that is not defined to carry a body says nothing of an empty one.
        case .bytes(let bytes) where bytes.isEmpty && !nature.carriesBody: content = .none
        case .stream(let stream) where (stream.length ?? 0) < 0: throw .refused("a body has no negative length")
        default: break
        }
        if nature.isHead, !content.isEmpty { throw .refused("a HEAD request carries no body") }
        var fields = request.headerFields
        if let contentType = body.contentType, !fields.contains(.contentType) { fields[.contentType] = contentType }
        let (headers, unpacks) = try defaults.completing(fields, for: content)
        self.origin = origin
        self.address = address
        self.unixSocketPath = unixSocketPath
        self.method = method
        self.headers = headers
        // There is nothing to unpack, and the head speaks of what GET would bring.
        self.unpacks = unpacks && !nature.isHead
        self.body = content
        isHead = nature.isHead
        isLast = defaults.isLast || request.headerFields.saysClose
        isPlain = if case .none = content { method == "GET" } else { false }
        isRepeatable = nature.isIdempotent && body.isReplayable
    }
}

/// What is known of a method.
private struct MethodNature {
    var isHead = false
    /// Whether it may be carried out twice (RFC 9110, 9.2.2).
    var isIdempotent = false
    /// Whether it is defined to carry a body (RFC 9110, 9.3).
    var carriesBody = false

    init(of method: String) throws(PoolError) {
        switch method {
        case "GET", "OPTIONS", "TRACE", "DELETE": isIdempotent = true
        case "HEAD": (isHead, isIdempotent) = (true, true)
        case "PUT": (isIdempotent, carriesBody) = (true, true)
        case "POST", "PATCH": carriesBody = true
        case "CONNECT": throw .refused("CONNECT asks for a tunnel, not for an answer")
        default: break
        }
    }
}

extension HTTPFields {
    /// `Connection: close` (RFC 9112, 9.6).
    var saysClose: Bool {
        guard !isEmpty, let options = self[.connection] else { return false }
        return options.split(separator: ",").contains { $0.trimmingWhiteSpace.lowercased() == "close" }
    }
}

extension EncodedRequest {
    /// The most bytes of a body that are sent together with the head.
    private static let mostBytesWithHead = 16 << 10

    /// Whether libcurl has a body to send. One of no bytes is announced by its field alone.
    var sendsBody: Bool {
        switch body {
        case .none: false
        case .bytes(let bytes): !bytes.isEmpty
        case .stream: true
        }
    }

    /// The body, if it is sent together with the head.
    var bodyWithHead: [UInt8]? {
        guard case .bytes(let bytes) = body, !bytes.isEmpty, bytes.count <= Self.mostBytesWithHead else { return nil }
        return bytes
    }
}

extension Substring {
    /// Without the spaces and tabs at either end (RFC 9110, 5.6.3).
    fileprivate var trimmingWhiteSpace: Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let begun = drop(while: isSpace)
        return begun.lastIndex { !isSpace($0) }.map { begun[...$0] } ?? ""
    }
}

extension HTTPRequestBody.Content {
    /// How many bytes it has, where that is known.
    var count: Int? {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .stream(let stream): stream.length
        }
    }

    var isEmpty: Bool { count == 0 }
}

extension PoolError {
    static func refused(_ reason: String) -> PoolError { PoolError(.invalidRequest, reason, phase: .submit) }
}
