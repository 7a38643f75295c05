import CoreMetrics
import PoolMetrics

/// The instruments that were made at a factory, one for each live series.
struct FactoryInstruments {
    private enum Instrument {
        case meter(any MeterHandler)
        case counter(any CounterHandler)
        case realCounter(any FloatingPointCounterHandler)
    }

    private let factory: any MetricsFactory
    private var instruments: [BridgedSeries.ID: Instrument] = [:]

    init(_ factory: any MetricsFactory) { self.factory = factory }

    /// Carries out changes in their order.
    mutating func apply(_ changes: [BridgedSeries.Change]) {
        for change in changes {
            switch change {
            case .begin(let id, let kind): instruments[id] = made(id, kind)
            case .increase(let id, let amount): increase(id, by: amount)
            case .set(let id, let value): if case .meter(let meter) = instruments[id] { meter.set(value) }
            case .end(let id): if let ended = instruments.removeValue(forKey: id) { destroy(ended) }
            }
        }
    }

    private func made(_ id: BridgedSeries.ID, _ kind: ExposedSample.Kind) -> Instrument {
        switch kind {
        case .gauge: .meter(factory.makeMeter(label: id.name, dimensions: id.dimensions))
        case .counter: .counter(factory.makeCounter(label: id.name, dimensions: id.dimensions))
        case .realCounter: .realCounter(factory.makeFloatingPointCounter(label: id.name, dimensions: id.dimensions))
        }
    }

    private func increase(_ id: BridgedSeries.ID, by amount: Double) {
        switch instruments[id] {
        // Counts are whole numbers, which a Double holds exactly up to 2^53.
        case .counter(let counter): counter.increment(by: Int64(exactly: amount.rounded()) ?? .max)
        case .realCounter(let counter): counter.increment(by: amount)
        case .meter, nil: break
        }
    }

    private func destroy(_ instrument: Instrument) {
        switch instrument {
        case .meter(let meter): factory.destroyMeter(meter)
        case .counter(let counter): factory.destroyCounter(counter)
        case .realCounter(let counter): factory.destroyFloatingPointCounter(counter)
        }
    }
}
