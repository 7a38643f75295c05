import HTTPPool
import HTTPTypes
import Tracing

/// What a span says of its request, by OpenTelemetry's semantic conventions for HTTP clients.
struct RequestAttributes {
    private let values: [(String, SpanAttribute)]

    init(_ request: HTTPRequest, _ options: RequestOptions) {
        var values: [(String, SpanAttribute)] = []
        if let method = Self.name(of: request.method) {
            values.append(("http.request.method", .string(method)))
        } else {
            values.append(("http.request.method", .string("_OTHER")))
            values.append(("http.request.method_original", .string(request.method.rawValue)))
        }
        // What cannot be read, or has userinfo, is refused by the client. Nothing of it is shown.
        if let origin = try? Origin(scheme: request.scheme, authority: request.authority) {
            values.append(("url.full", .string(Self.url(origin, request.path))))
            values.append(("server.address", .string(Self.address(of: origin))))
            if origin.unixSocketPath == nil { values.append(("server.port", .int64(Int64(origin.port)))) }
        }
        if options.resendCount > 0 {
            values.append(("http.request.resend_count", .int64(Int64(options.resendCount))))
        }
        values.append(("http_client_pool.site", .string(options.site.name)))
        self.values = values
    }

    func set(in attributes: inout SpanAttributes) { for (name, value) in values { attributes.set(name, value: value) } }

    /// The methods of RFC 9110 and PATCH, which the conventions call known. They are few, so that nothing that a caller
    /// makes up becomes the name of a span.
    private static let known: Set<String> = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ]

    /// The method as the conventions write it; `nil` if it is not a known one.
    static func name(of method: HTTPRequest.Method) -> String? {
        known.contains(method.rawValue) ? method.rawValue : nil
    }

    /// The URL without userinfo, which an origin has not, and without query and fragment.
    private static func url(_ origin: Origin, _ path: String?) -> String {
        let isDefault = origin.port == (origin.scheme.hasPrefix("https") ? 443 : 80) || origin.unixSocketPath != nil
        let authority = isDefault ? origin.host : "\(origin.host):\(origin.port)"
        let path = (path ?? "/").utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return "\(origin.scheme)://\(authority)\(Substring(path))"
    }

    /// The name or address of the server, an IPv6 address without its brackets; the path of a Unix domain socket.
    private static func address(of origin: Origin) -> String {
        if let path = origin.unixSocketPath { return path }
        return origin.host.hasPrefix("[") ? String(origin.host.dropFirst().dropLast()) : origin.host
    }
}
