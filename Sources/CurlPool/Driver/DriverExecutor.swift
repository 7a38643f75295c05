import Glibc
import Synchronization

/// Runs tasks on the pool's own thread, between its turns.
///
/// A task that prefers this executor is resumed without waking another thread, which is most of a request's cost
/// beyond libcurl. In return, it can stall the pool; see ``CurlClient/executor``.
///
/// Sound as `Sendable`: `own` and `running` are used by the pool's thread only, and everything else is atomic or
/// protected by the lock.
final class DriverExecutor: TaskExecutor, @unchecked Sendable {
    private struct State {
        /// Jobs enqueued by other threads.
        var jobs: [UnownedJob] = []
        var hasEnded = false
    }
    private let state = Mutex(State())
    /// The pool's thread; 0 before it begins and after it has ended.
    private let thread = Atomic<UInt>(0)
    /// Jobs enqueued by the pool's thread itself. They need neither the lock nor a wake-up.
    @exclusivity(unchecked) private var own: [UnownedJob] = []
    @exclusivity(unchecked) private var running: [UnownedJob] = []
    private let wake: @Sendable () -> Void

    /// - Parameter wake: wakes the pool's thread; does nothing once that has ended.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if thread.load(ordering: .relaxed) == pthread_self() {
            own.append(job)
            return
        }
        let isTaken = state.withLock { state in
            if !state.hasEnded { state.jobs.append(job) }
            return !state.hasEnded
        }
        // A task may outlive the pool whose executor it prefers.
        if isTaken { wake() } else { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    // MARK: The pool's thread

    func begin() { thread.store(pthread_self(), ordering: .relaxed) }

    var hasJobs: Bool { !own.isEmpty || state.withLock { !$0.jobs.isEmpty } }

    /// Runs all jobs that are ready. Jobs enqueued meanwhile wait for the next turn.
    ///
    /// - Returns: whether there were any.
    func runJobs() -> Bool {
        swap(&running, &own)
        state.withLock { state in
            guard !state.jobs.isEmpty else { return }
            running += state.jobs
            state.jobs.removeAll(keepingCapacity: true)
        }
        for job in running { job.runSynchronously(on: asUnownedTaskExecutor()) }
        let count = running.count
        running.removeAll(keepingCapacity: true)
        return count > 0
    }

    /// Called when the thread ends. Remaining and later jobs run on the global executor.
    func end() {
        thread.store(0, ordering: .relaxed)
        let left = state.withLock { state in
            state.hasEnded = true
            return state.jobs
        }
        for job in own + left { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
        own.removeAll()
    }
}
