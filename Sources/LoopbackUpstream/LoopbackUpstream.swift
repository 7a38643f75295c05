internal import NIOCore
private import NIOHTTP1
private import NIOPosix
private import Synchronization

/// An HTTP/1.1 server on 127.0.0.1 that behaves as upstreams do: quick, slow, large, failing, and rude.
///
/// ``UpstreamPath`` lists what can be asked for. A request's field `x-token` comes back in the answer, and inside
/// JSON bodies, so that a test can tell an answer that belongs to another request. The server has a thread of its own.
public final class LoopbackUpstream: Sendable {
    private struct State {
        var port: Int
        var running: (group: MultiThreadedEventLoopGroup, listener: any Channel)?
    }
    private let state: Mutex<State>
    private let counted = Mutex(UpstreamCounts())
    private let random: Mutex<SplitMix64>

    /// Describes a server; ``start()`` starts it.
    ///
    /// - Parameters:
    ///   - port: the TCP port; 0 takes any free one.
    ///   - seed: where the random choices begin; the same seed makes the same choices in the same order.
    public init(port: Int = 0, seed: UInt64 = 1) {
        state = Mutex(State(port: port))
        random = Mutex(SplitMix64(seed: seed))
    }

    /// The port; before the first start the one that was asked for.
    public var port: Int { state.withLock { $0.port } }

    /// Host and port, as a request's authority: `127.0.0.1:49152`.
    public var authority: String { "127.0.0.1:\(port)" }

    /// What it has seen.
    public var counts: UpstreamCounts { counted.withLock { $0 } }

    /// Listens. Not to be called while it runs.
    ///
    /// - Throws: `IOError` of SwiftNIO where the port cannot be had.
    public func start() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            // A restart on the same port must not wait for the old connections' TIME_WAIT.
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(UpstreamHandler(server: self))
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

    /// Stops listening and closes every connection, whatever it is doing. Nothing happens where it does not run.
    public func stop() async {
        guard let running = state.withLock({ $0.running.take() }) else { return }
        try? await running.listener.close()
        // Shutting the group down closes what channels it still has. It fails only when done twice.
        try? await running.group.shutdownGracefully()
    }

    /// Stops, and starts again on the same port.
    ///
    /// While nobody listens the system may lend the port to somebody's outgoing connection; then it is asked for again
    /// for up to ten seconds.
    ///
    /// - Throws: `IOError` of SwiftNIO where the port cannot be had after that, `CancellationError`.
    public func restart() async throws {
        await stop()
        let end = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await start()
            } catch let error as IOError where error.errnoCode == EADDRINUSE && ContinuousClock.now < end {
                // Connections of the former life still hold the port.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func count(_ change: (inout UpstreamCounts) -> Void) { counted.withLock { change(&$0) } }

    func answer(to path: UpstreamPath, query: Substring) -> UpstreamAnswer {
        random.withLock { UpstreamAnswer(to: path, query: query, using: &$0) }
    }
}
