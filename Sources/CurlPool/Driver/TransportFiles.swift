import HTTPPool

/// What a pool's transport reads besides its configuration, once, when the pool is created: files with certificates
/// and keys, and the environment's proxies.
struct TransportFiles: Sendable {
    /// The client certificate; empty without one.
    private(set) var certificate: [UInt8] = []
    /// The key of the client certificate; empty without one.
    private(set) var privateKey: [UInt8] = []
    /// `nil` if they cannot be read, which is one of the problems.
    private(set) var authorities: TrustedAuthorities?
    /// All problems: each file is checked, whatever is wrong with the others.
    private(set) var problems: [ConfigurationError.Problem] = []

    /// - Throws: ``PoolError`` with code `outOfResources`.
    init(_ configuration: PoolConfiguration) throws {
        let tls = configuration.transport.tls
        if let identity = tls.identity {
            certificate =
                try collect {
                    try identity.certificate.read("transport.tls.identity.certificate", holds: "CERTIFICATE-----")
                } ?? []
            privateKey =
                try collect {
                    try identity.privateKey.read("transport.tls.identity.privateKey", holds: "PRIVATE KEY-----")
                } ?? []
        }
        authorities = try collect { try TrustedAuthorities(tls.trust, name: configuration.name(of: .caFile)) }
        if configuration.transport.proxy == .environment {
            problems += EnvironmentProxies(TransportOptions.environment).problems
        }
    }

    /// Validates a configuration and reads its files.
    ///
    /// - Throws: `ConfigurationError` with the problems of both; ``PoolError`` with code `outOfResources`.
    static func checked(_ configuration: PoolConfiguration) throws -> TransportFiles {
        var problems: [ConfigurationError.Problem] = []
        do { try configuration.validate() } catch { problems = error.problems }
        let files = try TransportFiles(configuration)
        // An impossible path cannot be read either.
        problems += files.problems.filter { other in
            !problems.contains { other.name == $0.name || other.name.hasPrefix($0.name + ".") }
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        return files
    }

    /// Adds the problems of a configuration error, and returns `nil` for it.
    private mutating func collect<Value>(_ read: () throws -> Value) throws -> Value? {
        do {
            return try read()
        } catch let error as ConfigurationError {
            problems += error.problems
            return nil
        }
    }
}
