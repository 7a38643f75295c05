import CLinux
import Glibc
import HTTPPool
import Synchronization

/// Looks names up for all pools of the process, on at most four threads of its own.
///
/// libcurl would start a thread and open two descriptors for each connection to a name that it does not know, and leave
/// them behind when a request gives up. Here all who want a name share the one look-up of it that is in flight, and what
/// nobody waits for any more is not begun. Threads are started when there is something to look up, and end when there is
/// nothing.
package final class Resolver: Sendable {
    /// Looks a name up and blocks until that is done.
    package typealias LookUp = @Sendable (_ name: String) -> NameResult

    /// That of the process, which asks the system.
    package static let process = Resolver(SystemResolver.lookUp)

    /// What ``ask(_:lifetime:_:)`` says.
    enum Finding {
        case known(KnownAddresses)
        /// The look-up is under way; the ticket is for ``withdraw(_:from:)``.
        case pending(ticket: UInt64)
    }

    private static let maxThreads = 4

    private let table = Mutex(LookUpTable(maxThreads: maxThreads))
    private let lastTicket = Atomic<UInt64>(0)
    private let lookUp: LookUp

    package init(_ lookUp: @escaping LookUp) { self.lookUp = lookUp }

    /// The addresses of a name where they were found within `lifetime` nanoseconds. Otherwise they are looked up and
    /// `deliver` is called on another thread, unless the ticket is withdrawn before.
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

    /// Nobody waits for it any more. What is on its way may still be delivered.
    func withdraw(_ ticket: UInt64, from name: String) { table.withLock { $0.withdraw(ticket, from: name) } }

    /// The addresses of a look-up proved bad: the next connection looks the name up anew.
    func forget(_ name: String, lookUp: UInt64) { table.withLock { $0.forget(name, lookUp: lookUp) } }

    // MARK: Threads

    private func startThread() {
        // The thread keeps the resolver alive until it has ended.
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
