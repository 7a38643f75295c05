/// Through which proxy requests go. `https` goes through a tunnel (CONNECT), `http` is forwarded.
@nonexhaustive
public enum PoolProxy: Sendable, Hashable {
    /// Connections go straight to the origin.
    case direct
    /// What `http_proxy` (lower case only), `https_proxy`, `all_proxy` and `no_proxy` say, as curl reads them.
    case environment
    /// This one.
    case server(Server)

    /// A proxy.
    public struct Server: Sendable, Hashable {
        /// `http` or `https`: how the proxy itself is spoken to.
        public var scheme: String
        /// Its host; an IPv6 address in brackets.
        public var host: String
        /// Its port.
        public var port: UInt16
        /// User and password, where it wants them.
        public var credentials: Credentials?
        /// Hosts, domains (`.internal`) and networks (`10.0.0.0/8`) that are reached directly.
        public var except: [String] = []

        /// Names a proxy that is spoken to over plain HTTP.
        public init(host: String, port: UInt16, credentials: Credentials? = nil, except: [String] = []) {
            scheme = "http"
            self.host = host
            self.port = port
            self.credentials = credentials
            self.except = except
        }
    }

    /// User and password.
    public struct Credentials: Sendable, Hashable {
        /// Who asks.
        public var user: Secret<String>
        /// What proves it.
        public var password: Secret<String>

        /// Names both.
        public init(user: String, password: String) {
            self.user = Secret(user)
            self.password = Secret(password)
        }
    }
}
