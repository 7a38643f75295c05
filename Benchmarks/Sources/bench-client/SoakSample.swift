internal import Foundation
internal import HTTPPool
internal import PoolMetrics

/// What there is at a moment of a soak: one line of its table.
struct SoakSample: CustomStringConvertible {
    let elapsed: Duration
    let residentMiB: Double
    let descriptors: Int
    let connections: ConnectionLevels
    let requests: RequestLevels
    let ended: Int
    let opened: UInt64

    /// Descriptors that are not those of connections.
    var otherDescriptors: Int { descriptors - connections.total }

    init(_ load: SoakLoad, at elapsed: Duration) {
        let process = ProcessReading.current()
        let reading = load.client.reading()
        self.elapsed = elapsed
        residentMiB = (process.residentMemoryBytes ?? 0) / 1_048_576
        descriptors = Int(process.openDescriptors ?? 0)
        connections = reading.levels.connections
        requests = reading.levels.requests
        ended = load.tally.right + load.tally.wrong.values.reduce(0, +)
        opened = reading.origins.reduce(0) { $0 + $1.connectionsOpened }
    }

    /// After the last request has ended, the last idle connection has expired, and every descriptor is closed that was
    /// not open before.
    static func atRest(_ load: SoakLoad, as before: SoakSample? = nil) async throws -> SoakSample {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let sample = SoakSample(load, at: .zero)
            let isAtRest = sample.connections.total + sample.requests.total == 0
            if isAtRest, sample.descriptors <= before?.descriptors ?? .max { return sample }
            guard ContinuousClock.now < deadline else { return sample }
            // Only the pause between two looks.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    static let header = columns([
        "seconds", "resident MiB", "descriptors", "connecting", "active", "idle", "queued", "in flight", "ended",
        "opened",
    ])

    var description: String {
        Self.columns([
            String(elapsed.components.seconds), String(format: "%.1f", residentMiB), String(descriptors),
            String(connections.connecting), String(connections.active), String(connections.idle),
            String(requests.queued), String(requests.inFlight), String(ended), String(opened),
        ])
    }

    private static func columns(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(0, 13 - $0.count)) + $0 }.joined()
    }
}
