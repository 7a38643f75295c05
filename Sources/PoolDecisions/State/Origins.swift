import HTTPPool

/// The origins that have connections, requests or refusals, under small numbers; and what is known of the connections that
/// each of them accepts.
struct Origins {
    struct State {
        let origin: Origin
        /// Whether its connections carry several requests at once; `nil` while that is not known.
        var isMultiplexed: Bool?
        /// The most requests that were ever in flight at once on one of its connections.
        var provenStreams = 1
    }

    private var states = Slab<State>()
    private var numbers: [Origin: Int] = [:]
    /// The origin that was looked up last, unless one was removed since.
    private var latest: (origin: Origin, number: Int)?

    /// The number in use for the origin.
    mutating func number(of origin: Origin) -> Int? {
        // Most services talk to few origins, and often to the same one twice.
        if let latest, latest.origin == origin { return latest.number }
        guard let number = numbers[origin] else { return nil }
        latest = (origin, number)
        return number
    }

    /// Gives a new origin a number. `mayMultiplex`: its connections may turn out to carry several requests at once.
    mutating func add(_ origin: Origin, mayMultiplex: Bool) -> Int {
        let number = states.insert(State(origin: origin, isMultiplexed: mayMultiplex ? nil : false))
        numbers[origin] = number
        return number
    }

    /// Frees the number.
    mutating func remove(_ number: Int) {
        numbers[states[number].origin] = nil
        latest = nil
        states.remove(at: number)
    }

    var count: Int { states.count }

    /// The numbers in use, lowest first.
    var indices: [Int] { states.indices }

    func contains(_ number: Int) -> Bool { states.contains(number) }

    /// The state of an origin whose number is in use.
    subscript(number: Int) -> State {
        _read { yield states[number] }
        _modify { yield &states[number] }
    }
}
