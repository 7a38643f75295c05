import HTTPPool

/// How a connection comes to one of several addresses (RFC 8305, 5): they are tried one after the other, each a quarter of
/// a second after the one before or as soon as that has failed, and the first that connects wins.
///
/// libcurl has a way of its own, and it is not enough: it tries one address of a family at a time, for half of what is left
/// of the connect timeout, and 7.88 begins with the next one only when some timer happens to go off.
///
/// A value without clock and sockets.
struct Race {
    /// A socket that is connecting.
    struct Attempt {
        let descriptor: Int32
        let address: String
        let began: MonotonicTime
    }

    /// Sockets of one race that are connecting at once. Then the oldest gives way to the next.
    static let mostAttempts = 4

    let opener: NameWaits.Opener
    /// The number of the look-up that found the addresses.
    let lookUp: UInt64
    private(set) var attempts: [Attempt] = []
    /// What the system said of the last attempt that failed.
    private(set) var error: Int32 = 0
    private var waiting: ArraySlice<String>
    private var lastBegan: MonotonicTime

    init(_ opener: NameWaits.Opener, _ addresses: [String], lookUp: UInt64, at now: MonotonicTime) {
        self.opener = opener
        self.lookUp = lookUp
        waiting = addresses[...]
        lastBegan = now
    }

    /// Whether no address is left that could connect.
    var isLost: Bool { attempts.isEmpty && waiting.isEmpty }

    /// When the next address is to be tried; `nil` where none is left.
    var nextDue: MonotonicTime? {
        if waiting.isEmpty { return nil }
        return attempts.isEmpty ? lastBegan : lastBegan + AddressHistory.patience
    }

    /// The address that is to be tried now.
    ///
    /// - Returns: `nil` where none is due; with an attempt that is to give way to it, where there are too many.
    mutating func next(at now: MonotonicTime) -> (address: String, instead: Attempt?)? {
        guard let due = nextDue, due <= now, let address = waiting.popFirst() else { return nil }
        return (address, attempts.count >= Self.mostAttempts ? attempts.removeFirst() : nil)
    }

    mutating func began(_ descriptor: Int32, _ address: String, at now: MonotonicTime) {
        attempts.append(Attempt(descriptor: descriptor, address: address, began: now))
        lastBegan = now
    }

    /// No socket could be had for the address, or it failed at once.
    mutating func failed(_ error: Int32) { self.error = error }

    /// The attempt is over: it has failed with this error, or has won.
    mutating func end(_ descriptor: Int32, error: Int32) -> Attempt? {
        guard let index = attempts.firstIndex(where: { $0.descriptor == descriptor }) else { return nil }
        if error != 0 { self.error = error }
        return attempts.remove(at: index)
    }
}
