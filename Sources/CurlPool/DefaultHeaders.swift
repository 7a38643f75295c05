import HTTPPool
import HTTPTypes

/// The header fields of every request that does not have them itself, in libcurl's terms once and for all.
struct DefaultHeaders: Sendable {
    private let fields: [HTTPField]
    private let hasAcceptEncoding: Bool
    /// Whether every request asks for the end of its connection.
    let isLast: Bool
    /// All that a request without fields of its own has.
    private let withoutBody: HeaderList
    private let withBody: HeaderList

    /// The configuration's fields, which were checked, and the library's own name where they name no client.
    /// An empty `User-Agent` is none.
    init(_ configured: HTTPFields) {
        var fields = configured.filter { $0.name != .userAgent || $0.valueKind != .blank }
        if !configured.contains(.userAgent) {
            fields.append(HTTPField(name: .userAgent, value: "PoolScope/\(PoolScope.version)"))
        }
        self.fields = Array(fields)
        hasAcceptEncoding = configured.contains(.acceptEncoding)
        isLast = configured.saysClose
        withoutBody = HeaderList(self.fields, hasBody: false)
        withBody = HeaderList(self.fields, hasBody: true)
    }

    /// A request's own fields, checked, and those that it lacks.
    ///
    /// - Returns: the list, and whether it says which encodings the caller can read.
    func completing(
        _ own: HTTPFields,
        for body: RequestBody.Content
    ) throws(PoolError) -> (list: HeaderList, hasAcceptEncoding: Bool) {
        let hasBody = if case .none = body { false } else { true }
        if own.isEmpty { return (hasBody ? withBody : withoutBody, hasAcceptEncoding) }
        var sent: [HTTPField] = []
        sent.reserveCapacity(own.count + fields.count)
        for field in own {
            let kind = field.valueKind
            if kind == .forbidden { throw .refused("a header field's value holds a control character") }
            switch field.name {
            case .transferEncoding: throw .refused("the client writes Transfer-Encoding itself")
            case .contentLength:
                guard let count = body.count, field.value == String(count) else {
                    throw .refused("Content-Length is not the length of the body")
                }
            case .userAgent where kind == .blank: break
            default: sent.append(kind == .blank ? HTTPField(name: field.name, value: "") : field)
            }
        }
        for field in fields where !own.contains(field.name) { sent.append(field) }
        return (
            HeaderList(sent, hasBody: hasBody), hasAcceptEncoding || own.contains(.acceptEncoding)
        )
    }
}
