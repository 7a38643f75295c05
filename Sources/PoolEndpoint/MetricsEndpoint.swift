internal import AcceptGuarding
private import Configuration
private import Glibc
public import HTTPPool
public import Logging
package import NIOCore
import NIOPosix
public import PoolMetrics
public import ServiceLifecycle
import Synchronization

/// The HTTP endpoint for metrics: `/metrics` for Prometheus, `/` as text for people, and `/-/healthy`.
///
/// It runs on a thread of its own and waits for no task, so it responds even if every Swift concurrency thread is
/// blocked. In a `ServiceGroup`, list it before the services whose pools it exposes, so that it outlives them.
public final class MetricsEndpoint: Service, Sendable {
    /// Adds handlers to the channel of a new connection, before the endpoint's own. It is called on the channel's event loop.
    package typealias Security = @Sendable (any Channel) throws -> Void

    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let sockets: EventLoopFuture<[ListeningSocket]>
        var addresses: [EndpointAddress] = []
    }

    private let configuration: EndpointConfiguration
    private let routes: EndpointRoutes
    private let counters: EndpointCounters
    private let logger: Logger
    private let allowance: Allowance
    /// Adds the TLS handler to the channel of a new connection; `nil` for an endpoint without TLS.
    private let security: Security?
    private let running = Mutex<Running?>(nil)
    private let shutdown = ShutdownFlag()
    /// Whether file descriptors are scarce.
    let scarcity = AcceptGuard.Scarcity()

    /// Creates an endpoint. It does not listen before ``start()`` or ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: the addresses to listen on, and what to expose.
    ///   - registry: the pools to expose.
    ///   - logger: logs the addresses at info level; as warnings, an address that other machines may reach, untested
    ///     libraries, and refused connections and requests, once a minute at most for each reason.
    public convenience init(
        _ configuration: EndpointConfiguration = EndpointConfiguration(),
        registry: PoolRegistry = .process,
        logger: Logger
    ) {
        self.init(configuration, registry: registry, logger: logger, allowance: Allowance())
    }

    /// Creates an endpoint that listens on `HTTP_CLIENT_METRICS_HOST` (default 127.0.0.1) and
    /// `HTTP_CLIENT_METRICS_PORT` (default 9464).
    ///
    /// - Parameters:
    ///   - registry: the pools to expose.
    ///   - logger: logs what ``init(_:registry:logger:)`` says.
    /// - Throws: `ConfigurationError` naming every invalid variable, including the pool's.
    public static func fromEnvironment(
        registry: PoolRegistry = .process,
        logger: Logger
    ) throws(ConfigurationError) -> MetricsEndpoint {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        return MetricsEndpoint(try PoolScopeConfiguration(config: config).endpoint, registry: registry, logger: logger)
    }

    /// Creates an endpoint whose connections are encrypted.
    package convenience init(
        _ configuration: EndpointConfiguration,
        registry: PoolRegistry,
        logger: Logger,
        security: @escaping Security
    ) {
        self.init(configuration, registry: registry, logger: logger, allowance: Allowance(), security: security)
    }

    init(
        _ configuration: EndpointConfiguration,
        registry: PoolRegistry,
        logger: Logger,
        allowance: Allowance,
        security: Security? = nil
    ) {
        self.security = security
        let counters = EndpointCounters()
        self.configuration = configuration
        self.counters = counters
        self.routes = EndpointRoutes(
            registry: registry,
            hasProcess: configuration.processMetrics,
            counters: counters,
            shutdown: shutdown
        )
        self.logger = logger
        self.allowance = allowance
    }

    /// A service that makes `/-/ready` respond with 503 from the beginning of a shutdown, if it is the last of the service group.
    public var shutdownNotice: ShutdownNotice { ShutdownNotice(flag: shutdown) }

    /// The port that it listens on; `nil` while it does not listen.
    public var port: Int? { addresses.first?.port }

    /// The addresses that it listens on, in the order of the configuration; empty while it does not listen.
    public var addresses: [EndpointAddress] { running.withLock { $0?.addresses ?? [] } }

    /// Starts to listen. Has no effect if it is already listening.
    ///
    /// - Returns: the first host, and the port that was configured or picked by the system.
    /// - Throws: `ConfigurationError` for invalid values; ``EndpointError`` if an address is not available.
    @discardableResult
    public func start() async throws -> EndpointAddress {
        try configuration.validate()
        guard (configuration.tlsCertificateFile ?? configuration.tlsKeyFile) == nil || security != nil else {
            throw EndpointError(.tlsNotBuilt, listeningAt: configuration)
        }
        let listening = running.withLock { running in
            if let running { return running.sockets }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let sockets = listen(on: group)
            running = Running(group: group, sockets: sockets)
            return sockets
        }
        let sockets: [ListeningSocket]
        do {
            sockets = try await listening.get()
        } catch {
            await stop()
            throw EndpointError(error, listeningAt: configuration)
        }
        let addresses = sockets.compactMap(\.address)
        let isNews = running.withLock { running in
            defer { running?.addresses = addresses }
            return running?.addresses.isEmpty == true
        }
        if isNews { log(sockets) }
        return addresses.first ?? EndpointAddress(host: configuration.host, port: configuration.port)
    }

    /// Listens until the service group shuts down gracefully or the task is cancelled.
    ///
    /// - Throws: the errors of ``start()``.
    public func run() async throws {
        try await start()
        // Throws if the task is cancelled, which also means to stop.
        try? await gracefulShutdown()
        await stop()
    }

    /// Closes the listeners and every connection. Has no effect if it is not listening.
    public func stop() async {
        let stopped = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let stopped else { return }
        let sockets = try? await stopped.sockets.get()
        // Shutting the group down closes its channels; it fails only if it was shut down before.
        try? await stopped.group.shutdownGracefully()
        for socket in sockets ?? [] { socket.file?.remove() }
    }

    private func log(_ sockets: [ListeningSocket]) {
        for socket in sockets {
            guard let address = socket.address else {
                let path = configuration.unixSocket ?? ""
                logger.info("metrics endpoint is listening", metadata: ["socket": "\(path)"])
                continue
            }
            logger.info("metrics endpoint is listening", metadata: ["address": "\(address)"])
            if socket.isLoopback { continue }
            let isOpen = configuration.credentialsFile == nil
            let inClear = security == nil
            guard isOpen || inClear else { continue }
            let what = [
                isOpen ? "which it does not authenticate" : nil, inClear ? "and what it sends is not encrypted" : nil,
            ]
            logger.warning(
                "metrics endpoint can be reached by other machines, \(what.compactMap { $0 }.joined(separator: ", "))",
                metadata: ["address": "\(address)"]
            )
        }
        for caution in routes.cautions { logger.warning("\(caution)") }
    }

    // MARK: Listening

    private func listen(on group: MultiThreadedEventLoopGroup) -> EventLoopFuture<[ListeningSocket]> {
        let loop = group.next()
        // On the endpoint's own thread, which may wait for a resolver.
        return loop.flatSubmit { [configuration, allowance, routes, counters, logger, scarcity, security] in
            let sockets: [ListeningSocket]
            let credentials: CredentialsFile?
            do {
                // First, as a socket would have to be closed again.
                credentials = try configuration.credentialsFile.map { path throws(CredentialsFile.Fault) in
                    try CredentialsFile(path, at: .now())
                }
                sockets = try ListeningSocket.all(configuration, buffers: allowance.socketBuffers)
            } catch {
                return loop.makeFailedFuture(error)
            }
            let set = NIOLoopBound(
                ConnectionSet(
                    allowance: allowance,
                    routes: routes,
                    counters: counters,
                    credentials: credentials,
                    logger: logger,
                    loop: loop
                ),
                eventLoop: loop
            )
            let channels = sockets.map { socket in
                let hosts: HostRule = socket.isLoopback ? .loopback(as: configuration.hosts) : .every
                return Self.bootstrap(group, set, hosts: hosts, scarcity, security).withBoundSocket(socket.descriptor)
            }
            return EventLoopFuture.andAllSucceed(channels, on: loop).map { _ in
                // SwiftNIO has listened with a smaller backlog, and the last one counts.
                for socket in sockets { Glibc.listen(socket.descriptor, ListeningSocket.backlog) }
                return sockets
            }
        }
    }

    private static func bootstrap(
        _ group: MultiThreadedEventLoopGroup,
        _ set: NIOLoopBound<ConnectionSet>,
        hosts: HostRule,
        _ scarcity: AcceptGuard.Scarcity,
        _ security: Security?
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: AcceptGuard.mostAccepts)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGuard(scarcity))
                }
            }
            .childChannelInitializer { channel in
                let isScarce = scarcity.isScarce
                return channel.eventLoop.makeCompletedFuture {
                    try security?(channel)
                    try set.value.admit(channel, hosts: hosts, isScarce: isScarce)
                }
            }
    }
}
