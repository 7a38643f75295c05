import HTTPPool

/// Connects to one of several addresses (RFC 8305, 5). They are tried in order, each a quarter of a second after
/// the previous one or as soon as that has failed, and the first to connect wins.
///
/// libcurl's own implementation is not sufficient: it tries one address per family at a time, each for half of the
/// remaining connect timeout, and 7.88 starts the next one only when some other timer expires.
///
/// A pure value, without clock and sockets.
struct Race {
    /// A socket that is connecting.
    struct Attempt {
        let descriptor: Int32
        let address: String
        let began: MonotonicTime
    }

    /// The maximum number of concurrent attempts in a race. Beyond it, the next attempt replaces the oldest.
    static let mostAttempts = 4

    let opener: NameWaits.Opener
    /// The number of the look-up that found the addresses.
    let lookUp: UInt64
    private(set) var attempts: [Attempt] = []
    /// The `errno` value of the last failed attempt.
    private(set) var error: Int32 = 0
    private var waiting: ArraySlice<String>
    private var lastBegan: MonotonicTime

    init(_ opener: NameWaits.Opener, _ addresses: [String], lookUp: UInt64, at now: MonotonicTime) {
        self.opener = opener
        self.lookUp = lookUp
        waiting = addresses[...]
        lastBegan = now
    }

    /// Whether all addresses have failed.
    var isLost: Bool { attempts.isEmpty && waiting.isEmpty }

    /// When the next address is due; `nil` if none is left.
    var nextDue: MonotonicTime? {
        if waiting.isEmpty { return nil }
        return attempts.isEmpty ? lastBegan : lastBegan + AddressHistory.patience
    }

    /// Takes the address to be tried now.
    ///
    /// - Returns: `nil` if none is due. `instead` is the attempt to abandon for it, if there are too many.
    mutating func next(at now: MonotonicTime) -> (address: String, instead: Attempt?)? {
        guard let due = nextDue, due <= now, let address = waiting.popFirst() else { return nil }
        return (address, attempts.count >= Self.mostAttempts ? attempts.removeFirst() : nil)
    }

    mutating func began(_ descriptor: Int32, _ address: String, at now: MonotonicTime) {
        attempts.append(Attempt(descriptor: descriptor, address: address, began: now))
        lastBegan = now
    }

    /// No socket could be created for the address, or its attempt failed at once.
    mutating func failed(_ error: Int32) { self.error = error }

    /// Ends an attempt, which has failed with this error or, if that is 0, has connected.
    mutating func end(_ descriptor: Int32, error: Int32) -> Attempt? {
        guard let index = attempts.firstIndex(where: { $0.descriptor == descriptor }) else { return nil }
        if error != 0 { self.error = error }
        return attempts.remove(at: index)
    }
}
