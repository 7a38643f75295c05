import CLinux
import Glibc
import HTTPPool
import Synchronization

/// Looks up names for all pools of the process, on at most four threads of its own.
///
/// libcurl would start a thread and open two descriptors for each connection to a name that is not in its cache,
/// and leave them behind when a request gives up. Here, all requests for a name share its look-up in flight, and a
/// look-up that nothing waits for is not begun. Threads are started on demand and end when no name is queued.
package final class Resolver: Sendable {
    /// Looks up a name. Blocks until that is done.
    package typealias LookUp = @Sendable (_ name: String) -> NameResult

    /// The process-wide resolver, which uses the system's.
    package static let process = Resolver(SystemResolver.lookUp)

    /// The result of ``ask(_:lifetime:_:)``.
    enum Finding {
        case known(KnownAddresses)
        /// The look-up is pending; the ticket is for ``withdraw(_:from:)``.
        case pending(ticket: UInt64)
    }

    private static let maxThreads = 4

    private let table = Mutex(LookUpTable(maxThreads: maxThreads))
    private let lastTicket = Atomic<UInt64>(0)
    private let lookUp: LookUp

    package init(_ lookUp: @escaping LookUp) { self.lookUp = lookUp }

    /// Returns the addresses of a name if they were found within the last `lifetime` nanoseconds. Otherwise looks
    /// them up and calls `deliver` on another thread, unless the ticket is withdrawn first.
    func ask(
        _ name: String,
        lifetime: UInt64,
        _ deliver: @escaping @Sendable (_ ticket: UInt64, Result<KnownAddresses, NameFailure>) -> Void
    ) -> Finding {
        let ticket = lastTicket.add(1, ordering: .relaxed).newValue
        let waiter = LookUpTable.Waiter(ticket: ticket) { deliver(ticket, $0) }
        switch table.withLock({ $0.ask(name, lifetime: lifetime, waiter, at: MonotonicTime.now()) }) {
        case .known(let addresses): return .known(addresses)
        case .pending(let startsThread):
            if startsThread { startThread() }
            return .pending(ticket: ticket)
        }
    }

    /// Withdraws a waiter. A delivery that has already begun may still arrive.
    func withdraw(_ ticket: UInt64, from name: String) { table.withLock { $0.withdraw(ticket, from: name) } }

    /// Removes the addresses of a look-up that failed to connect: the next connection looks the name up again.
    func forget(_ name: String, lookUp: UInt64) { table.withLock { $0.forget(name, lookUp: lookUp) } }

    // MARK: Threads

    private func startThread() {
        // The thread retains the resolver until it has ended.
        let code = SystemThread.start("poolscope-dns") { self.work() }
        guard code != 0 else { return }
        let failure = NameFailure.outOfResources(String(cString: strerror(code)))
        for waiter in table.withLock({ $0.threadFailed() }) { waiter.deliver(.failure(failure)) }
    }

    private func work() {
        while let name = table.withLock({ $0.next() }) {
            let result = lookUp(name)
            let (waiters, found) = table.withLock { $0.finish(name, result, at: MonotonicTime.now()) }
            for waiter in waiters { waiter.deliver(found) }
        }
    }
}
