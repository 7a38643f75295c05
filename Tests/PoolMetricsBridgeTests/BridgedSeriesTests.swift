import PoolMetrics
import Testing

@testable import PoolMetricsBridge

@Suite("What is published of a series")
struct BridgedSeriesTests {
    private func sample(_ value: Double, _ kind: ExposedSample.Kind = .counter, origin: String = "a") -> ExposedSample {
        ExposedSample(name: "n_total", labels: [("pool", "p"), ("origin", origin)], kind: kind, value: value)
    }

    @Test("A counter begins, rises by differences only, and says nothing while it rests")
    func differences() {
        var series = BridgedSeries()
        let id = BridgedSeries.ID(sample(0))
        #expect(id.dimensions.map(\.0) == ["pool", "origin"] && id.dimensions.map(\.1) == ["p", "a"])
        #expect(series.changes(to: [sample(5)]) == [.begin(id, .counter), .increase(id, by: 5)])
        #expect(series.changes(to: [sample(5)]) == [])
        #expect(series.changes(to: [sample(8)]) == [.increase(id, by: 3)])
    }

    @Test("A counter that has fallen ends and begins anew")
    func returned() {
        var series = BridgedSeries()
        let id = BridgedSeries.ID(sample(0))
        _ = series.changes(to: [sample(5)])
        #expect(series.changes(to: [sample(2)]) == [.end(id), .begin(id, .counter), .increase(id, by: 2)])
        #expect(series.changes(to: [sample(0)]) == [.end(id), .begin(id, .counter)])
        #expect(series.changes(to: [sample(1)]) == [.increase(id, by: 1)])
    }

    @Test("A row that is given up ends, and one that returns begins at 0")
    func vanished() {
        var series = BridgedSeries()
        let (a, b) = (BridgedSeries.ID(sample(0)), BridgedSeries.ID(sample(0, origin: "b")))
        _ = series.changes(to: [sample(5), sample(1, origin: "b")])
        #expect(series.changes(to: [sample(5)]) == [.end(b)])
        #expect(series.changes(to: []) == [.end(a)])
        #expect(series.changes(to: [sample(7)]) == [.begin(a, .counter), .increase(a, by: 7)])
    }

    @Test("A gauge is set each time, up and down")
    func gauge() {
        var series = BridgedSeries()
        let id = BridgedSeries.ID(sample(0))
        #expect(series.changes(to: [sample(5, .gauge)]) == [.begin(id, .gauge), .set(id, to: 5)])
        #expect(series.changes(to: [sample(2, .gauge)]) == [.set(id, to: 2)])
        #expect(series.changes(to: [sample(2, .gauge)]) == [.set(id, to: 2)])
    }
}
