/// The limits and timeouts of a pool, each with the source that it came from.
///
/// The empty initialiser gives the defaults; `init(config:)` reads them from the environment; setting a property
/// by hand marks it as set by code.
public struct PoolConfiguration: Sendable, Hashable {
    /// How many connections, and for how long.
    public var limits: PoolLimits {
        get { currentLimits }
        set {
            let old = self
            currentLimits = newValue
            noteChanges(since: old)
        }
    }
    /// How long each phase of a request may take.
    public var timeouts: PoolTimeouts {
        get { currentTimeouts }
        set {
            let old = self
            currentTimeouts = newValue
            noteChanges(since: old)
        }
    }
    /// How requests travel: protocol, TLS, proxy.
    public var transport: PoolTransport {
        get { currentTransport }
        set {
            for setting in TransportSetting.allCases where !setting.isSame(in: newValue, and: currentTransport) {
                transportSources[setting] = .code
            }
            currentTransport = newValue
        }
    }
    private var currentLimits = PoolLimits()
    private var currentTimeouts = PoolTimeouts()
    private var currentTransport = PoolTransport()
    private var sources: [PoolSetting: PoolSetting.Source] = [:]
    private var transportSources: [TransportSetting: PoolSetting.Source] = [:]

    /// The defaults.
    public init() {}

    /// Where the value of `setting` comes from.
    public func source(of setting: PoolSetting) -> PoolSetting.Source { sources[setting] ?? .default }

    /// Where the value of a setting of the transport comes from.
    public func source(of setting: TransportSetting) -> PoolSetting.Source { transportSources[setting] ?? .default }

    /// The value of `setting`.
    public func value(of setting: PoolSetting) -> PoolSetting.Value {
        switch setting {
        case .maxConnections: .count(limits.maxConnections)
        case .maxConnectionsPerOrigin: .count(limits.maxConnectionsPerOrigin)
        case .maxIdleConnections: .count(limits.maxIdleConnections)
        case .maxQueuedRequests: .count(limits.maxQueuedRequests)
        case .queueOrder: .order(limits.queueOrder)
        case .keepaliveExpiry: .duration(limits.keepaliveExpiry)
        case .maxConnectionLifetime: .duration(limits.maxConnectionLifetime)
        case .connectTimeout: .duration(timeouts.connect)
        case .acquireTimeout: .duration(timeouts.acquire)
        case .readTimeout: .duration(timeouts.read)
        case .writeTimeout: .duration(timeouts.write)
        case .totalTimeout: .duration(timeouts.total)
        }
    }

    /// Notes where a value came from, after it was set.
    mutating func attribute(_ setting: PoolSetting, to source: PoolSetting.Source) {
        sources[setting] = source
        followMaxConnections()
    }

    /// Takes a transport in which one setting is another, and notes where that came from.
    mutating func setTransport(
        _ transport: PoolTransport,
        from source: PoolSetting.Source,
        of setting: TransportSetting
    ) {
        currentTransport = transport
        transportSources[setting] = source
    }

    /// The transport of `other`, with its sources.
    mutating func takeTransport(of other: PoolConfiguration) {
        currentTransport = other.currentTransport
        transportSources = other.transportSources
    }

    /// Whoever changes a property in code becomes its source; a property set to the value it had keeps its source.
    private mutating func noteChanges(since old: PoolConfiguration) {
        for setting in PoolSetting.allCases where value(of: setting) != old.value(of: setting) {
            sources[setting] = .code
        }
        followMaxConnections()
    }

    /// The idle limit that nobody set is never a reason for an error: it follows `maxConnections` down.
    private mutating func followMaxConnections() {
        guard source(of: .maxIdleConnections) == .default else { return }
        currentLimits.maxIdleConnections = min(PoolLimits.defaultMaxIdleConnections, max(0, limits.maxConnections))
    }
}

extension PoolConfiguration {
    /// Checks every value against what its setting allows.
    ///
    /// - Throws: ``ConfigurationError`` with all that is wrong, not only the first.
    public func validate() throws(ConfigurationError) {
        var problems: [ConfigurationError.Problem] = []
        for setting in PoolSetting.allCases where !setting.allows(value(of: setting)) {
            problems.append(problem(setting, allowed: setting.allowedText))
        }
        if limits.maxIdleConnections > limits.maxConnections, limits.maxConnections >= 1 {
            let ceiling = "\(name(of: .maxConnections)) (\(limits.maxConnections))"
            problems.append(problem(.maxIdleConnections, allowed: "at most \(ceiling)"))
        }
        problems += transport.problems { source(of: $0).variable ?? $0.variable }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    private func name(of setting: PoolSetting) -> String { source(of: setting).variable ?? setting.variable }

    private func problem(_ setting: PoolSetting, allowed: String) -> ConfigurationError.Problem {
        ConfigurationError.Problem(
            name: name(of: setting),
            value: value(of: setting).description,
            allowed: allowed
        )
    }
}

extension PoolSetting {
    /// More connections than a process could ever have descriptors for are a slip of the finger.
    static let mostConnections = 1_000_000
    /// A year; longer is a unit mistaken.
    static let mostSeconds = 31_536_000.0

    func allows(_ value: Value) -> Bool {
        switch (domain, value) {
        case (.count(_, let optional), .count(nil)): optional
        case (.count(let least, _), .count(.some(let count))): (least...Self.mostConnections).contains(count)
        case (.seconds, .duration(nil)), (.order, .order): true
        case (.seconds(let zeroAllowed), .duration(.some(let duration))):
            (duration > .zero || (zeroAllowed && duration == .zero)) && duration.inSeconds <= Self.mostSeconds
        default: false
        }
    }

    var allowedText: String {
        switch domain {
        case .count(let least, let optional):
            "a whole number from \(least) to \(Self.mostConnections)" + (optional ? ", or none" : "")
        case .seconds(let zeroAllowed):
            "seconds, \(zeroAllowed ? "from 0" : "above 0") to \(Int(Self.mostSeconds)), or none"
        case .order: QueueOrder.allCases.map(\.rawValue).joined(separator: ", ")
        }
    }
}
