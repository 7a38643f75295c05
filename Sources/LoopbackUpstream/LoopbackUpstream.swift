private import AcceptGuarding
internal import NIOCore
private import NIOHTTP1
private import NIOPosix
private import Synchronization

/// An HTTP/1.1 server on 127.0.0.1 that behaves like real upstreams: fast, slow, large, failing or misbehaving.
///
/// ``UpstreamPath`` lists the paths. The request field `x-token` is repeated in the response and in JSON bodies, so
/// that a test can detect a response that belongs to another request. The server has a thread of its own.
///
/// In a process that is out of file descriptors it serves one connection at a time, with one response each, and leaves
/// the last descriptors to the runtime: without one, Swift's runtime ends the process.
public final class LoopbackUpstream: Sendable {
    private struct State {
        var port: Int
        var running: (group: MultiThreadedEventLoopGroup, listener: any Channel)?
    }
    private let state: Mutex<State>
    private let counted = Mutex(UpstreamCounts())
    private let random: Mutex<SplitMix64>

    /// Creates a server, which does not listen before ``start()``.
    ///
    /// - Parameters:
    ///   - port: the TCP port; 0 picks a free one.
    ///   - seed: the seed of random choices; equal seeds give equal sequences.
    public init(port: Int = 0, seed: UInt64 = 1) {
        state = Mutex(State(port: port))
        random = Mutex(SplitMix64(seed: seed))
    }

    /// The TCP port; before the first start, the one passed to the initialiser.
    public var port: Int { state.withLock { $0.port } }

    /// Host and port, as in a request's authority: `127.0.0.1:49152`.
    public var authority: String { "127.0.0.1:\(port)" }

    /// The connections and requests so far.
    public var counts: UpstreamCounts { counted.withLock { $0 } }

    /// Starts to listen. Must not be called while the server is running.
    ///
    /// - Throws: SwiftNIO's `IOError` if the port is not available.
    public func start() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let scarcity = AcceptGuard.Scarcity()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            // Allows a restart on the same port despite old connections in TIME_WAIT.
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One at a time, so that `AcceptGuard` sees each connection before the next is accepted.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGuard(scarcity))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                let isScarce = scarcity.isScarce
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        UpstreamHandler(server: self, closesAfterResponse: isScarce)
                    )
                }
            }
        do {
            let listener = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
            state.withLock { state in
                state.port = listener.localAddress?.port ?? state.port
                state.running = (group, listener)
            }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Stops listening and closes every connection immediately. Has no effect if the server is not running.
    public func stop() async {
        guard let running = state.withLock({ $0.running.take() }) else { return }
        try? await running.listener.close()
        // Shutting the group down closes its remaining channels; it fails only if it was shut down before.
        try? await running.group.shutdownGracefully()
    }

    /// Stops, and starts again on the same port.
    ///
    /// In between, the system may assign the port to an outgoing connection of any process, so binding is retried
    /// for up to 10 seconds.
    ///
    /// - Throws: SwiftNIO's `IOError` if the port is still not available; `CancellationError`.
    public func restart() async throws {
        await stop()
        let end = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await start()
            } catch let error as IOError where error.errnoCode == EADDRINUSE && ContinuousClock.now < end {
                // Connections from before the restart still use the port.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func count(_ change: (inout UpstreamCounts) -> Void) { counted.withLock { change(&$0) } }

    func answer(to path: UpstreamPath, query: Substring) -> UpstreamAnswer {
        random.withLock { UpstreamAnswer(to: path, query: query, using: &$0) }
    }
}
