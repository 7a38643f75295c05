public import Configuration

/// Where the endpoint of the module PoolEndpoint listens, and what it exposes.
public struct EndpointConfiguration: Sendable, Hashable {
    /// Host names or IP addresses of this machine, separated by commas. Loopback by default, so that the endpoint is not
    /// reachable from outside.
    public var host: String {
        get { values.host }
        set { change { $0.host = newValue } }
    }
    /// The TCP port, from 0 to 65535. With 0 the system picks a port, which the endpoint reports.
    public var port: Int {
        get { values.port }
        set { change { $0.port = newValue } }
    }
    /// The path of a Unix domain socket to listen on as well; `nil` for none. Only the process's own user can connect.
    public var unixSocket: String? {
        get { values.unixSocket }
        set { change { $0.unixSocket = newValue } }
    }
    /// Whether `/metrics` has the families about the process. Switch it off where another library exposes them.
    public var processMetrics: Bool {
        get { values.processMetrics }
        set { change { $0.processMetrics = newValue } }
    }
    /// The path of a file of accepted credentials: each line is `bearer TOKEN` or `basic USER:PASSWORD`. It is read again when
    /// it changes. `/-/healthy` and `/-/ready` require none, because probes have no secret. `nil` disables authentication.
    public var credentialsFile: String? {
        get { values.credentialsFile }
        set { change { $0.credentialsFile = newValue } }
    }
    /// The paths of the endpoint's certificate and its private key in PEM form, for an endpoint of the module
    /// PoolEndpointTLS. Any other endpoint does not start with them.
    public var tlsCertificateFile: String? {
        get { values.tlsCertificateFile }
        set { change { $0.tlsCertificateFile = newValue } }
    }
    /// See ``tlsCertificateFile``.
    public var tlsKeyFile: String? {
        get { values.tlsKeyFile }
        set { change { $0.tlsKeyFile = newValue } }
    }

    /// ``host``, one by one.
    package var hosts: [String] { EndpointHosts.list(host) }

    /// The effective values, without their sources. The key paths of the table of settings point here.
    struct Values: Sendable, Hashable {
        var host = "127.0.0.1"
        var port = 9464
        var unixSocket: String?
        var processMetrics = true
        var credentialsFile: String?
        var tlsCertificateFile: String?
        var tlsKeyFile: String?
    }
    var values = Values()
    var sources = SettingSources()

    /// The defaults: `127.0.0.1:9464`.
    public init() {}

    /// Creates a configuration from an address, or from several hosts separated by commas and their port.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads the configuration from a `ConfigReader`. With the provider of environment variables it reads
    /// the variables that begin with `HTTP_CLIENT_METRICS_`.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.metricsHost`, `httpClient.metricsPort` and so on.
    /// - Throws: ``ConfigurationError`` naming every invalid variable or key, its value and the allowed values.
    public init(config: ConfigReader) throws(ConfigurationError) {
        self = try PoolScopeConfiguration(config: config).endpoint
    }

    /// The endpoint's part of a snapshot; `nil` if any part of its configuration is invalid.
    package init?(snapshot: ConfigSnapshotReader) {
        guard let read = try? PoolScopeConfiguration(snapshot: snapshot) else { return nil }
        self = read.endpoint
    }

    /// Validates every value. Host names are not resolved.
    ///
    /// - Throws: ``ConfigurationError`` with all problems.
    public func validate() throws(ConfigurationError) {
        let problems = PoolSetting.endpoint.compactMap { setting in
            setting.problem(in: PoolScopeConfiguration(endpoint: self)).map { sources.problem(setting, $0) }
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// The source of the value of `setting`.
    public func source(of setting: PoolSetting) -> PoolSetting.Source { sources[setting] }

    /// The value of `setting`.
    public func value(of setting: PoolSetting) -> PoolSetting.Value {
        setting.value(in: PoolScopeConfiguration(endpoint: self))
    }

    private mutating func change(_ body: (inout Values) -> Void) {
        let old = PoolScopeConfiguration(endpoint: self)
        body(&values)
        let new = PoolScopeConfiguration(endpoint: self)
        for setting in PoolSetting.endpoint where !setting.isSame(in: old, and: new) { sources[setting] = .code }
    }

    /// Whether both have the same values, regardless of sources.
    public static func == (a: EndpointConfiguration, b: EndpointConfiguration) -> Bool { a.values == b.values }
    /// Hashes the values, not the sources.
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
