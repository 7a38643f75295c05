import CLibcurl
import HTTPPool
import HTTPTypes

/// A request in libcurl's terms, checked. Made on the caller's side, so that the pool's thread has less to do.
struct EncodedRequest: Sendable {
    let origin: Origin
    let url: String
    let method: String
    let headers: HeaderList
    let body: RequestBody.Content
    let isHead: Bool
    /// Whether it may be sent twice: an idempotent method, and a body that is there a second time.
    let isRepeatable: Bool
    /// Whether it asks for encodings itself, and then unpacks itself.
    let hasOwnAcceptEncoding: Bool
    /// The socket to connect to, where the origin names one.
    let unixSocketPath: String? = nil

    /// A GET without a body.
    let isPlain: Bool

    /// - Throws: ``PoolError`` with code `invalidRequest`; its text repeats nothing of the request.
    init(_ request: HTTPRequest, body: RequestBody) throws(PoolError) {
        origin = try Origin(scheme: request.scheme, authority: request.authority)
        var path = request.path ?? "/"
        if path.isEmpty { path = "/" }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw .refused("the path must begin with / and hold no space and no control character")
        }
        guard request.method != .connect else { throw .refused("CONNECT asks for a tunnel, not for an answer") }
        url = Self.url(request, path: path)
        method = request.method.rawValue
        isHead = request.method == .head
        let (isIdempotent, carriesBody) = Self.nature(of: request.method)
        isRepeatable = isIdempotent && body.isReplayable
        let length: Int?
        switch body.content {
        case .none:
            self.body = carriesBody ? .bytes([]) : .none
            length = 0
        case .bytes(let bytes):
            self.body = body.content
            length = bytes.count
        case .stream(let stream):
            self.body = body.content
            length = stream.length
        }
        if isHead, length != 0 { throw .refused("a HEAD request carries no body") }
        hasOwnAcceptEncoding = request.headerFields[.acceptEncoding] != nil
        let hasBody = if case .none = self.body { false } else { true }
        isPlain = method == "GET" && !hasBody
        headers = try HeaderList(request.headerFields, hasBody: hasBody, length: length)
    }

    private static func url(_ request: HTTPRequest, path: String) -> String {
        var url = request.scheme ?? ""
        url.reserveCapacity(url.utf8.count + 3 + (request.authority?.utf8.count ?? 0) + path.utf8.count)
        url += "://"
        url += request.authority ?? ""
        url += path
        return url
    }

    /// Whether a method may be carried out twice, and whether it is defined to carry a body (RFC 9110, 9.2.2 and 9.3).
    private static func nature(of method: HTTPRequest.Method) -> (isIdempotent: Bool, carriesBody: Bool) {
        switch method {
        case .get, .head, .options, .trace, .delete: (true, false)
        case .put: (true, true)
        case .post, .patch: (false, true)
        default: (false, false)
        }
    }
}

/// Header fields as libcurl's list.
///
/// Sound as `Sendable`: the list is written in the initialiser and never again; libcurl only reads it.
final class HeaderList: @unchecked Sendable {
    private(set) var list: UnsafeMutablePointer<curl_slist>?

    init(_ fields: HTTPFields, hasBody: Bool, length: Int?) throws(PoolError) {
        var lines: [String] = []
        for field in fields {
            switch field.name {
            case .transferEncoding: throw .refused("the client writes Transfer-Encoding itself")
            case .contentLength:
                guard Int(field.value) == length else {
                    throw .refused("Content-Length is not the length of the body")
                }
                continue
            default: break
            }
            guard field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
                throw .refused("a header field's value holds a control character")
            }
            // libcurl reads "Name:" as "do not send it"; an empty value is asked for with a semicolon.
            lines.append(field.value.isEmpty ? "\(field.name.rawName);" : "\(field.name.rawName): \(field.value)")
        }
        // libcurl would wait for "100 Continue" before a large body.
        if hasBody { lines.append("Expect:") }
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                list = nil
                throw PoolError(.outOfResources, "no memory for the header fields", phase: .submit)
            }
            list = longer
        }
    }

    deinit { curl_slist_free_all(list) }
}

extension PoolError {
    static func refused(_ reason: String) -> PoolError { PoolError(.invalidRequest, reason, phase: .submit) }
}
