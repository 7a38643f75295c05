import Foundation
import HTTPPool
import Testing

@testable import PoolMetrics

private func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9))
}

@Suite("The distribution of times to the head")
struct TimeSketchTests {
    @Test("The median is off by 6 % at most, or by 33 us, whatever the times are")
    func median() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let scale = Double.random(in: 3...10.9, using: &random)
            let times = (0..<Int.random(in: 1...300, using: &random)).map { _ in
                UInt64(pow(10, Double.random(in: scale - 2...scale, using: &random)))
            }
            var sketch = TimeSketch()
            for time in times { sketch.add(time) }
            let sorted = times.sorted()
            let (low, high) = (sorted[(times.count - 1) / 2], sorted[times.count / 2])
            let median = Double(try #require(sketch.median))
            #expect(median >= Double(low) * 0.875 - 66_000 && median <= Double(high) * 1.125 + 66_000, "\(times)")
            #expect(sketch.count == UInt32(times.count))
        }
        // Equal times: within half a bucket.
        for time: UInt64 in [100_000, 38_000_000, 5_000_000_000] {
            var sketch = TimeSketch()
            for _ in 0..<99 { sketch.add(time) }
            #expect(abs(Double(try #require(sketch.median)) / Double(time) - 1) < 0.0625 + 33_000 / Double(time))
        }
    }

    @Test("No time, none at all and the longest ones have places, and a full bucket halves them all")
    func extremes() throws {
        var sketch = TimeSketch()
        #expect(sketch.median == nil)
        sketch.add(0)
        #expect(try #require(sketch.median) < 66_000)
        for _ in 0..<3 { sketch.add(.max) }
        #expect(try #require(sketch.median) > 120_000_000_000)
        sketch = TimeSketch()
        for _ in 0..<200_000 { sketch.add(1_000_000) }
        for _ in 0..<60_000 { sketch.add(9_000_000_000) }
        #expect(sketch.count == 260_000)
        #expect(try #require(sketch.median) < 1_130_000)
    }
}

@Suite("Trends")
struct TrendTests {
    /// Cells as a model counts them that keeps every change.
    private struct Model {
        var changes: [(time: Double, queued: Int)] = [(0, 0)]
        var ends: [Double] = []

        func peak(_ range: Range<Double>) -> Int {
            let before = changes.last { $0.time <= range.lowerBound }?.queued ?? 0
            return changes.filter { range.contains($0.time) }.map(\.queued).reduce(before, max)
        }
    }

    @Test(
        "Peaks, requests and responses of every cell are those of a model that keeps everything, through long rests too"
    )
    func model() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
            var trends = PoolTrends(at: at(0))
            var model = Model()
            var time = 0.0
            tally.add(PoolTurn(now: at(0)).introducing(0, "a"), &trends, wall: nil)
            for _ in 0..<Int.random(in: 1...80, using: &random) {
                let rest: Double = [0.3, 3, 30, 300, 900].randomElement(using: &random) ?? 1
                time += Double.random(in: 0...rest, using: &random)
                let queued = Int.random(in: 0...9, using: &random)
                var turn = PoolTurn(now: at(time)).levels(0, queued: queued)
                turn.events = [
                    PoolEvent(.responded(waited: 20_000_000), .a, at: at(time)),
                    PoolEvent(.leaseEnded(.success, held: 5), .a, at: at(time)),
                ]
                tally.add(turn, &trends, wall: nil)
                model.changes.append((time, queued))
                model.ends.append(time)
            }
            let now = time + Double.random(in: 0...100, using: &random)
            trends.advance(to: at(now), tally.origins.rows, [])
            let cell = Trend.cell(of: at(now))
            #expect(trends.cell == cell)
            for trend in [trends.pool, trends.origins[0].trend] {
                for (index, found) in trend.lastTens(current: cell).dropLast().enumerated() {
                    check(found, model, number: cell - Trend.length + 1 + index, seconds: 10)
                }
                for (index, found) in trend.lastMinutes(current: cell).enumerated() {
                    check(found, model, number: cell / 6 - Trend.length + index, seconds: 60)
                }
                let hour = trend.lastHour(current: cell)
                #expect(hour.dropLast() == trend.lastMinutes(Trend.length - 1, current: cell)[...])
                let minute = Double(cell / 6) * 60 - 1000
                #expect(hour.last?.queuedPeak == model.peak(minute..<now.nextUp), "\(now) in \(model)")
            }
        }
    }

    private func check(_ cell: TrendCell, _ model: Model, number: Int, seconds: Double) {
        let begin = Double(number) * seconds - 1000
        guard begin + seconds > 0 else { return }
        let range = begin..<begin + seconds
        let ended = model.ends.filter { range.contains($0) }.count
        #expect(cell.requests == ended && cell.responses == ended, "\(cell) in \(range) of \(model)")
        #expect(cell.queuedPeak == model.peak(range), "\(cell) in \(range) of \(model)")
        if ended > 0 { #expect(abs((cell.medianSeconds ?? 0) - 0.02) < 0.002) }
    }

    @Test("64 origins take 256 KiB at most")
    func memory() {
        #expect(MemoryLayout<TrendCell>.stride == 24)
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        var trends = PoolTrends(at: at(0))
        var turn = PoolTurn(now: at(0))
        for index in 0..<64 { turn = turn.introducing(Int32(index), "host\(index)").levels(Int32(index), active: 1) }
        tally.add(turn, &trends, wall: nil)
        trends.advance(to: at(100_000), tally.origins.rows, [])
        // Each array has a header of 32 bytes.
        let rings = 2 * (32 + Trend.length * MemoryLayout<TrendCell>.stride)
        #expect(64 * (rings + MemoryLayout<PoolTrends.Origin>.stride) <= 256 << 10)
        #expect(trends.origins.count == 64)
        #expect(trends.origins.allSatisfy { $0.trend.lastTens(current: trends.cell).first?.activePeak == 1 })
    }

    @Test("An origin that takes another one's row begins with an empty past")
    func reassigned() {
        var trends = PoolTrends(at: at(0))
        trends.responded(after: 1, 0, at: at(0))
        trends.failed(0, "broken", at: at(0))
        trends.reset(0)
        #expect(trends.origins[0].lastError == nil)
        trends.advance(to: at(60), [], [])
        #expect(trends.origins[0].trend.lastTens(current: trends.cell).allSatisfy { $0.responses == 0 })
    }
}
