import HTTPPool

/// The turn that is to be reported, and the levels behind it: the one place where levels change and events are recorded.
///
/// A level changes because a request or a connection moves from one state to another, so none can be counted twice.
struct TurnRecord {
    private struct OriginEntry {
        var levels = OriginLevels()
        var taken = TakenRequests()
        var isTouched = false
    }

    private struct SiteEntry {
        var levels = RequestLevels()
        var taken = TakenRequests()
        var isTouched = false
    }

    /// Complete only between ``finish(at:oldestQueued:saturation:isEnding:)`` and ``beginNext()``.
    private(set) var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))
    /// The origins whose levels changed in this turn, or that may be unused.
    private var touchedOrigins: [Int] = []
    private var origins: [OriginEntry] = []
    private var touchedSites: [CallSite] = []
    private var sites: [SiteEntry] = []
    /// Whether ``PoolTurn/resolving`` has changed in this turn.
    private var hasNewResolving = false

    /// Whether there is anything to report.
    var hasNews: Bool {
        !turn.events.isEmpty || !touchedOrigins.isEmpty || turn.hasConfiguration || hasNewResolving
    }

    // MARK: Events

    /// Records what happened to a request.
    ///
    /// - Parameter connection: ``Slot/number``; 0 without a connection.
    mutating func record(
        _ kind: PoolEvent.Kind,
        _ id: RequestID,
        _ request: borrowing Request,
        connection: UInt64 = 0,
        at now: MonotonicTime
    ) {
        if let trace = request.trace { turn.traces.append(PoolTurn.EventTrace(event: turn.events.count, trace)) }
        turn.events.append(
            PoolEvent(
                kind,
                OriginID(index: Int32(truncatingIfNeeded: request.origin)),
                at: now,
                site: request.site,
                requestIndex: Int32(truncatingIfNeeded: id),
                requestValue: request.number,
                connectionValue: connection
            )
        )
    }

    /// Records what happened to a connection on which no request is.
    ///
    /// - Parameter connection: ``Slot/number``.
    mutating func record(_ kind: PoolEvent.Kind, of origin: Int, connection: UInt64, at now: MonotonicTime) {
        turn.events.append(
            PoolEvent(
                kind,
                OriginID(index: Int32(truncatingIfNeeded: origin)),
                at: now,
                site: .unattributed,
                requestIndex: -1,
                requestValue: 0,
                connectionValue: connection
            )
        )
    }

    /// The submission with this number is in the levels from now on, as a queued request.
    mutating func take(_ number: UInt64, of origin: Int, _ site: CallSite, submittedAt time: MonotonicTime) {
        turn.takenThrough = max(turn.takenThrough, number)
        requestMoved(of: origin, site, from: nil, to: .queued)
        origins[origin].taken.add(submittedAt: time)
        sites[Int(site.index)].taken.add(submittedAt: time)
    }

    mutating func setConfiguration(_ configuration: PoolConfiguration) { turn.configuration = configuration }

    mutating func noteBegin(_ began: MonotonicTime) { turn.began = began }

    mutating func noteFailure(of origin: Int, _ words: String) {
        turn.failures.append(PoolTurn.OriginFailure(OriginID(index: Int32(truncatingIfNeeded: origin)), words))
    }

    /// One of a turn is enough, and the words of a connection that failed to open stay the last ones: its event takes them.
    mutating func noteErrorStatus(of origin: Int, _ status: Int) {
        let id = OriginID(index: Int32(truncatingIfNeeded: origin))
        guard !turn.failures.contains(where: { $0.origin == id }) else { return }
        turn.failures.append(PoolTurn.OriginFailure(id, "status \(status)"))
    }

    mutating func setResolving(_ count: Int) {
        guard turn.resolving != count else { return }
        turn.resolving = count
        hasNewResolving = true
    }

    /// The origin is known under this number from now on.
    mutating func add(_ origin: Int, _ name: Origin) {
        while origins.count <= origin { origins.append(OriginEntry()) }
        turn.newOrigins.append(PoolTurn.NewOrigin(OriginID(index: Int32(origin)), name))
    }

    // MARK: Levels

    func connections(of origin: Int) -> ConnectionLevels { origins[origin].levels.connections }

    /// Whether the origin has neither connections nor requests.
    func isEmpty(_ origin: Int) -> Bool { origins[origin].levels == OriginLevels() }

    func levels(of origin: Int) -> OriginLevels { origins[origin].levels }

    func levels(of site: CallSite) -> RequestLevels {
        sites.indices.contains(Int(site.index)) ? sites[Int(site.index)].levels : RequestLevels()
    }

    /// A connection changes its state; `nil` for one that does not exist yet, or any more.
    mutating func connectionMoved(of origin: Int, from old: Slot.State?, to new: Slot.State?) {
        if let old { origins[origin].levels.connections[old] -= 1 }
        if let new { origins[origin].levels.connections[new] += 1 }
        touch(origin)
    }

    /// A request changes its state; `nil` for one that does not exist yet, or any more.
    mutating func requestMoved(
        of origin: Int,
        _ site: CallSite,
        from old: Request.State?,
        to new: Request.State?
    ) {
        if let old { origins[origin].levels.requests[old] -= 1 }
        if let new { origins[origin].levels.requests[new] += 1 }
        touch(origin)
        let index = Int(site.index)
        while sites.count <= index { sites.append(SiteEntry()) }
        if let old { sites[index].levels[old] -= 1 }
        if let new { sites[index].levels[new] += 1 }
        if !sites[index].isTouched {
            sites[index].isTouched = true
            touchedSites.append(site)
        }
    }

    /// The origin is looked at when the turn ends.
    mutating func touch(_ origin: Int) {
        guard !origins[origin].isTouched else { return }
        origins[origin].isTouched = true
        touchedOrigins.append(origin)
    }

    // MARK: The end of the turn

    /// Completes ``turn``. ``takeTouched()``, until it returns `nil`, and ``beginNext()`` follow.
    mutating func finish(
        at now: MonotonicTime,
        oldestQueued: MonotonicTime?,
        saturation: PoolSaturation,
        isEnding: Bool
    ) {
        turn.now = now
        turn.isEnding = isEnding
        for index in touchedOrigins {
            let entry = origins[index]
            turn.origins.append(
                PoolTurn.ChangedOrigin(OriginID(index: Int32(index)), entry.levels, taken: entry.taken)
            )
        }
        for site in touchedSites {
            let entry = sites[Int(site.index)]
            turn.sites.append(PoolTurn.ChangedSite(site, entry.levels, taken: entry.taken))
        }
        turn.oldestQueued = oldestQueued
        turn.saturation = saturation
        hasNewResolving = false
    }

    /// Takes one of the origins that were touched in the turn.
    mutating func takeTouched() -> Int? {
        guard let origin = touchedOrigins.popLast() else { return nil }
        origins[origin].isTouched = false
        origins[origin].taken = TakenRequests()
        return origin
    }

    mutating func beginNext() {
        assert(touchedOrigins.isEmpty, "the touched origins have been looked at")
        turn.reset()
        while let site = touchedSites.popLast() {
            sites[Int(site.index)].isTouched = false
            sites[Int(site.index)].taken = TakenRequests()
        }
    }
}

extension ConnectionLevels {
    /// Those that do something for their origin.
    var held: Int { connecting + active }

    fileprivate subscript(state: Slot.State) -> Int {
        get {
            switch state {
            case .connecting: connecting
            case .active: active
            case .idle: idle
            }
        }
        set {
            switch state {
            case .connecting: connecting = newValue
            case .active: active = newValue
            case .idle: idle = newValue
            }
        }
    }
}

extension RequestLevels {
    fileprivate subscript(state: Request.State) -> Int {
        get {
            switch state {
            case .queued: queued
            case .connecting: connecting
            case .inFlight: inFlight
            }
        }
        set {
            switch state {
            case .queued: queued = newValue
            case .connecting: connecting = newValue
            case .inFlight: inFlight = newValue
            }
        }
    }
}
