public import Configuration

extension PoolConfiguration {
    /// Reads the configuration from a `ConfigReader`; with the provider of environment variables from these:
    ///
    /// - `HTTP_CLIENT_MAX_CONNECTIONS` (200): connections at once, over all origins.
    /// - `HTTP_CLIENT_MAX_KEEPALIVE` (100, or the above where that is less): idle connections that are kept.
    /// - `HTTP_CLIENT_KEEPALIVE_EXPIRY` (30.0): seconds that an idle connection is kept; `0` keeps none.
    /// - `HTTP_CLIENT_TIMEOUT` (30.0): seconds for acquire, read and write, where these are not set themselves.
    /// - `HTTP_CLIENT_CONNECT_TIMEOUT` (10.0): seconds for DNS, TCP and TLS together.
    /// - `HTTP_CLIENT_POOL_TIMEOUT`, `HTTP_CLIENT_READ_TIMEOUT`, `HTTP_CLIENT_WRITE_TIMEOUT`: each by itself.
    /// - `HTTP_CLIENT_TOTAL_TIMEOUT` (none): seconds from submission to the last byte.
    /// - `HTTP_CLIENT_MAX_CONNECTIONS_PER_ORIGIN` (none), `HTTP_CLIENT_MAX_QUEUED` (none),
    ///   `HTTP_CLIENT_MAX_CONNECTION_LIFETIME` (none, seconds).
    /// - `HTTP_CLIENT_QUEUE_ORDER` (fair): `fair` between origins, or `fifo` over all of them.
    /// - `HTTP_CLIENT_HTTP2` (off): `off` or `negotiated`.
    /// - `HTTP_CLIENT_CA_FILE`: a PEM file with authorities that are trusted beside those of the system.
    /// - `HTTP_CLIENT_TLS_MIN_VERSION` (1.2): `1.2` or `1.3`.
    /// - `HTTP_CLIENT_PROXY` (none): `none`, `environment` or `http://[user:password@]host:port`.
    /// - `HTTP_CLIENT_NO_PROXY`: what such a proxy is not used for, separated by commas.
    /// - `HTTP_CLIENT_DECOMPRESSION` (off): `off` or `on`.
    /// - `HTTP_CLIENT_DNS_CACHE` (60.0): seconds that the addresses of a name are used; `0` looks up for each connection.
    /// - `HTTP_CLIENT_TCP_KEEPALIVE` (60): whole seconds of silence after which TCP asks whether the peer is there.
    ///
    /// Fractions of seconds are allowed. `none` lifts a limit that may be lifted.
    ///
    /// - Parameter config: the reader; the keys are `httpClient.maxConnections` and so on, which the provider of
    ///   environment variables spells as above.
    /// - Throws: ``ConfigurationError`` naming every wrong variable, its value and what is allowed.
    public init(config: ConfigReader) throws(ConfigurationError) {
        try self.init(snapshot: config.snapshot(), names: .variables)
    }

    /// Reads the configuration from what a reader says at one instant.
    package init(snapshot: ConfigSnapshotReader, names: SettingNames) throws(ConfigurationError) {
        var reading = SettingReading(config: snapshot, names: names)
        self.init()
        reading.readTimeoutForAll(into: &self)
        for setting in PoolSetting.allCases { reading.read(setting, into: &self) }
        for setting in TransportSetting.allCases { reading.read(setting, into: &self) }
        // Each value was checked when it was read; what is left are the rules between two. One of them measures against
        // `maxConnections`, and says nothing as long as that is wrong itself.
        if !reading.refused.contains(PoolSetting.maxConnections.variable) {
            do { try validate() } catch { reading.problems += error.problems }
        }
        if !reading.problems.isEmpty { throw ConfigurationError(problems: reading.problems) }
    }

    mutating func set(_ setting: PoolSetting, to value: PoolSetting.Value, from source: PoolSetting.Source) {
        switch (setting, value) {
        case (.maxConnections, .count(.some(let count))): limits.maxConnections = count
        case (.maxConnectionsPerOrigin, .count(let count)): limits.maxConnectionsPerOrigin = count
        case (.maxIdleConnections, .count(.some(let count))): limits.maxIdleConnections = count
        case (.maxQueuedRequests, .count(let count)): limits.maxQueuedRequests = count
        case (.queueOrder, .order(let order)): limits.queueOrder = order
        case (.keepaliveExpiry, .duration(let duration)): limits.keepaliveExpiry = duration
        case (.maxConnectionLifetime, .duration(let duration)): limits.maxConnectionLifetime = duration
        case (.connectTimeout, .duration(let duration)): timeouts.connect = duration
        case (.acquireTimeout, .duration(let duration)): timeouts.acquire = duration
        case (.readTimeout, .duration(let duration)): timeouts.read = duration
        case (.writeTimeout, .duration(let duration)): timeouts.write = duration
        case (.totalTimeout, .duration(let duration)): timeouts.total = duration
        default: return
        }
        attribute(setting, to: source)
    }
}

