import CLibcurl
import HTTPPool
import HTTPTypes

/// A request in libcurl's terms, checked. Made on the caller's side, so that the pool's thread has less to do.
struct EncodedRequest: Sendable {
    let origin: Origin
    let url: String
    let method: String
    let headers: HeaderList
    let body: [UInt8]?
    let isHead: Bool
    let isIdempotent: Bool

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
        self.isIdempotent = isIdempotent
        switch body.content {
        case .none: self.body = carriesBody ? [] : nil
        case .bytes(let bytes): self.body = bytes
        case .stream: throw .refused("bodies that stream are not sent yet")
        }
        if isHead, !(self.body ?? []).isEmpty { throw .refused("a HEAD request carries no body") }
        headers = try HeaderList(request.headerFields, bodyCount: self.body?.count)
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

    init(_ fields: HTTPFields, bodyCount: Int?) throws(PoolError) {
        var lines: [String] = []
        for field in fields {
            switch field.name {
            case .transferEncoding: throw .refused("the client writes Transfer-Encoding itself")
            case .contentLength:
                guard Int(field.value) == bodyCount ?? 0 else {
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
        if bodyCount != nil { lines.append("Expect:") }
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
