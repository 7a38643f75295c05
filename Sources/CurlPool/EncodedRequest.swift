import HTTPPool
import HTTPTypes

/// A validated request in libcurl's terms. Created on the caller's side, to take work off the pool's thread.
struct EncodedRequest: Sendable {
    let origin: Origin
    let address: RequestAddress
    /// The path of the Unix socket to connect to instead of the address's host.
    let unixSocketPath: String?
    let method: String
    let headers: HeaderList
    /// Whether the pool asks for codings and undoes them.
    let unpacks: Bool
    /// The trace that the request is part of, if it is sampled.
    let trace: TraceID?
    /// Not `none` for a method that is defined to carry a body: a missing body is sent as an empty one.
    let body: HTTPRequestBody.Content
    let isHead: Bool
    /// A GET without a body.
    let isPlain: Bool
    /// Whether the request asks to close its connection.
    let isLast: Bool
    /// Whether the request may be sent twice: the method is idempotent and the body replayable.
    let isRepeatable: Bool

    /// - Throws: ``PoolError`` with code `invalidRequest`; its text contains nothing from the request.
    init(_ request: HTTPRequest, body: HTTPRequestBody, defaults: DefaultHeaders) throws(PoolError) {
        // Locals first: a partially initialized struct would be copied on completion.
        let authority = request.authority ?? ""
        let origin = try Origin(scheme: request.scheme, authority: authority)
        let unixSocketPath = origin.unixSocketPath
        // The address of a Unix socket still needs a host, although none is resolved.
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
        // For a method that is not defined to carry a body, an empty one is not announced.
        case .bytes(let bytes) where bytes.isEmpty && !nature.carriesBody: content = .none
        case .stream(let stream) where (stream.length ?? 0) < 0: throw .refused("a body has no negative length")
        default: break
        }
        if nature.isHead, !content.isEmpty { throw .refused("a HEAD request cannot have a body") }
        var fields = request.headerFields
        if let contentType = body.contentType, !fields.contains(.contentType) { fields[.contentType] = contentType }
        let (headers, unpacks, trace) = try defaults.completing(fields, for: content)
        self.origin = origin
        self.address = address
        self.unixSocketPath = unixSocketPath
        self.method = method
        self.headers = headers
        self.trace = trace
        // The response to HEAD has no body to unpack, and its head describes the response to GET.
        self.unpacks = unpacks && !nature.isHead
        self.body = content
        isHead = nature.isHead
        isLast = defaults.isLast || request.headerFields.saysClose
        isPlain = if case .none = content { method == "GET" } else { false }
        isRepeatable = nature.isIdempotent && body.isReplayable
    }
}

/// The properties of a method.
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
        case "CONNECT": throw .refused("CONNECT is not supported: it opens a tunnel")
        default: break
        }
    }
}

extension HTTPFields {
    /// Whether `Connection: close` is set (RFC 9112, 9.6).
    var saysClose: Bool {
        guard !isEmpty, let options = self[.connection] else { return false }
        return options.split(separator: ",").contains { $0.trimmingWhiteSpace.lowercased() == "close" }
    }
}

extension EncodedRequest {
    /// The maximum size of a body that is sent together with the head, in bytes.
    private static let mostBytesWithHead = 16 << 10

    /// Whether libcurl has a body to send. An empty body is announced by its field alone.
    var sendsBody: Bool {
        switch body {
        case .none: false
        case .bytes(let bytes): !bytes.isEmpty
        case .stream: true
        }
    }

    /// The body, if it is sent together with the head.
    var bodyWithHead: [UInt8]? {
        guard case .bytes(let bytes) = body, Self.isSentWithHead(bytes) else { return nil }
        return bytes
    }

    /// Whether a body in memory is sent together with the head.
    static func isSentWithHead(_ bytes: [UInt8]) -> Bool { !bytes.isEmpty && bytes.count <= mostBytesWithHead }
}

extension Substring {
    /// The text without leading and trailing spaces and tabs (RFC 9110, 5.6.3).
    fileprivate var trimmingWhiteSpace: Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let begun = drop(while: isSpace)
        return begun.lastIndex { !isSpace($0) }.map { begun[...$0] } ?? ""
    }
}

extension HTTPRequestBody.Content {
    /// The length in bytes; `nil` if unknown.
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
