private import AsyncAlgorithms
public import CoreMetrics
public import PoolMetrics
public import ServiceLifecycle
private import Synchronization

/// Publishes the numbers of all measured pools into a backend of swift-metrics.
///
/// ```swift
/// let bridge = MetricsBridge()
/// let group = ServiceGroup(services: [bridge, client], logger: logger)
/// ```
///
/// Names and labels are those of `/metrics`, from the same declarations. Gauges become meters. Counters become counters
/// that rise by the difference since the last publication, so a backend that adds up has the exposition's values; those in
/// seconds are floating-point counters. swift-metrics cannot take the buckets of a histogram, and publishing each duration
/// would cost every request, so a histogram is published as two counters, `…_count` and `…_sum`: means, but no quantiles.
///
/// A series that ends, because its pool or its row has ended, is destroyed at the factory. A series that begins anew is
/// destroyed and made again at 0. No increment is negative.
public final class MetricsBridge: Service {
    private struct State {
        var pools: [String: BridgedPool] = [:]
        var process = BridgedSeries()
        /// Made at the first publication, so that a backend bootstrapped before then is used.
        var instruments: FactoryInstruments?
    }

    private let registry: PoolRegistry
    private let factory: (any MetricsFactory)?
    private let interval: Duration
    private let includesProcess: Bool
    private let state = Mutex(State())

    /// Creates a bridge. It has no effect before ``run()`` or ``publish()``.
    ///
    /// Use one bridge for each registry and factory: a second one would count everything twice.
    ///
    /// - Parameters:
    ///   - registry: the pools.
    ///   - factory: the backend; `nil` for the one that `MetricsSystem` has at the first publication.
    ///   - interval: the time between two publications, at least a millisecond.
    ///   - includesProcess: whether the `process_` families are published too; `false` if the application does it.
    public init(
        registry: PoolRegistry = .process,
        factory: (any MetricsFactory)? = nil,
        interval: Duration = .seconds(10),
        includesProcess: Bool = true
    ) {
        self.registry = registry
        self.factory = factory
        self.interval = max(interval, .milliseconds(1))
        self.includesProcess = includesProcess
    }

    /// Publishes at every interval until the service group shuts down or the task is cancelled, and once more then.
    ///
    /// List it before the clients in a service group: a group shuts down in reverse order, so the last publication shows
    /// how the pools ended.
    public func run() async {
        publish()
        for await _ in AsyncTimerSequence(interval: interval, clock: .continuous).cancelOnGracefulShutdown() {
            publish()
        }
        publish()
    }

    /// Publishes the current numbers once, from any thread.
    ///
    /// Waits for a publication that is under way. The factory must not call this method.
    public func publish() {
        // Read under the lock: an older reading that was published after a newer one would look like a restart.
        state.withLock { state in
            let measured = registry.pools.sorted { $0.name < $1.name }
            publish(
                measured.map { ($0, $0.reading()) },
                process: includesProcess ? .current() : nil,
                to: &state
            )
        }
    }

    /// Publishes these readings; for tests that compare them with an exposition of the same.
    func publish(_ pools: [(pool: MeasuredPool, reading: PoolReading)], process: ProcessReading?) {
        state.withLock { publish(pools, process: process, to: &$0) }
    }

    private func publish(
        _ pools: [(pool: MeasuredPool, reading: PoolReading)],
        process: ProcessReading?,
        to state: inout State
    ) {
        var instruments = state.instruments ?? FactoryInstruments(factory ?? MetricsSystem.factory)
        let live = Dictionary(pools.map { ($0.pool.name, $0.pool) }) { first, _ in first }
        for name in Array(state.pools.keys) {
            instruments.apply(state.pools[name]?.changesIfEnded(live: live[name]) ?? [])
            if state.pools[name]?.hasEnded == true { state.pools[name] = nil }
        }
        let samples = ExposedSamples(pools.map(\.reading), process: process)
        instruments.apply(state.process.changes(to: samples.process))
        for (pool, samples) in zip(pools.map(\.pool), samples.pools) {
            instruments.apply(state.pools[pool.name, default: BridgedPool(pool)].series.changes(to: samples))
        }
        state.instruments = instruments
    }
}
