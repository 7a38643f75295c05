import Glibc
import Synchronization

/// Runs tasks on the pool's own thread, between its turns.
///
/// A task that prefers it is resumed without waking another thread, which is most of what a request costs beyond
/// libcurl. In return it can hold the pool up: see ``CurlClient/executor``.
///
/// Sound as `Sendable`: `own` is touched by the pool's thread alone, everything else is behind the lock.
final class DriverExecutor: TaskExecutor, @unchecked Sendable {
    private struct State {
        /// Parts of tasks that other threads have handed in.
        var jobs: [UnownedJob] = []
        var hasEnded = false
    }
    private let state = Mutex(State())
    /// The pool's thread, while it is there.
    private let thread = Atomic<UInt>(0)
    /// Parts of tasks that the thread itself has made ready. They need no lock, and nobody needs waking.
    @exclusivity(unchecked) private var own: [UnownedJob] = []
    @exclusivity(unchecked) private var running: [UnownedJob] = []
    private let wake: @Sendable () -> Void

    /// `wake` wakes the pool's thread, and does nothing where that has ended.
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
        // A task outlives the pool whose thread it preferred.
        if isTaken { wake() } else { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    // MARK: The pool's thread

    func begin() { thread.store(pthread_self(), ordering: .relaxed) }

    var hasJobs: Bool { !own.isEmpty || state.withLock { !$0.jobs.isEmpty } }

    /// Runs what is ready. What that makes ready is for the next turn.
    ///
    /// - Returns: whether anything was.
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

    /// The thread ends. Whatever is ready goes on elsewhere, as does what comes later.
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
