private import HTTPPool
package import Logging
package import PoolMetrics

/// What a pool did from its beginning to its end, for the last line in the log.
package struct PoolTotals: Sendable, Equatable {
    package let acquires: UInt64
    package let reused: UInt64
    package let failures: UInt64
    package let responses: UInt64
    package let opened: UInt64
    package let closed: UInt64
    /// Requests and connections that are still there.
    package let left: Int

    package init(_ reading: PoolReading) {
        acquires = reading.origins.reduce(0) { $0 + $1.acquires.total }
        reused = acquires - reading.origins.reduce(0) { $0 + $1.acquires[.new] }
        failures = reading.origins.reduce(0) { $0 + $1.acquireFailures.total }
        responses = reading.origins.reduce(0) { $0 + $1.responses }
        opened = reading.origins.reduce(0) { $0 + $1.connectionsOpened }
        closed = reading.origins.reduce(0) { $0 + $1.connectionsClosed.total }
        left = reading.levels.requests.total + reading.levels.connections.total
    }

    /// Writes the line, at level info.
    package func log(to logger: Logger, pool: String) {
        var metadata: Logger.Metadata = [
            "pool": "\(pool)", "acquires": "\(acquires)", "reused": "\(reused)", "acquire_failures": "\(failures)",
            "responses": "\(responses)", "connections_opened": "\(opened)", "connections_closed": "\(closed)",
        ]
        if left > 0 { metadata["left"] = "\(left)" }
        let share = acquires > 0 ? ", \(Int((100 * Double(reused) / Double(acquires)).rounded())) % on reused ones" : ""
        logger.info("pool ended: \(acquires.of("request")) got a connection\(share)", metadata: metadata)
    }
}
