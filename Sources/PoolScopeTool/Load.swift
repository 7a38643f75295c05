import HTTPPool
import PoolMetrics
import ServiceLifecycle

/// Runs the load until its duration is over or the service group shuts down. Running requests then have the grace
/// period to finish, and are cancelled after it.
struct Load: Service {
    let workload: Workload
    let clients: LoadClients
    let concurrency: Int
    let pace: LoadPace
    let grace: Duration
    let ledger: LoadLedger
    let console: Console
    /// Called when the grace period begins.
    let onEnd: @Sendable () -> Void

    func run() async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await showProgress()
                return false
            }
            group.addTask {
                await drive()
                return true
            }
            group.addTask {
                await pace.end()
                onEnd()
                // Cancelled as soon as nothing is running.
                try? await Task.sleep(for: grace)
                return true
            }
            while let isOver = await group.next(), !isOver {}
            group.cancelAll()
        }
        console.endLiveLine()
    }

    private func drive() async {
        await withDiscardingTaskGroup { workers in
            for worker in 0..<concurrency { workers.addTask { await work(as: worker) } }
        }
        ledger.update { $0.noteEnd(after: pace.elapsed) }
    }

    private func work(as worker: Int) async {
        var random = SystemRandomNumberGenerator()
        while let turn = await pace.next() {
            let call = workload.call(number: turn.number, using: &random)
            let outcome = await clients.send(call, worker: worker, ledger: ledger)
            let latency = turn.due.duration(to: .now)
            ledger.update { $0.note(outcome, after: latency) }
        }
    }

    private func showProgress() async {
        var line = LiveLine()
        // One line per second, until the task is cancelled.
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let tally = ledger.read()
            var pools = tally.endedPools
            for reading in PoolRegistry.process.readings() { pools += PoolTotals(reading) }
            let sample = LiveSample(
                elapsed: pace.elapsed,
                requests: tally.requestCount,
                errors: tally.errorCount,
                pools: pools
            )
            console.showLiveLine(line.text(for: sample, columns: console.columns))
        }
    }
}
