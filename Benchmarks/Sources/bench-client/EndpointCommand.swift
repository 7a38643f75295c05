internal import ArgumentParser
internal import Foundation
internal import HTTPPool
internal import Logging
internal import PoolEndpoint
internal import PoolMetrics
internal import PoolPeer

/// Serves an endpoint until its standard input ends, for another program to scrape and to attack.
struct EndpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint",
        abstract: "Serve an endpoint to be measured."
    )

    @Option(help: "Origins that the pool has spoken to.") var origins: Int32 = 64
    @Option(help: "Requests that are queued.") var queued: Int32 = 0
    @Flag(help: "Block every thread of Swift concurrency.") var blocked = false
    @Option(help: "Where to write the exposition, for another program to imitate.") var text: String

    func run() async throws {
        let registry = PoolRegistry()
        let (observer, pool) = try StillPool.observed(as: "served", in: registry)
        observer.poolDidTurn(.introducing(origins: origins))
        let turn = PoolTurn.ofEverything(origins: origins)
        for _ in 0..<500 { observer.poolDidTurn(turn) }
        observer.poolDidTurn(queue())
        try Data(Exposition.text([pool.reading()], process: nil)).write(to: URL(fileURLWithPath: text))
        let logger = Logger(label: "bench-client") { _ in SwiftLogNoOpLogHandler() }
        let endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: logger
        )
        let address = try await endpoint.start()
        FileHandle.standardOutput.write(Data("\(address.port)\n".utf8))
        if blocked {
            // More than there are threads. Each blocks one in the kernel, as a task that calls a blocking function does.
            for _ in 0..<64 { Task.detached { while true { sleep(1) } } }
        }
        // Not on a thread of Swift concurrency, which may all be blocked.
        Thread.detachNewThread {
            while readLine() != nil {}
            Foundation.exit(EXIT_SUCCESS)
        }
        try await Task.sleep(for: .seconds(86_400))
        withExtendedLifetime((endpoint, pool)) {}
    }

    private func queue() -> PoolTurn {
        var turn = PoolTurn(now: .now())
        for index in 0..<queued {
            let key = RequestKey(number: RequestNumber(UInt64(index) + 1), index: index)
            let kind = PoolEvent.Kind.queued(behind: .connections, waited: 0)
            turn.events.append(PoolEvent(kind, OriginID(index: index % max(1, origins)), at: turn.now, request: key))
        }
        return turn
    }
}
