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
    /// The proxies for people, by whether the origin is secure.
    private let places: (plain: String?, secure: String?)

    /// - Parameters:
    ///   - setting: the name of the setting that holds `proxy`, for errors.
    ///   - environment: returns the value of a variable; `nil` if it is not set.
    init(
        _ proxy: PoolProxy,
        setBy setting: String = PoolSetting.proxy.property,
        environment: (String) -> String?
    ) {
        switch proxy {
        case .direct:
            (plain, secure) = (.direct, .direct)
            exceptions = ProxyExceptions([])
            places = (nil, nil)
        case .server(let server):
            let route = Route.proxy(Proxy(server))
            (plain, secure) = (route, route)
            exceptions = ProxyExceptions(server.except)
            let place = "\(server.host):\(server.port) (\(setting))"
            places = (place, place)
        case .environment:
            let variables = EnvironmentProxies(environment)
            plain = variables.plain.map { .proxy(Proxy(fromEnvironment: $0.value)) } ?? .direct
            secure = variables.secure.map { .proxy(Proxy(fromEnvironment: $0.value)) } ?? .direct
            exceptions = ProxyExceptions(variables.exceptions)
            places = (variables.plain?.place, variables.secure?.place)
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

    /// The proxy of requests to the origin as errors name it, with the setting or variable that holds it:
    /// `proxy:3128 (https_proxy)`. Without user and password; `nil` without a proxy.
    func place(for origin: Origin) -> String? {
        route(to: origin) == .direct ? nil : origin.isSecure ? places.secure : places.plain
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

    /// The value of such a variable. A pool whose environment has an invalid one is not created; libcurl would
    /// report the error.
    fileprivate init(fromEnvironment text: String) {
        let url = ProxyURL(text)
        address = Secret(url?.text ?? text)
        credentials = nil
        peer = url.flatMap { $0.isHTTP ? NamedPeer(host: $0.host, port: $0.port) : nil }
    }
}

extension EnvironmentProxies.Variable {
    /// The proxy as errors name it.
    fileprivate var place: String { ProxyURL(value).map { "\($0.host):\($0.port) (\(name))" } ?? name }
}
