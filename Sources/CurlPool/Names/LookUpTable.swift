import HTTPPool

/// The result of looking up a name.
package typealias NameResult = Result<[String], NameFailure>

/// Why a name has no addresses.
package enum NameFailure: Error, Sendable, Hashable {
    /// The name does not exist or has no address.
    case unknown
    /// The look-up failed. Carries the system's error text.
    case failed(String)
    /// The system had no descriptor, thread or memory for the look-up. Carries the system's error text.
    case outOfResources(String)
}

/// The addresses of a name, in the resolver's order.
struct KnownAddresses: Sendable, Hashable {
    let addresses: [String]
    /// The number of the look-up that found them.
    let lookUp: UInt64
}

/// The decisions of a ``Resolver``: which names are cached, which are being looked up, and who waits for them.
///
/// A pure value, without clock, lock or thread.
struct LookUpTable {
    /// A request for the result of a look-up.
    struct Waiter: Sendable {
        let ticket: UInt64
        /// Called once, outside of any lock.
        let deliver: @Sendable (Result<KnownAddresses, NameFailure>) -> Void
    }

    enum Finding {
        case known(KnownAddresses)
        /// The waiter will be called. `startsThread`: the caller must start another thread for that.
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

    /// The maximum number of cached names. Beyond it, the oldest is removed.
    private static let mostKnown = 1024
    /// The maximum number of addresses used per name.
    private static let mostAddresses = 64

    private let maxThreads: Int
    private var known: [String: Known] = [:]
    private var flights: [String: Flight] = [:]
    /// Names whose look-up has not begun, oldest first.
    private var queue: [String] = []
    private(set) var threads = 0
    private var lookUps: UInt64 = 0

    init(maxThreads: Int) { self.maxThreads = maxThreads }

    /// Returns the addresses that were found within the last `lifetime` nanoseconds. Otherwise the waiter joins the
    /// look-up of the name in flight, or starts one.
    mutating func ask(_ name: String, lifetime: UInt64, _ waiter: Waiter, at now: MonotonicTime) -> Finding {
        if let known = known[name], lifetime > 0, now - known.found < lifetime { return .known(known.addresses) }
        if flights[name] != nil {
            flights[name]?.waiters.append(waiter)
            return .pending(startsThread: false)
        }
        flights[name] = Flight(waiters: [waiter])
        queue.append(name)
        // An existing thread takes the name once it has finished the current one.
        guard threads < maxThreads else { return .pending(startsThread: false) }
        threads += 1
        return .pending(startsThread: true)
    }

    /// Removes a waiter. A look-up without waiters that no thread has begun is dropped.
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

    /// The next name for a thread; `nil` if no name is queued, and the thread must end.
    mutating func next() -> String? {
        guard !queue.isEmpty else {
            threads -= 1
            return nil
        }
        let name = queue.removeFirst()
        flights[name]?.isRunning = true
        return name
    }

    /// Records the result of a look-up. Failures are not cached: the next connection tries again.
    ///
    /// - Returns: the waiters and the result to deliver to them.
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

    /// A thread could not be started. If there are none, the queued names cannot be looked up.
    ///
    /// - Returns: the waiters whose look-ups are abandoned.
    mutating func threadFailed() -> [Waiter] {
        threads -= 1
        guard threads == 0 else { return [] }
        defer { queue.removeAll() }
        return queue.flatMap { flights.removeValue(forKey: $0)?.waiters ?? [] }
    }

    /// Removes the addresses found by that look-up from the cache. Newer ones stay.
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
