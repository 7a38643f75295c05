private import AsyncAlgorithms
private import HTTPPool
public import Logging
public import PoolMetrics
public import ServiceLifecycle

extension InstrumentedClient: Service {
    /// Runs until the service group shuts down, then refuses new requests, gives running ones 10 seconds to finish,
    /// and closes every connection. If the task is cancelled instead, all requests end at once.
    ///
    /// Until then it logs to a logger with the label `poolscope`, as ``run(logger:)`` does to another one.
    public func run() async throws { await run(logger: Logger(label: "poolscope")) }

    /// Runs like ``run()`` and logs, at level warning, when a limit begins to keep requests waiting and when it no longer
    /// does, and each lease on which no byte has moved for the time set (`PoolSeries`).
    ///
    /// It looks at the pool once a second. Nothing is logged for a single request. If the logger's level is above warning,
    /// nothing is looked at. At the end one line at level info has the totals.
    ///
    /// - Parameter logger: receives the lines. Their metadata are `pool`, and `limit`, `queued`, `seconds` and `waited`, or
    ///   `origin`, `site`, `phase` and `age`.
    public func run(logger: Logger) async {
        await withDiscardingTaskGroup { group in
            if logger.logLevel <= .warning { group.addTask { await self.watch(logger) } }
            do {
                try await gracefulShutdown()
                await shutdown()
            } catch {
                await shutdown(.immediate)
            }
            group.cancelAll()
        }
        PoolTotals(measured.reading()).log(to: logger, pool: name)
    }

    /// Logs what a ``PoolWatch`` finds until the task is cancelled.
    private func watch(_ logger: Logger) async {
        var watch = PoolWatch()
        var last: UInt64 = 0
        for await _ in AsyncTimerSequence(interval: .seconds(1), clock: .continuous) {
            for line in watch.observe(measured.observe(after: &last)) { line.log(to: logger, pool: name) }
        }
        for line in watch.finish() { line.log(to: logger, pool: name) }
    }
}

extension MeasuredPool {
    /// What a ``PoolWatch`` sees, and the notable events after number `last`, which becomes that of the last one.
    func observe(after last: inout UInt64) -> PoolWatch.Observation {
        let report = report(oldest: 0)
        var observation = PoolWatch.Observation(now: report.reading.now)
        observation.events = report.events.filter { $0.number > last }
        observation.saturations = report.saturations
        observation.queued = report.reading.levels.requests.queued
        last = observation.events.last?.number ?? last
        return observation
    }
}
