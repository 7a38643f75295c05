/// The proxy of a pool. `https` requests use a tunnel (CONNECT), `http` requests are forwarded.
@nonexhaustive
public enum PoolProxy: Sendable, Hashable {
    /// No proxy: connections go to the origin directly.
    case direct
    /// The environment variables `http_proxy` (lower case only), `https_proxy`, `all_proxy` and `no_proxy`, as curl
    /// reads them.
    case environment
    /// The given proxy.
    case server(Server)

    /// A proxy server.
    public struct Server: Sendable, Hashable {
        /// The scheme of the connection to the proxy: `http` or `https`.
        public var scheme: String
        /// The host; an IPv6 address in brackets.
        public var host: String
        /// The TCP port.
        public var port: UInt16
        /// The credentials, if the proxy requires them.
        public var credentials: Credentials?
        /// Hosts, domains (`.internal`) and networks (`10.0.0.0/8`) that are reached directly.
        public var except: [String] = []

        /// Creates a proxy that is reached over plain HTTP.
        public init(host: String, port: UInt16, credentials: Credentials? = nil, except: [String] = []) {
            scheme = "http"
            self.host = host
            self.port = port
            self.credentials = credentials
            self.except = except
        }
    }

    /// User name and password.
    public struct Credentials: Sendable, Hashable {
        /// The user name.
        public var user: Secret<String>
        /// The password.
        public var password: Secret<String>

        /// Creates credentials.
        public init(user: String, password: String) {
            self.user = Secret(user)
            self.password = Secret(password)
        }
    }
}
