import HTTPPool
import Histogram

/// The report at the end of a run. Its rows are the same for every run, followed by the errors by code with the cause of the
/// last of each, so that two reports can be compared side by side.
struct Summary: Sendable {
    var clients: String
    var tally: LoadTally
    var pools: PoolTotals
    var poolsCreated: UInt64

    var text: String { Columns.aligned(rows) }

    private var rows: [[String]] {
        let seconds = tally.elapsed.inSeconds
        let rate = seconds > 0 ? Double(tally.requestCount) / seconds : 0
        var rows = [
            ["clients", clients],
            ["duration", Figures.seconds(seconds)],
            ["requests", "\(tally.requestCount) (\(Figures.rate(rate))/s)"],
        ]
        rows += (2...5).map { ["responses \($0)xx", "\(tally.answers[$0] ?? 0)"] }
        rows += [
            ["errors", "\(tally.errorCount)"],
            ["latency p50", latency(50)],
            ["latency p99", latency(99)],
            ["latency max", latency(100)],
            ["reuse ratio", Figures.ratio(pools.reuseRatio)],
            ["connections opened", "\(pools.connectionsOpened)"],
            ["pools created", "\(poolsCreated)"],
        ]
        rows += tally.errors.sorted { $0.key < $1.key }.map { code, count in
            ["error \(code)", "\(count)" + (tally.reasons[code].map { ", the last: \($0)" } ?? "")]
        }
        return rows
    }

    private func latency(_ percentile: Double) -> String {
        guard tally.latency.totalCount > 0 else { return "-" }
        return Figures.milliseconds(tally.latency.valueAtPercentile(percentile))
    }
}
