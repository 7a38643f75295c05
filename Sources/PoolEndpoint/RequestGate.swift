import NIOHTTP1

/// Decides from the head of a request alone whether it is served.
struct RequestGate: Sendable {
    /// A request to be served.
    struct Admitted: Sendable {
        let method: HTTPMethod
        /// The decoded path, and the query as it was sent.
        let path: String
        let query: String
        let headers: HTTPHeaders
        /// Whether the response is the last of the connection.
        let isLast: Bool
        /// Whether more of this request may arrive, which is not read.
        let hasBody: Bool
    }

    let hosts: HostRule
    /// What a request must present; `nil` for nothing.
    var credentials: CredentialsFile?

    /// Probes have no secret, and these pages tell none.
    private static let open: Set<String> = ["/-/healthy", "/-/ready"]

    /// The methods of HTTP (RFC 9110, 9.3, and RFC 5789). All but two are refused as not allowed, others as unknown.
    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]

    func admit(_ head: RequestHead) throws(HeadFault) -> Admitted {
        let named = head.headers["Host"]
        guard named.count <= 1 else { throw .bad("a request has one Host") }
        guard !named.isEmpty || head.minorVersion == 0 else { throw .bad("a request of HTTP/1.1 has a Host") }
        guard Self.methods.contains(head.method) else { throw .method }
        let target = try RequestTarget(head.target, method: head.method)
        let hasBody = try head.hasBody
        for host in named { try (target.authority == nil ? hosts : .every).check(host) }
        if let authority = target.authority { try hosts.check(authority) }
        if let credentials, !Self.open.contains(target.path) {
            guard credentials.accepts(head.headers["Authorization"]) else { throw .unauthorized }
        }
        return Admitted(
            method: HTTPMethod(rawValue: head.method),
            path: target.path,
            query: target.query,
            headers: head.headers,
            // After CONNECT the peer may go on in another protocol. A request for an upgrade is served as it is, which
            // declines the upgrade (RFC 9110, 7.8).
            isLast: hasBody || !head.isKeptAlive || head.method == "CONNECT",
            hasBody: hasBody || head.method == "CONNECT"
        )
    }
}
