import CLibcurl
import HTTPPool

/// Decides the route of each request: direct, or through which proxy.
///
/// Decided here rather than by libcurl, because the pool resolves the peer's name, which is then the proxy's.
/// libcurl gets the result, and consults neither the environment nor a list of exceptions.
struct ProxyRules: Sendable {
    enum Route: Sendable, Hashable {
        case direct
        case proxy(Proxy)
    }

    /// A proxy in libcurl's terms.
    struct Proxy: Sendable, Hashable {
        /// In a form that libcurl reads.
        let address: Secret<String>
        let credentials: PoolProxy.Credentials?
        /// The proxy's name to resolve; `nil` for an address, or if libcurl resolves it: a SOCKS proxy from the
        /// environment may need the origin's name, its own, or both.
        let peer: NamedPeer?
    }

    /// The route of all requests; `nil` if it depends on the origin.
    let only: Route?
    private let plain: Route
    private let secure: Route
    private let exceptions: ProxyExceptions

    /// - Parameter environment: returns the value of a variable; `nil` if it is not set.
    init(_ proxy: PoolProxy, environment: (String) -> String?) {
        switch proxy {
        case .direct:
            (plain, secure) = (.direct, .direct)
            exceptions = ProxyExceptions([])
        case .server(let server):
            let route = Route.proxy(Proxy(server))
            (plain, secure) = (route, route)
            exceptions = ProxyExceptions(server.except)
        case .environment:
            // An empty variable counts as unset.
            func first(_ names: String...) -> String? {
                names.lazy.compactMap(environment).first { !$0.isEmpty }
            }
            let all = first("all_proxy", "ALL_PROXY")
            // Not HTTP_PROXY: a CGI program gets the header field `Proxy` of a request under that name.
            plain = (first("http_proxy") ?? all).map { .proxy(Proxy(fromEnvironment: $0)) } ?? .direct
            secure = (first("https_proxy", "HTTPS_PROXY") ?? all).map { .proxy(Proxy(fromEnvironment: $0)) } ?? .direct
            let list = first("no_proxy", "NO_PROXY") ?? ""
            exceptions = ProxyExceptions(list.split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init))
        }
        // A Unix socket is reached without the proxy, so a proxy is never the only route.
        only = plain == .direct && secure == .direct ? .direct : nil
    }

    /// Whether requests to the origin go through a proxy that is reached over TLS.
    func speaksTLS(to origin: Origin) -> Bool {
        guard only != .direct, case .proxy(let proxy) = route(to: origin) else { return false }
        return proxy.address.value.lowercased().hasPrefix("https://")
    }

    func route(to origin: Origin) -> Route {
        if origin.unixSocketPath != nil { return .direct }
        let route = origin.isSecure ? secure : plain
        return route == .direct || exceptions.cover(origin.host) ? .direct : route
    }

    /// The name to resolve before a connection for this origin can be opened; `nil` if no name is involved.
    func peer(of origin: Origin) -> NamedPeer? {
        if origin.unixSocketPath != nil { return nil }
        switch route(to: origin) {
        case .direct: return NamedPeer(host: origin.host, port: origin.port)
        case .proxy(let proxy): return proxy.peer
        }
    }
}

extension ProxyRules.Proxy {
    fileprivate init(_ server: PoolProxy.Server) {
        let host = Origin(scheme: "http", host: server.host, port: server.port).host
        address = Secret("\(server.scheme)://\(host):\(server.port)")
        credentials = server.credentials
        peer = NamedPeer(host: host, port: server.port)
    }

    /// Parses the value of such a variable as libcurl does: `proxy:3128`, `http://user:password@proxy/`.
    fileprivate init(fromEnvironment text: String) {
        let read = Self.read(text)
        address = Secret(read?.text ?? text)
        credentials = nil
        peer = read.flatMap { NamedPeer(host: $0.host, port: $0.port) }
    }

    /// Uses libcurl's own parser. `nil` if the text is not an HTTP proxy or not valid; libcurl then reports the
    /// error.
    private static func read(_ text: String) -> (text: String, host: String, port: UInt16)? {
        guard let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME) | UInt32(CURLU_GUESS_SCHEME)
        guard curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = part(CURLUPART_SCHEME, of: url), scheme == "http" || scheme == "https",
            let host = part(CURLUPART_HOST, of: url, UInt32(CURLU_URLDECODE))
        else { return nil }
        // libcurl's own defaults (1080 for proxies dates from when it supported SOCKS only).
        let port = part(CURLUPART_PORT, of: url).flatMap { UInt16($0) } ?? (scheme == "https" ? 443 : 1080)
        let name = Origin(scheme: "http", host: host, port: port).host
        if name == host.lowercased() { return (text, name, port) }
        guard curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK, let text = part(CURLUPART_URL, of: url)
        else { return nil }
        return (text, name, port)
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
