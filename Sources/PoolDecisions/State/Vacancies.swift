/// What the present input has made free, for ``PoolStateMachine/serve(at:)`` to give to those who wait.
struct Vacancies {
    /// Origins whose connections became free, one entry for each connection.
    private var freed: [Int] = []
    /// Origins that lost a connection on which requests had lost their place, one entry for each connection.
    private var claims: [Int] = []
    /// Origins with waiting requests and a connection that got room for another one.
    private var offers: [Int] = []
    /// By origin: whether it is among ``offers``.
    private var isOffering: [Bool] = []

    /// Whether nothing is left to look at but freed connections.
    var isTakenUp: Bool { offers.isEmpty && claims.isEmpty }

    // MARK: Connections

    /// A connection of the origin became free, or its slot did.
    mutating func free(_ origin: Int) { freed.append(origin) }

    /// The origin whose connection became free last.
    var latestFreed: Int? { freed.last }

    /// Whichever connection became free last has been given away.
    mutating func takeFreed() { _ = freed.popLast() }

    /// The input has been dealt with: what is still free is so for anybody.
    mutating func forgetFreed() {
        if !freed.isEmpty { freed.removeAll(keepingCapacity: true) }
    }

    /// The origin's returned requests have the first claim to the slot that its connection left.
    mutating func claim(for origin: Int) { claims.append(origin) }

    mutating func takeClaim() -> Int? { claims.popLast() }

    // MARK: Room on a shared connection

    /// A connection of the origin has room for another request, and requests wait.
    mutating func offer(to origin: Int) {
        while isOffering.count <= origin { isOffering.append(false) }
        guard !isOffering[origin] else { return }
        isOffering[origin] = true
        offers.append(origin)
    }

    mutating func takeOffer() -> Int? {
        guard let origin = offers.popLast() else { return nil }
        isOffering[origin] = false
        return origin
    }

    func isOffered(to origin: Int) -> Bool { origin < isOffering.count && isOffering[origin] }
}
