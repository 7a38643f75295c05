import HTTPPool
import HTTPTypes
import Unpacking

/// The header fields added to requests that do not set them, converted for libcurl once.
final class DefaultHeaders: Sendable {
    private let fields: [HTTPField]
    /// Added to requests that set neither `Accept-Encoding` nor `Range`; `nil` if responses are not unpacked.
    private let acceptEncoding: HTTPField?
    /// Whether `acceptEncoding` is set. Testing that field itself would copy it.
    private let asksForCodings: Bool
    /// Whether every request asks to close its connection.
    let isLast: Bool
    /// The lists for a request without fields of its own.
    private let withoutBody: HeaderList
    private let withEmptyBody: HeaderList
    private let withBody: HeaderList

    /// Combines the configuration's fields, which have been validated, with the library's own `User-Agent` unless
    /// they contain one. An empty `User-Agent` suppresses the field.
    ///
    /// - Parameter unpacks: whether responses are unpacked, and `Accept-Encoding` is therefore sent.
    init(_ configured: HTTPFields, unpacks: Bool = false) {
        var fields = configured.filter { $0.name != .userAgent || $0.valueKind != .blank }
        if !configured.contains(.userAgent) {
            fields.append(HTTPField(name: .userAgent, value: "PoolScope/\(PoolScopeVersion.current)"))
        }
        self.fields = Array(fields)
        acceptEncoding =
            unpacks && configured.leavesCodingsOpen
            ? HTTPField(name: .acceptEncoding, value: ContentCoding.accepted) : nil
        asksForCodings = acceptEncoding != nil
        isLast = configured.saysClose
        let sent = self.fields + (acceptEncoding.map { [$0] } ?? [])
        withoutBody = HeaderList(sent, for: .none)
        withEmptyBody = HeaderList(sent, for: .empty)
        withBody = HeaderList(sent, for: .some)
    }

    /// Validates a request's own fields and adds the defaults that it lacks.
    ///
    /// - Returns: the list, whether it asks for codings that the pool undoes, and the trace of the request's own
    ///   `traceparent`.
    /// - Throws: ``PoolError`` with code `invalidRequest`.
    func completing(
        _ own: HTTPFields,
        for content: HTTPRequestBody.Content
    ) throws(PoolError) -> (list: HeaderList, unpacks: Bool, trace: TraceID?) {
        let body = HeaderList.Body(content)
        if own.isEmpty { return (all(for: body), asksForCodings, nil) }
        var sent: [HTTPField] = []
        sent.reserveCapacity(own.count + fields.count)
        var trace = TraceField()
        for field in own {
            trace.take(field)
            let kind = field.valueKind
            if kind == .forbidden { throw .refused("a header field value contains a control character") }
            switch field.name {
            case .transferEncoding: throw .refused("Transfer-Encoding cannot be set: the client generates it")
            case .contentLength:
                guard let count = content.count, field.value == String(count) else {
                    throw .refused("Content-Length does not match the length of the body")
                }
            case .userAgent where kind == .blank: break
            default: sent.append(kind == .blank ? HTTPField(name: field.name, value: "") : field)
            }
        }
        for field in fields where !own.contains(field.name) { sent.append(field) }
        guard let acceptEncoding, own.leavesCodingsOpen else { return (HeaderList(sent, for: body), false, trace.id) }
        sent.append(acceptEncoding)
        return (HeaderList(sent, for: body), true, trace.id)
    }

    private func all(for body: HeaderList.Body) -> HeaderList {
        switch body {
        case .none: withoutBody
        case .empty: withEmptyBody
        case .some: withBody
        }
    }
}

extension HeaderList.Body {
    fileprivate init(_ content: HTTPRequestBody.Content) {
        switch content {
        case .none: self = .none
        case .bytes(let bytes): self = bytes.isEmpty ? .empty : .some
        case .stream: self = .some
        }
    }
}

extension HTTPFields {
    /// Whether the pool may choose the codings. With a coding, a range refers to the bytes of the packed body, and
    /// a part of a packed body cannot be unpacked on its own; Go and OkHttp do not request codings then either.
    fileprivate var leavesCodingsOpen: Bool { !contains(.acceptEncoding) && !contains(.range) }
}
