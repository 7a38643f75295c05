internal import Foundation
internal import HTTPPool
internal import PoolMetrics

/// Whether anything grew, and whether every request ended as it must.
struct SoakVerdict: CustomStringConvertible {
    /// How much more may be resident in the last fifth of the time than in the first fifth after the warm-up.
    ///
    /// Medians of both, so that what happens to be in flight does not count. In an hour at 300 requests a second it is
    /// a leak of 4 bytes a request.
    static let mostGrowthMiB = 4.0

    let growthMiB: Double
    /// What is wrong; empty where nothing is.
    private(set) var complaints: [String] = []

    init(samples: [SoakSample], rest: SoakSample, end: SoakSample, reading: PoolReading, tally: SoakTally) {
        let warm = samples.dropFirst(samples.count / 10)
        let fifth = max(1, warm.count / 5)
        let (first, last) = (warm.prefix(fifth), warm.suffix(fifth))
        growthMiB = Self.median(last.map(\.residentMiB)) - Self.median(first.map(\.residentMiB))
        if growthMiB > Self.mostGrowthMiB {
            complaints.append(String(format: "resident memory grew by %.1f MiB", growthMiB))
        }
        let others = [first, last].map { Self.median($0.map { Double($0.otherDescriptors) }) }
        let descriptors = others[1] - others[0]
        if descriptors > 0 { complaints.append("\(Int(descriptors)) more descriptors under load are not connections") }
        if end.descriptors > rest.descriptors {
            complaints.append("\(end.descriptors - rest.descriptors) more descriptors are open at rest than before")
        }
        if end.connections.total + end.requests.total > 0 {
            complaints.append("the pool did not come to rest: \(end.connections), \(end.requests)")
        }
        let opened = reading.origins.reduce(0) { $0 + $1.connectionsOpened }
        let closed = reading.origins.reduce(0) { $0 + $1.connectionsClosed.total }
        if opened != closed { complaints.append("\(opened) connections opened, \(closed) closed") }
        let acquired = reading.origins.reduce(0) { $0 + $1.acquires.total }
        let leases = reading.origins.reduce(0) { $0 + $1.leases.total }
        if acquired != leases { complaints.append("\(acquired) connections acquired, \(leases) given back") }
        for (ending, count) in tally.wrong.sorted(by: { $0.key < $1.key }) {
            complaints.append("\(count) requests ended otherwise than they must: \(ending)")
        }
        if tally.right == 0 { complaints.append("no request ended as it must") }
    }

    var description: String {
        let growth = String(format: "resident memory after the warm-up: %+.1f MiB", growthMiB)
        let limit = String(format: " (allowed: %.1f MiB)", Self.mostGrowthMiB)
        return growth + limit + complaints.map { "\nFAILED: \($0)" }.joined() + (complaints.isEmpty ? "\npassed" : "")
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
