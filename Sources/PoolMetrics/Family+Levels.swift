import HTTPPool

extension Family {
    /// Current levels.
    static let levels: [Family] = [
        Family(
            "http_client_pool_connections",
            .gauge,
            "Connections that count against the limits, by state. All active: requests wait; many connecting: the upstream is slow to accept.",
            needs: .connections,
            .origin(
                each(
                    "state",
                    [
                        "connecting": { Double($0.levels.connections.connecting) },
                        "active": { Double($0.levels.connections.active) },
                        "idle": { Double($0.levels.connections.idle) },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_requests",
            .gauge,
            "Requests that were accepted and are not finished, by state. queued: a limit is reached, see saturated; in_flight: which upstream holds the connections.",
            .origin(
                each(
                    "state",
                    [
                        "queued": { Double($0.levels.requests.queued) },
                        "connecting": { Double($0.levels.requests.connecting) },
                        "in_flight": { Double($0.levels.requests.inFlight) },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_site_requests",
            .gauge,
            "Requests that were accepted and are not finished, by call site and state: who holds the connections, and who waits.",
            .site(
                each(
                    "state",
                    [
                        "queued": { Double($0.levels.queued) },
                        "connecting": { Double($0.levels.connecting) },
                        "in_flight": { Double($0.levels.inFlight) },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_oldest_queued_seconds",
            .gauge,
            "Age of the request that has been queued the longest; 0 when none is queued.",
            .pool(one { $0.oldestQueuedSeconds })
        ),
        Family(
            "http_client_pool_oldest_lease_seconds",
            .gauge,
            "Age of the request that has held its connection the longest; 0 when none holds one. A large value is a long download or a leak.",
            needs: .leaseStates,
            .pool(one { $0.oldestLeaseSeconds })
        ),
        Family(
            "http_client_pool_overdue_leases",
            .gauge,
            "Requests that hold a connection on which no byte has moved for a minute. caller: our own code is to read or write, which is a leak; peer: the upstream is to send or accept bytes.",
            needs: .leaseStates,
            .pool(
                each(
                    "held_by",
                    [
                        "peer": { $0.overdueLeases.map { Double($0.peer) } },
                        "caller": { $0.overdueLeases.map { Double($0.caller) } },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_connections_peak",
            .gauge,
            "Highest level of the last 60 seconds. Close to max_connections means that requests will have to wait.",
            needs: .connections,
            .pool(each("state", ["active": { Double($0.peaks.active) }, "open": { Double($0.peaks.open) }]))
        ),
        Family(
            "http_client_pool_queued_peak",
            .gauge,
            "Highest number of queued requests in the last 60 seconds, those that the pool's thread has yet to take included. High: see saturated.",
            .pool(one { Double($0.peaks.queued) })
        ),
        Family(
            "http_client_pool_demand_peak",
            .gauge,
            "Highest number of requests in the last 60 seconds, waiting or in flight: with so many HTTP/1.1 connections none would have waited.",
            .pool(one { Double($0.peaks.demand) })
        ),
        Family(
            "http_client_pool_saturated",
            .gauge,
            "1 for each limit that keeps requests waiting; none is 1 when no limit does. Raise the limit only if the upstream is fast.",
            needs: .limitWaits,
            .pool(
                each("limit", PoolLimit.self) { $0.saturation.contains($1) ? 1 : 0 }
                    + each("limit", ["none": { $0.saturation.isEmpty ? 1 : 0 }])
            )
        ),
        Family(
            "http_client_pool_driver_stall_seconds",
            .gauge,
            "Time for which the pool's thread has been busy with one turn; 0 when asleep. Above 1: code that blocks runs on the pool's executor.",
            needs: .activity,
            .pool(one { $0.driverStallSeconds })
        ),
        Family(
            "http_client_pool_resolving",
            .gauge,
            "Names that are being looked up and that connections of the pool wait for. Above 0 for long: the resolver is slow or down.",
            needs: .lookUps,
            .pool(one { $0.resolving.map(Double.init) })
        ),
        Family(
            "http_client_pool_reuse_ratio",
            .gauge,
            "Share of all acquires since the start that needed no new connection; absent before the first. Low means that connections are not kept alive.",
            .pool(one { $0.reuseRatio })
        ),
        Family(
            "http_client_pools",
            .gauge,
            "Pools alive in this process. Rising: clients are made per request or not shut down.",
            .process { Double($0.poolsAlive) }
        ),
    ]
}
