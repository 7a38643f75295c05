internal import AcceptGuarding
private import Configuration
public import HTTPPool
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import PoolMetrics
public import ServiceLifecycle
import Synchronization

/// The HTTP endpoint for metrics: `/metrics` for Prometheus, `/` as text for people, and `/-/healthy`.
///
/// It runs on a thread of its own and waits for no task, so it responds even if every Swift concurrency thread is
/// blocked. In a `ServiceGroup`, list it before the services whose pools it exposes, so that it outlives them.
public final class MetricsEndpoint: Service, Sendable {
    /// Limits on the resources that peers can use.
    struct Allowance: Sendable {
        /// Maximum number of open connections; further ones are closed at once.
        var connections = 256
        /// How long a connection may go without a complete request, or a response without progress.
        var idle = TimeAmount.seconds(60)
        /// Maximum size of the request line and header fields of one request, in bytes.
        var headerBytes = 16 << 10
        /// ``idle`` for a connection that uses one of the last descriptors.
        var idleWhenScarce = TimeAmount.seconds(1)
    }

    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let channel: EventLoopFuture<any Channel>
        var address: EndpointAddress?
    }

    private let configuration: EndpointConfiguration
    private let routes: EndpointRoutes
    private let logger: Logger
    private let allowance: Allowance
    private let running = Mutex<Running?>(nil)
    /// Whether file descriptors are scarce.
    let scarcity = AcceptGuard.Scarcity()

    /// Creates an endpoint. It does not listen before ``start()`` or ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: the address to listen on.
    ///   - registry: the pools to expose.
    ///   - logger: logs the address at info level, and untested libraries as warnings.
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
    ///   - logger: logs the address at info level.
    /// - Throws: `ConfigurationError` naming every invalid variable, including the pool's.
    public static func fromEnvironment(
        registry: PoolRegistry = .process,
        logger: Logger
    ) throws(ConfigurationError) -> MetricsEndpoint {
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        return MetricsEndpoint(try PoolScopeConfiguration(config: config).endpoint, registry: registry, logger: logger)
    }

    init(_ configuration: EndpointConfiguration, registry: PoolRegistry, logger: Logger, allowance: Allowance) {
        self.configuration = configuration
        self.routes = EndpointRoutes(registry: registry)
        self.logger = logger
        self.allowance = allowance
    }

    /// The port that it listens on; `nil` while it does not listen.
    public var port: Int? { running.withLock { $0?.address?.port } }

    /// Starts to listen. Has no effect if it is already listening.
    ///
    /// - Returns: the host, and the port that was configured or picked by the system.
    /// - Throws: `ConfigurationError` for invalid values; ``EndpointError`` if the address is not available.
    @discardableResult
    public func start() async throws -> EndpointAddress {
        try configuration.validate()
        let channel = running.withLock { running in
            if let running { return running.channel }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let channel = bind(on: group)
            running = Running(group: group, channel: channel)
            return channel
        }
        let port: Int?
        do {
            port = try await channel.get().localAddress?.port
        } catch {
            await stop()
            throw EndpointError(error, listeningAt: configuration)
        }
        let address = EndpointAddress(host: configuration.host, port: port ?? configuration.port)
        let isNews = running.withLock { running in
            defer { running?.address = address }
            return running?.address == nil
        }
        if isNews {
            logger.info("metrics endpoint is listening", metadata: ["address": "\(address)"])
            for caution in routes.cautions { logger.warning("\(caution)") }
        }
        return address
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

    /// Closes the listener and every connection. Has no effect if it is not listening.
    public func stop() async {
        let stopped = running.withLock { running in
            defer { running = nil }
            return running
        }
        // Shutting the group down closes its channels; it fails only if it was shut down before.
        try? await stopped?.group.shutdownGracefully()
    }

    private func bind(on group: MultiThreadedEventLoopGroup) -> EventLoopFuture<any Channel> {
        let connections = ConnectionCount(limit: allowance.connections)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One at a time, so that `AcceptGuard` sees each connection before the next is accepted.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { [scarcity] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGuard(scarcity))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [routes, allowance, scarcity] channel in
                guard connections.admit(channel) else { return channel.close() }
                let isScarce = scarcity.isScarce
                return channel.eventLoop.makeCompletedFuture {
                    try Self.configure(
                        channel.pipeline.syncOperations,
                        routes: routes,
                        allowance: allowance,
                        isScarce: isScarce
                    )
                }
            }
            .bind(host: configuration.host, port: configuration.port)
    }

    private static func configure(
        _ pipeline: ChannelPipeline.SynchronousOperations,
        routes: EndpointRoutes,
        allowance: Allowance,
        isScarce: Bool
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = allowance.headerBytes
        limits.maxHeaderFieldCount = 100
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withErrorHandling: true,
            withOutboundHeaderValidation: true,
            withEncoderConfiguration: HTTPResponseEncoder.Configuration(),
            withDecoderLimitConfiguration: limits
        )
        // After the HTTP parser it sees only complete parts of requests, so a slowly trickling head does not reset
        // the timeout.
        let idle = isScarce ? allowance.idleWhenScarce : allowance.idle
        try pipeline.addHandler(IdleStateHandler(readTimeout: idle))
        try pipeline.addHandler(EndpointHandler(routes: routes, isLast: isScarce))
    }
}

/// Counts the open connections of an endpoint.
private final class ConnectionCount: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Counts a connection until it closes; returns `false` if the limit is reached.
    func admit(_ channel: any Channel) -> Bool {
        // Only one event loop adds, so check and addition cannot race.
        guard open.load(ordering: .relaxed) < limit else { return false }
        open.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        return true
    }
}