/// Reads one variable after the other and keeps what is wrong with them.
private struct SettingReading {
    let config: ConfigSnapshotReader
    let names: SettingNames
    var problems: [ConfigurationError.Problem] = []
    /// The variables whose values were wrong.
    var refused: Set<String> = []

    init(config: ConfigSnapshotReader, names: SettingNames) {
        self.config = config
        self.names = names
    }

    /// `HTTP_CLIENT_TIMEOUT` first, so that the variables of the single timeouts write over it.
    mutating func readTimeoutForAll(into configuration: inout PoolConfiguration) {
        let variable = PoolSetting.timeoutVariable
        let settings: [PoolSetting] = [.acquireTimeout, .readTimeout, .writeTimeout]
        // Read and write allow no zero, and a timeout for all three must be allowed for each.
        guard let value = value(of: variable, as: .readTimeout) else { return }
        for setting in settings { configuration.set(setting, to: value, from: source(variable)) }
    }

    mutating func read(_ setting: PoolSetting, into configuration: inout PoolConfiguration) {
        guard let value = value(of: setting.variable, as: setting) else { return }
        configuration.set(setting, to: value, from: source(setting.variable))
    }

    mutating func read(_ setting: TransportSetting, into configuration: inout PoolConfiguration) {
        guard let text = config.text(ofVariable: setting.variable, isSecret: setting.mayHoldSecret) else { return }
        var transport = configuration.transport
        do {
            try transport.set(setting, to: text)
            configuration.setTransport(transport, from: source(setting.variable), of: setting)
        } catch {
            refuse(setting, text, because: error)
        }
    }

    private mutating func refuse(
        _ setting: TransportSetting,
        _ text: String,
        because refusal: TransportSetting.Refusal
    ) {
        var allowed = setting.allowedText
        if refusal == .withoutServer {
            // What is wrong with the proxy itself is told already.
            guard !refused.contains(TransportSetting.proxy.variable) else { return }
            allowed = "only beside a URL in \(names.name(ofVariable: TransportSetting.proxy.variable))"
        }
        refuse(setting.variable, value: setting.shown(text), allowed: allowed)
    }

    /// The value of a variable; `nil` where it is missing or wrong. What is wrong is noted.
    private mutating func value(of variable: String, as setting: PoolSetting) -> PoolSetting.Value? {
        guard let text = config.text(ofVariable: variable) else { return nil }
        if let value = setting.parse(text), setting.allows(value) { return value }
        refuse(variable, value: text, allowed: setting.allowedText)
        return nil
    }

    private func source(_ variable: String) -> PoolSetting.Source { .environment(names.name(ofVariable: variable)) }

    private mutating func refuse(_ variable: String, value: String, allowed: String) {
        refused.insert(variable)
        let name = names.name(ofVariable: variable)
        problems.append(ConfigurationError.Problem(name: name, value: value, allowed: allowed))
    }
}

extension PoolSetting {
    /// Reads a value from text; `nil` where it is no value of this kind at all.
    fileprivate func parse(_ text: String) -> Value? {
        switch domain {
        case .count:
            if text == "none" { return .count(nil) }
            return Int(text).map { .count($0) }
        case .seconds: return Self.seconds(text)
        case .order: return QueueOrder(rawValue: text).map { .order($0) }
        }
    }

    /// Reads seconds, or `none`.
    static func seconds(_ text: String) -> Value? {
        if text == "none" { return .duration(nil) }
        // Swift's own reading would take hexadecimal too.
        guard text.utf8.allSatisfy("0123456789.eE+-".utf8.contains), let seconds = Double(text), seconds.isFinite,
            abs(seconds) <= mostSeconds
        else { return nil }
        return .duration(.nanoseconds(Int64((seconds * 1e9).rounded())))
    }
}
