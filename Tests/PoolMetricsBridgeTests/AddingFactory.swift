import CoreMetrics
import Synchronization

/// A backend that adds up, and records what no publisher may do: two live series of the same name and labels, an increment
/// that is not positive, the use of a series that was destroyed.
final class AddingFactory: MetricsFactory {
    struct Series: Hashable, CustomStringConvertible {
        let name: String
        let labels: [String: String]
        var description: String { "\(name)\(labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })" }
    }

    struct State {
        var counters: [Series: Double] = [:]
        var meters: [Series: Double] = [:]
        var destroyed: [Series] = []
        var faults: [String] = []
    }

    private let state = Mutex(State())

    var counters: [Series: Double] { state.withLock { $0.counters } }
    var meters: [Series: Double] { state.withLock { $0.meters } }
    var destroyed: [Series] { state.withLock { $0.destroyed } }
    var faults: [String] { state.withLock { $0.faults } }

    func counter(_ name: String, _ labels: [String: String]) -> Double? { counters[Series(name: name, labels: labels)] }

    /// One class for all kinds: what it is depends on how it was made.
    private final class Instrument: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler,
        TimerHandler
    {
        let series: Series
        let factory: AddingFactory
        init(_ series: Series, _ factory: AddingFactory) { (self.series, self.factory) = (series, factory) }
        func increment(by amount: Int64) { factory.add(Double(amount), to: series) }
        func increment(by amount: Double) { factory.add(amount, to: series) }
        func set(_ value: Int64) { set(Double(value)) }
        func set(_ value: Double) { factory.state.withLock { $0.meters[series] = value } }
        func decrement(by _: Double) {}
        func reset() { factory.fault("\(series) was reset") }
        func record(_: Int64) { factory.fault("\(series) is a recorder") }
        func record(_: Double) { factory.fault("\(series) is a recorder") }
        func recordNanoseconds(_: Int64) { factory.fault("\(series) is a timer") }
    }

    private func add(_ amount: Double, to series: Series) {
        state.withLock { state in
            if amount <= 0 { state.faults.append("\(series) by \(amount)") }
            guard let sum = state.counters[series] else { return state.faults.append("\(series) is not live") }
            state.counters[series] = sum + amount
        }
    }

    private func fault(_ what: String) { state.withLock { $0.faults.append(what) } }

    private func made(_ label: String, _ dimensions: [(String, String)], isCounter: Bool) -> Instrument {
        let series = Series(name: label, labels: Dictionary(dimensions) { _, _ in "twice" })
        state.withLock { state in
            if state.counters[series] != nil || state.meters[series] != nil {
                state.faults.append("\(series) is made twice")
            }
            if isCounter { state.counters[series] = 0 } else { state.meters[series] = .nan }
        }
        return Instrument(series, self)
    }

    private func destroy(_ handler: AnyObject) {
        guard let series = (handler as? Instrument)?.series else { return fault("an unknown handler") }
        state.withLock { state in
            if state.counters.removeValue(forKey: series) == nil, state.meters.removeValue(forKey: series) == nil {
                state.faults.append("\(series) is destroyed twice")
            }
            state.destroyed.append(series)
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        made(label, dimensions, isCounter: true)
    }
    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        made(label, dimensions, isCounter: true)
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        made(label, dimensions, isCounter: false)
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate _: Bool) -> any RecorderHandler {
        made(label, dimensions, isCounter: false)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        made(label, dimensions, isCounter: false)
    }
    func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }
}
