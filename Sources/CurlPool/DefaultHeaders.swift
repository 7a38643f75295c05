import HTTPPool
import HTTPTypes
import Unpacking

/// The header fields of every request that does not have them itself, in libcurl's terms once and for all.
final class DefaultHeaders: Sendable {
    private let fields: [HTTPField]
    /// Added to every request that says nothing of codings and asks for no part of a body, where responses are unpacked.
    private let acceptEncoding: HTTPField?
    /// Whether there is such a field; to ask the field itself would copy it.
    private let asksForCodings: Bool
    /// Whether every request asks for the end of its connection.
    let isLast: Bool
    /// All that a request without fields of its own has.
    private let withoutBody: HeaderList
    private let withEmptyBody: HeaderList
    private let withBody: HeaderList

    /// The configuration's fields, which were checked, and the library's own name where they name no client.
    /// An empty `User-Agent` is none.
    ///
    /// - Parameter unpacks: whether responses are unpacked, and codings therefore asked for.
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

    /// A request's own fields, checked, and those that it lacks.
    ///
    /// - Returns: the list, and whether it asks for codings that the pool undoes.
    func completing(
        _ own: HTTPFields,
        for content: HTTPRequestBody.Content
    ) throws(PoolError) -> (list: HeaderList, unpacks: Bool) {
        let body = HeaderList.Body(content)
        if own.isEmpty { return (all(for: body), asksForCodings) }
        var sent: [HTTPField] = []
        sent.reserveCapacity(own.count + fields.count)
        for field in own {
            let kind = field.valueKind
            if kind == .forbidden { throw .refused("a header field's value holds a control character") }
            switch field.name {
            case .transferEncoding: throw .refused("the client writes Transfer-Encoding itself")
            case .contentLength:
                guard let count = content.count, field.value == String(count) else {
                    throw .refused("Content-Length is not the length of the body")
                }
            case .userAgent where kind == .blank: break
            default: sent.append(kind == .blank ? HTTPField(name: field.name, value: "") : field)
            }
        }
        for field in fields where !own.contains(field.name) { sent.append(field) }
        guard let acceptEncoding, own.leavesCodingsOpen else { return (HeaderList(sent, for: body), false) }
        sent.append(acceptEncoding)
        return (HeaderList(sent, for: body), true)
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
    /// Whether the pool may choose the codings. A range is one of the packed body's bytes where there is a coding, and no
    /// part of a packed body can be unpacked by itself; Go and OkHttp ask for none then either.
    fileprivate var leavesCodingsOpen: Bool { !contains(.acceptEncoding) && !contains(.range) }
}
