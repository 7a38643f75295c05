public import Configuration
public import HTTPPool

/// Where the endpoint listens.
public struct EndpointConfiguration: Sendable, Hashable {
    /// A host name or an IP address of this machine. Loopback: nobody outside sees the numbers unless told otherwise.
    public var host: String = "127.0.0.1"
    /// The TCP port, from 0 to 65535; 0 lets the system pick one, which the endpoint then says.
    public var port: Int = 9464

    /// The environment variable of ``host``.
    public static let hostVariable = "HTTP_CLIENT_METRICS_HOST"
    /// The environment variable of ``port``.
    public static let portVariable = "HTTP_CLIENT_METRICS_PORT"

    /// The defaults: `127.0.0.1:9464`.
    public init() {}

    /// Says both.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads the configuration from a `ConfigReader`; with the provider of environment variables from these:
    ///
    /// - `HTTP_CLIENT_METRICS_HOST` (127.0.0.1): the address to listen on; `0.0.0.0` is every one of the machine.
    /// - `HTTP_CLIENT_METRICS_PORT` (9464): the port; `0` lets the system pick one.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.metricsHost` and `httpClient.metricsPort`.
    /// - Throws: `ConfigurationError` naming every wrong variable, its value and what is allowed.
    public init(config: ConfigReader) throws(ConfigurationError) {
        self.init()
        let config = config.snapshot()
        var problems: [ConfigurationError.Problem] = []
        if let text = config.text(ofVariable: Self.hostVariable) { host = text }
        if let text = config.text(ofVariable: Self.portVariable) {
            if let number = Int(text) { port = number } else { problems.append(Self.problem(port: text)) }
        }
        // A port that could not be read stays at its default, so what is checked here is the rest.
        do { try validate() } catch { problems = error.problems + problems }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// Checks both values against what is allowed.
    ///
    /// - Throws: `ConfigurationError` with all that is wrong, not only the first.
    public func validate() throws(ConfigurationError) {
        var problems: [ConfigurationError.Problem] = []
        if host.isEmpty || !host.utf8.allSatisfy(Self.mayStandInHost) {
            let allowed = "a host name or an IP address, without brackets and port"
            problems.append(ConfigurationError.Problem(name: Self.hostVariable, value: host, allowed: allowed))
        }
        if !(0...65535).contains(port) { problems.append(Self.problem(port: String(port))) }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    private static func problem(port: String) -> ConfigurationError.Problem {
        let allowed = "a whole number from 0 to 65535; 0 picks a free port"
        return ConfigurationError.Problem(name: portVariable, value: port, allowed: allowed)
    }

    /// The characters of names and of addresses, `%` for the zone of an IPv6 address.
    private static func mayStandInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "%"):
            true
        default: false
        }
    }
}
