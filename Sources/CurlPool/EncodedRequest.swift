import HTTPPool
import HTTPTypes

/// A request in libcurl's terms, checked. Made on the caller's side, so that the pool's thread has less to do.
struct EncodedRequest: Sendable {
    let origin: Origin
    /// Ended by a zero, as libcurl wants it.
    let url: [CChar]
    /// The path of the socket that is to be connected to in place of the URL's host.
    let unixSocketPath: String?
    let method: String
    let headers: HeaderList
    /// Whether the caller says which encodings it can read.
    let hasOwnAcceptEncoding: Bool
    /// A method that is defined to carry a body has one, if an empty one.
    let body: RequestBody.Content
    let isHead: Bool
    /// A GET without a body.
    let isPlain: Bool
    /// Whether it may be sent a second time: an idempotent method, and a body that is there again.
    let isRepeatable: Bool

    /// - Throws: ``PoolError`` with code `invalidRequest`; its text repeats nothing of the request.
    init(_ request: HTTPRequest, body: RequestBody, defaults: DefaultHeaders) throws(PoolError) {
        // Locals first: a struct that could still be left half made is copied when it is done.
        let authority = request.authority ?? ""
        let origin = try Origin(scheme: request.scheme, authority: authority)
        let unixSocketPath = origin.unixSocketPath
        let url = try Self.url(origin, authority: unixSocketPath == nil ? authority : nil, path: request.path ?? "")
        let method = request.method.rawValue
        let nature = try MethodNature(of: method)
        var content = body.content
        if case .none = content, nature.carriesBody { content = .bytes([]) }
        if nature.isHead, !content.isEmpty { throw .refused("a HEAD request carries no body") }
        let (headers, hasOwnAcceptEncoding) = try defaults.completing(request.headerFields, for: content)
        self.origin = origin
        self.url = url
        self.unixSocketPath = unixSocketPath
        self.method = method
        self.headers = headers
        self.hasOwnAcceptEncoding = hasOwnAcceptEncoding
        self.body = content
        isHead = nature.isHead
        isPlain = if case .none = content { method == "GET" } else { false }
        isRepeatable = nature.isIdempotent && body.isReplayable
    }

    /// Scheme, authority and path after each other. A socket's URL names a host, though none is looked up.
    private static func url(_ origin: Origin, authority: String?, path: String) throws(PoolError) -> [CChar] {
        let isSecure = origin.scheme.utf8.count == "https".utf8.count || origin.scheme == "https+unix"
        let scheme = isSecure ? "https://" : "http://"
        let authority = authority ?? "localhost"
        let path = path.isEmpty ? "/" : path
        guard isPath(path.utf8.span) else {
            throw .refused("the path must begin with / and hold no space and no control character")
        }
        let count = scheme.utf8.count + authority.utf8.count + path.utf8.count + 1
        return [CChar](unsafeUninitializedCapacity: count) { url, written in
            guard let start = url.baseAddress else { return }
            var writer = ByteWriter(at: start)
            writer.put(scheme)
            writer.put(authority)
            writer.put(path)
            writer.put(0)
            written = count
        }
    }

    private static func isPath(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where bytes[index] <= 0x20 || bytes[index] == 0x7f { return false }
        return bytes[0] == UInt8(ascii: "/")
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

extension RequestBody.Content {
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
