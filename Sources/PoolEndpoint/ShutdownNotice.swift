public import ServiceLifecycle
import Synchronization

/// Makes `/-/ready` respond with 503 from the beginning of a shutdown.
///
/// A service group shuts down in reverse order, so a pool learns of it only when the services that use it have ended. List
/// this service last, and it learns of it first:
///
/// ```swift
/// let services: [any Service] = [endpoint, client, server, endpoint.shutdownNotice]
/// ```
///
/// It ends at once, so that the shutdown goes on.
public struct ShutdownNotice: Service {
    let flag: ShutdownFlag

    /// Runs until the service group shuts down or the task is cancelled.
    public func run() async {
        // Throws if the task is cancelled, which also begins a shutdown.
        try? await gracefulShutdown()
        flag.raise()
    }
}

/// Whether the process has begun to shut down.
final class ShutdownFlag: Sendable {
    private let raised = Atomic(false)

    var isRaised: Bool { raised.load(ordering: .relaxed) }

    func raise() { raised.store(true, ordering: .relaxed) }
}
