import HTTPPool

extension Family {
    /// Counters since the pool was created.
    static let counters: [Family] = [
        Family(
            "http_client_pool_acquires_total",
            .counter,
            "Acquisitions that ended with a ready connection, by how it came. Mostly new: see connections_closed_total.",
            .origin(each("kind", AcquireKind.self) { Double($0.acquires[$1]) })
        ),
        Family(
            "http_client_pool_acquire_failures_total",
            .counter,
            "Acquisitions that ended without a connection, by reason. timeout, rejected: see saturated; connect_failed: see connect_failures_total.",
            .origin(each("reason", AcquireFailure.self) { Double($0.acquireFailures[$1]) })
        ),
        Family(
            "http_client_pool_leases_total",
            .counter,
            "Requests that had a connection, by how they ended. Rising 5xx, timeout or connection_lost: the upstream fails.",
            needs: .outcomes,
            .origin(each("outcome", LeaseOutcome.self) { Double($0.leases[$1]) })
        ),
        Family(
            "http_client_pool_lease_seconds_total",
            .counter,
            "Time for which requests held connections, live ones included: its rate is the mean number of requests in flight.",
            .origin(one { $0.leaseSeconds })
        ),
        Family(
            "http_client_pool_responses_total",
            .counter,
            "Final response heads. With response_wait_seconds_total it gives the mean time that an upstream takes to respond.",
            needs: .responses,
            .origin(one { Double($0.responses) })
        ),
        Family(
            "http_client_pool_response_wait_seconds_total",
            .counter,
            "Time from acquiring a connection to the final response head, summed over responses_total.",
            needs: .responses,
            .origin(one { $0.responseWaitSeconds })
        ),
        Family(
            "http_client_pool_wait_seconds_total",
            .counter,
            "Time for which requests waited for a connection, queued or connecting: its rate is the mean number that wait.",
            .origin(one { $0.waitSeconds })
        ),
        Family(
            "http_client_pool_site_acquires_total",
            .counter,
            "Acquisitions that ended with a ready connection, by call site.",
            .site(one { Double($0.acquires) })
        ),
        Family(
            "http_client_pool_site_acquire_failures_total",
            .counter,
            "Acquisitions that ended without a connection, by call site.",
            .site(one { Double($0.acquireFailures) })
        ),
        Family(
            "http_client_pool_site_lease_seconds_total",
            .counter,
            "Time for which requests held connections, by call site, live ones included: who uses the pool.",
            .site(one { $0.leaseSeconds })
        ),
        Family(
            "http_client_pool_site_wait_seconds_total",
            .counter,
            "Time for which requests waited for a connection, by call site: who suffers.",
            .site(one { $0.waitSeconds })
        ),
        Family(
            "http_client_pool_connections_opened_total",
            .counter,
            "Connections that became usable. Rising as fast as acquires_total: connections are not reused.",
            needs: .connections,
            .origin(one { Double($0.connectionsOpened) })
        ),
        Family(
            "http_client_pool_connect_failures_total",
            .counter,
            "Connections that never became usable, by reason. Check the upstream's name (dns), port (refused), network (timeout), certificate (tls).",
            needs: .connections,
            .origin(each("reason", ConnectFailure.self) { Double($0.connectFailures[$1]) })
        ),
        Family(
            "http_client_pool_connections_closed_total",
            .counter,
            "Usable connections that were closed, by reason. peer_closed: keep idle ones for less time than the upstream; evicted: raise max_connections; request_cancelled: read responses to their end.",
            needs: .connections,
            .origin(each("reason", CloseReason.self) { Double($0.connectionsClosed[$1]) })
        ),
        Family(
            "http_client_pool_limit_waits_total",
            .counter,
            "Requests that had to queue, by the limit that made them.",
            needs: .limitWaits,
            .origin(each("limit", PoolLimit.self) { Double($0.limitWaits[$1]) })
        ),
        Family(
            "http_client_pool_stale_retries_total",
            .counter,
            "Requests that were sent again because a reused connection was dead. Many: keep idle ones for less time than the upstream.",
            needs: .retries,
            .origin(one { Double($0.staleRetries) })
        ),
        Family(
            "http_client_pool_connection_seconds_total",
            .counter,
            "Time integral of connections by state: its rate is the exact mean number between two scrapes.",
            needs: .connections,
            .pool(
                each(
                    "state",
                    [
                        "connecting": { Double($0.history.connectionTime.connecting) / 1e9 },
                        "active": { Double($0.history.connectionTime.active) / 1e9 },
                        "idle": { Double($0.history.connectionTime.idle) / 1e9 },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_queued_seconds_total",
            .counter,
            "Time integral of queued requests: its rate is the mean length of the queue.",
            .pool(one { Double($0.history.queuedTime) / 1e9 })
        ),
        Family(
            "http_client_pool_saturated_seconds_total",
            .counter,
            "Time during which a limit kept at least one request waiting: its rate is the share of time.",
            needs: .limitWaits,
            .pool(each("limit", PoolLimit.self) { Double($0.history.saturatedTime[$1]) / 1e9 })
        ),
        Family(
            "http_client_pools_created_total",
            .counter,
            "Pools ever made in this process; rising with traffic means a client per request.",
            .process { Double($0.poolsCreated) }
        ),
    ]
}
