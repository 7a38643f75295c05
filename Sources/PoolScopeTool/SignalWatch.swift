import Dispatch
import Glibc
import Synchronization

/// Calls a function on the first SIGINT or SIGTERM, and exits on the second with the status that a shell reports for
/// a process which it ended: 130 for SIGINT, 143 for SIGTERM.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    /// Starts watching.
    ///
    /// - Parameter onFirst: called once, on a Dispatch queue.
    init(onFirst: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "poolscope.signals")
        let seen = SignalCount()
        sources = [SIGINT, SIGTERM].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if seen.isFirst() { onFirst() } else { _exit(128 + number) }
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}

private final class SignalCount: Sendable {
    private let count = Atomic<Int>(0)

    func isFirst() -> Bool { count.add(1, ordering: .relaxed).oldValue == 0 }
}
