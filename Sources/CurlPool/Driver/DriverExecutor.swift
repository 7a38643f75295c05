/// Runs tasks on the pool's own thread, between its turns.
///
/// A task that prefers it is resumed without waking another thread, which is most of what a request costs beyond
/// libcurl. In return it can hold the pool up: see ``CurlPool/executor``.
final class DriverExecutor: TaskExecutor {
    private let mailbox: Mailbox

    init(mailbox: Mailbox) { self.mailbox = mailbox }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A task outlives the pool whose thread it preferred.
        if !mailbox.enqueue(job) { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }
}
