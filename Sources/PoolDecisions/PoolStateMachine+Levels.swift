import HTTPPool

/// Levels and events: the one place where they change.
extension PoolStateMachine {
    func originID(of id: RequestID) -> OriginID { OriginID(index: Int32(requests[id].origin)) }

    mutating func record(_ event: PoolEvent) { turn.events.append(event) }

    mutating func moveRequest(_ id: RequestID, to state: Request.State) {
        let old = requests[id].state
        requests[id].state = state
        changeLevels(of: id) { levels in
            switch old {
            case .queued: levels.queued -= 1
            case .connecting: levels.connecting -= 1
            case .inFlight: levels.inFlight -= 1
            }
            switch state {
            case .queued: levels.queued += 1
            case .connecting: levels.connecting += 1
            case .inFlight: levels.inFlight += 1
            }
        }
    }

    /// The request is finished; its number is free.
    mutating func forget(_ id: RequestID) {
        let state = requests[id].state
        changeLevels(of: id) { levels in
            switch state {
            case .queued: levels.queued -= 1
            case .connecting: levels.connecting -= 1
            case .inFlight: levels.inFlight -= 1
            }
        }
        requests.remove(at: id)
    }

    mutating func changeConnections(of origin: Int, _ change: (inout ConnectionLevels) -> Void) {
        change(&origins[origin].levels.connections)
        touch(origin)
        rerank(origin)
    }

    mutating func changeLevels(of id: RequestID, _ change: (inout RequestLevels) -> Void) {
        let origin = requests[id].origin
        change(&origins[origin].levels.requests)
        touch(origin)
        let site = requests[id].site
        let index = Int(site.index)
        while sites.count <= index { sites.append(SiteState()) }
        change(&sites[index].levels)
        if !sites[index].isTouched {
            sites[index].isTouched = true
            touchedSites.append(site)
        }
    }

    mutating func touch(_ origin: Int) {
        guard !origins[origin].isTouched else { return }
        origins[origin].isTouched = true
        touchedOrigins.append(origin)
    }

    mutating func index(of origin: Origin) -> Int {
        // Most services talk to few origins, and often to the same one twice.
        if let latestOrigin, latestOrigin.origin == origin { return latestOrigin.index }
        if let index = originIndices[origin] {
            latestOrigin = (origin, index)
            return index
        }
        let index = origins.insert(
            OriginState(origin: origin, mayMultiplex: rules.mayMultiplex && origin.scheme.hasPrefix("https"))
        )
        originIndices[origin] = index
        turn.newOrigins.append((OriginID(index: Int32(index)), origin))
        return index
    }

    /// Ends the acquisition of a request that has no connection, and the request with it.
    mutating func failAcquisition(
        _ id: RequestID,
        _ reason: AcquireFailure,
        _ failure: RequestFailure,
        at now: MonotonicTime
    ) {
        record(.acquireFailed(originID(of: id), reason, waited: now - requests[id].acquisitionBegan))
        actions.append(.fail(id, failure))
        forget(id)
    }

    mutating func endLease(_ id: RequestID, at now: MonotonicTime) {
        record(.leaseEnded(originID(of: id), requests[id].site, held: now - requests[id].acquired))
    }
}
