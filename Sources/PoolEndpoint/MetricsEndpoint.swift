private import Configuration
public import HTTPPool
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import PoolMetrics
public import ServiceLifecycle
import Synchronization

/// The HTTP endpoint that shows the pools: `/metrics` to Prometheus, `/` to a person with `curl`, `/-/healthy`.
///
/// It lives on a thread of its own and waits for no task, so it answers while every Swift concurrency thread is
/// blocked. In a `ServiceGroup` list it before the services whose pools it shows: it then outlives them.
public final class MetricsEndpoint: Service, Sendable {
    /// What peers may use up.
    struct Allowance: Sendable {
        /// Open connections; one more is closed as it comes.
        var connections = 256
        /// How long a connection may go without a whole request, and an answer without being taken.
        var idle = TimeAmount.seconds(60)
        /// Request line and header fields of one request, in bytes.
        var headerBytes = 16 << 10
        /// ``idle`` for a connection that took one of the last descriptors.
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
    /// Whether descriptors are scarce.
    let scarcity = AcceptGuard.Scarcity()

    /// Prepares an endpoint; nothing is opened before ``start()`` or ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: where to listen.
    ///   - registry: the pools to show.
    ///   - logger: told where the endpoint listens, at info, and of libraries that were not tested, at warning.
    public convenience init(
        _ configuration: EndpointConfiguration = EndpointConfiguration(),
        registry: PoolRegistry = .process,
        logger: Logger
    ) {
        self.init(configuration, registry: registry, logger: logger, allowance: Allowance())
    }

    /// Prepares an endpoint that listens where `HTTP_CLIENT_METRICS_HOST` (127.0.0.1) and `HTTP_CLIENT_METRICS_PORT` (9464)
    /// say.
    ///
    /// - Parameters:
    ///   - registry: the pools to show.
    ///   - logger: told where the endpoint listens, at info.
    /// - Throws: `ConfigurationError` naming every wrong variable, those of the pool included.
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

    /// The port it listens on; `nil` while it does not listen.
    public var port: Int? { running.withLock { $0?.address?.port } }

    /// Listens. Where it listens already, says where.
    ///
    /// - Returns: the host, and the port that was configured or picked.
    /// - Throws: `ConfigurationError` for values that are not allowed, ``EndpointError`` if the system refuses.
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
            logger.info("metrics endpoint listens", metadata: ["address": "\(address)"])
            for caution in routes.cautions { logger.warning("\(caution)") }
        }
        return address
    }

    /// Listens until the service group shuts down gracefully or the task is cancelled.
    ///
    /// - Throws: what ``start()`` throws.
    public func run() async throws {
        try await start()
        // Cancelled or asked: either way it is time to stop.
        try? await gracefulShutdown()
        await stop()
    }

    /// Closes the port and every connection. Calling it again does nothing.
    public func stop() async {
        let stopped = running.withLock { running in
            defer { running = nil }
            return running
        }
        // The group's channels are closed by its shutdown; it fails only where it was shut down before.
        try? await stopped?.group.shutdownGracefully()
    }

    private func bind(on group: MultiThreadedEventLoopGroup) -> EventLoopFuture<any Channel> {
        let connections = ConnectionCount(limit: allowance.connections)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One at a time, so that the guard has a say after each.
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
        // Behind the parser it sees whole parts of requests, so a head that trickles in does not count as life.
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

    /// Counts a connection until it closes; `false` where there are enough.
    func admit(_ channel: any Channel) -> Bool {
        // Only the one event loop adds, so nothing comes between the look and the addition.
        guard open.load(ordering: .relaxed) < limit else { return false }
        open.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        return true
    }
}
