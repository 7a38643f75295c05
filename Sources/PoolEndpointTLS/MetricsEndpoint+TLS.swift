private import Configuration
public import HTTPPool
public import Logging
private import NIOCore
private import NIOSSL
public import PoolEndpoint
public import PoolMetrics

extension MetricsEndpoint {
    /// Creates an endpoint that speaks TLS only, version 1.2 or later, with the certificate and key of
    /// `EndpointConfiguration.tlsCertificateFile` and `tlsKeyFile`.
    ///
    /// When the files change, new connections use the new ones; while they are invalid, the last valid ones.
    ///
    /// - Parameters:
    ///   - configuration: the addresses to listen on, the certificate and the key.
    ///   - registry: the pools to expose.
    ///   - logger: logs what `MetricsEndpoint.init(_:registry:logger:)` says, and a certificate that cannot be used.
    /// - Throws: `EndpointError` with code `tls` if the certificate or the key is missing, invalid or of another pair.
    public static func withTLS(
        _ configuration: EndpointConfiguration,
        registry: PoolRegistry = .process,
        logger: Logger
    ) throws(EndpointError) -> MetricsEndpoint {
        guard let certificate = configuration.tlsCertificateFile, let key = configuration.tlsKeyFile else {
            throw EndpointError(certificate: "a certificate and a key are needed", of: configuration)
        }
        let identity: TLSIdentity
        do {
            identity = try TLSIdentity(certificate: certificate, key: key, logger: logger)
        } catch {
            throw EndpointError(certificate: "\(error)", of: configuration)
        }
        return MetricsEndpoint(configuration, registry: registry, logger: logger) { channel in
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context()))
        }
    }

    /// ``withTLS(_:registry:logger:)`` with the configuration of the environment: `HTTP_CLIENT_METRICS_TLS_CERTIFICATE_FILE`,
    /// `HTTP_CLIENT_METRICS_TLS_KEY_FILE`, and the variables of `MetricsEndpoint.fromEnvironment(registry:logger:)`.
    ///
    /// - Throws: `ConfigurationError` naming every invalid variable, or `EndpointError`.
    public static func withTLSFromEnvironment(
        registry: PoolRegistry = .process,
        logger: Logger
    ) throws -> MetricsEndpoint {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        return try withTLS(PoolScopeConfiguration(config: config).endpoint, registry: registry, logger: logger)
    }
}
