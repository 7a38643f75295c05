import HTTPPool

/// Where an endpoint listens, as `poolscope check` and `poolscope top` take it.
struct StatusAddress: Sendable, Hashable {
    static let defaultPort = 9464

    let scheme: String
    let authority: String
    /// What the paths of the pages follow, such as `/orders` behind a proxy that forwards by prefix; empty at the root.
    let prefix: String
    /// The address in messages. It has no userinfo and no query.
    let name: String

    /// Parses `host`, `host:port`, `http://host:port`, `https://…` or `unix:/path`.
    ///
    /// - Throws: ``TargetError``. Its text does not repeat the address, which may contain a password.
    init(_ text: String) throws(TargetError) {
        if text.hasPrefix("unix:") {
            try self.init(socket: String(text.dropFirst("unix:".count)))
        } else if text.contains("://") {
            try self.init(url: text)
        } else {
            // Without a scheme the default is the endpoint's own port, not that of http.
            let authority = text.prefix { !"/?#".contains($0) }
            let hasPort = authority.contains { $0 == ":" } && !authority.hasSuffix("]")
            try self.init(
                url: "http://\(authority)\(hasPort ? "" : ":\(Self.defaultPort)")\(text.dropFirst(authority.count))"
            )
        }
    }

    private init(url: String) throws(TargetError) {
        guard let parts = URIReference(Array(url.utf8)), let authority = parts.authority, !authority.isEmpty else {
            throw TargetError("the address must be host:port, http://host:port, https://host:port or unix:/path")
        }
        guard !authority.contains("@") else { throw TargetError("the address must not contain a user or a password") }
        guard parts.scheme == "http" || parts.scheme == "https" else {
            throw TargetError("the scheme must be http or https")
        }
        do {
            let origin = try Origin(scheme: parts.scheme, authority: authority)
            scheme = origin.scheme
            name = origin.scheme == "http" ? String("\(origin)".dropFirst("http://".count)) : "\(origin)"
        } catch {
            throw TargetError(error.reason)
        }
        self.authority = authority
        prefix = String(parts.path.reversed().drop { $0 == "/" }.reversed())
    }

    /// - Parameter socket: the path of a Unix domain socket.
    init(socket path: String) throws(TargetError) {
        guard path.hasPrefix("/") else { throw TargetError("the path of the socket must be absolute: unix:/path") }
        let digits = Array("0123456789ABCDEF")
        let encoded = path.utf8.map { "%\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
        do {
            _ = try Origin(scheme: "http+unix", authority: encoded)
        } catch {
            throw TargetError(error.reason)
        }
        scheme = "http+unix"
        authority = encoded
        prefix = ""
        name = "unix:\(path)".printable
    }

    /// The endpoint of a service with the same environment: its socket, else its first host and its port.
    ///
    /// - Throws: ``TargetError``.
    init(environment: [String: String]) throws(TargetError) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("HTTP_CLIENT_METRICS_SOCKET") {
            try self.init(socket: path)
            return
        }
        let hosts = (value("HTTP_CLIENT_METRICS_HOST") ?? "127.0.0.1").split(separator: ",")
        let host = hosts.first.map { $0.filter { $0 != " " && $0 != "[" && $0 != "]" } } ?? "127.0.0.1"
        // An endpoint that listens on every address also listens on loopback.
        let reachable = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        let port = value("HTTP_CLIENT_METRICS_PORT") ?? "\(Self.defaultPort)"
        try self.init(url: "http://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(port)")
    }
}
