import HTTPPool

/// What a look-up of a name found.
package typealias NameResult = Result<[String], NameFailure>

/// Why a name has no addresses.
package enum NameFailure: Error, Sendable, Hashable {
    /// There is no such name, or it has no address.
    case unknown
    /// It could not be looked up. The words are the system's own.
    case failed(String)
    /// The system had no descriptor, thread or memory for the look-up. The words are the system's own.
    case outOfResources(String)
}

/// The addresses of a name, in the order in which the resolver gave them.
struct KnownAddresses: Sendable, Hashable {
    let addresses: [String]
    /// The number of the look-up that found them.
    let lookUp: UInt64
}

/// Which names are known, being looked up, and waiting for that: the decisions of a ``Resolver``.
///
/// A value without clock, lock and thread.
struct LookUpTable {
    /// Somebody who waits for a look-up.
    struct Waiter: Sendable {
        let ticket: UInt64
        /// Called once, outside of any lock.
        let deliver: @Sendable (Result<KnownAddresses, NameFailure>) -> Void
    }

    enum Finding {
        case known(KnownAddresses)
        /// The waiter will be called. `startsThread`: one more thread is needed for that.
        case pending(startsThread: Bool)
    }

    private struct Known {
        let addresses: KnownAddresses
        let found: MonotonicTime
    }

    private struct Flight {
        var waiters: [Waiter] = []
        var isRunning = false
    }

    /// Names that are remembered. More than these, and the oldest is forgotten.
    private static let mostKnown = 1024
    /// Addresses of a name that are used.
    private static let mostAddresses = 64

    private let maxThreads: Int
    private var known: [String: Known] = [:]
    private var flights: [String: Flight] = [:]
    /// Names that no thread has begun to look up, the first one first.
    private var queue: [String] = []
    private(set) var threads = 0
    private var lookUps: UInt64 = 0

    init(maxThreads: Int) { self.maxThreads = maxThreads }

    /// The addresses that were found within `lifetime` nanoseconds; otherwise the waiter joins the one look-up of the
    /// name, which begins where none is in flight.
    mutating func ask(_ name: String, lifetime: UInt64, _ waiter: Waiter, at now: MonotonicTime) -> Finding {
        if let known = known[name], lifetime > 0, now - known.found < lifetime { return .known(known.addresses) }
        if flights[name] != nil {
            flights[name]?.waiters.append(waiter)
            return .pending(startsThread: false)
        }
        flights[name] = Flight(waiters: [waiter])
        queue.append(name)
        // One that is there takes the name as soon as it has done the one before.
        guard threads < maxThreads else { return .pending(startsThread: false) }
        threads += 1
        return .pending(startsThread: true)
    }

    /// The waiter does not wait any more. A look-up that nobody waits for and no thread has begun is dropped.
    mutating func withdraw(_ ticket: UInt64, from name: String) {
        guard var flight = flights[name] else { return }
        flight.waiters.removeAll { $0.ticket == ticket }
        if flight.waiters.isEmpty, !flight.isRunning {
            flights[name] = nil
            queue.removeAll { $0 == name }
        } else {
            flights[name] = flight
        }
    }

    /// The next name for a thread; `nil` when no name waits, and the thread ends.
    mutating func next() -> String? {
        guard !queue.isEmpty else {
            threads -= 1
            return nil
        }
        let name = queue.removeFirst()
        flights[name]?.isRunning = true
        return name
    }

    /// A look-up has ended. A failure is not remembered: the next connection tries again.
    ///
    /// - Returns: who waits for it, and what they are to be given.
    mutating func finish(
        _ name: String,
        _ result: NameResult,
        at now: MonotonicTime
    ) -> ([Waiter], Result<KnownAddresses, NameFailure>) {
        lookUps += 1
        let found = result.flatMap { addresses -> Result<KnownAddresses, NameFailure> in
            let usable = Self.distinct(addresses).prefix(Self.mostAddresses)
            guard !usable.isEmpty else { return .failure(.unknown) }
            return .success(KnownAddresses(addresses: Array(usable), lookUp: lookUps))
        }
        switch found {
        case .success(let addresses): remember(addresses, as: name, at: now)
        case .failure: known[name] = nil
        }
        return (flights.removeValue(forKey: name)?.waiters ?? [], found)
    }

    /// No thread could be had. Without any, nothing in the queue would ever be looked up.
    ///
    /// - Returns: who waited in vain.
    mutating func threadFailed() -> [Waiter] {
        threads -= 1
        guard threads == 0 else { return [] }
        defer { queue.removeAll() }
        return queue.flatMap { flights.removeValue(forKey: $0)?.waiters ?? [] }
    }

    /// The addresses of that look-up are not to be used any more. Newer ones stay.
    mutating func forget(_ name: String, lookUp: UInt64) {
        if known[name]?.addresses.lookUp == lookUp { known[name] = nil }
    }

    private mutating func remember(_ addresses: KnownAddresses, as name: String, at now: MonotonicTime) {
        if known.count >= Self.mostKnown, known[name] == nil,
            let oldest = known.min(by: { $0.value.found < $1.value.found })
        {
            known[oldest.key] = nil
        }
        known[name] = Known(addresses: addresses, found: now)
    }

    private static func distinct(_ addresses: [String]) -> [String] {
        var seen: Set<String> = []
        return addresses.filter { seen.insert($0).inserted }
    }
}
