import HTTPPool

/// All metric families. To add one, declare it in the list that it belongs to.
extension Family {
    /// All families, in the order of the exposition.
    static let all: [Family] = levels + configuration + counters + histograms + about

    /// Current levels.
    private static let levels: [Family] = [
        Family(
            "http_client_pool_connections",
            .gauge,
            "Connections that count against the limits, by state.",
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
            "Requests that were accepted and are not finished, by state.",
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
            "Requests that were accepted and are not finished, by call site and state.",
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
            "Highest number of queued requests in the last 60 seconds.",
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
            "Time since the pool's thread last finished a turn while it had work; 0 when asleep.",
            needs: .activity,
            .pool(one { $0.driverStallSeconds })
        ),
        Family(
            "http_client_pool_resolving",
            .gauge,
            "Names that are being looked up and that connections of the pool wait for.",
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
            "Pools alive in this process.",
            .process { Double($0.poolsAlive) }
        ),
    ]

    /// The settings in force; `+Inf` for no limit.
    private static let configuration: [Family] = [
        setting(.maxConnections, "Connections that may exist at once over all origins."),
        setting(.maxConnectionsPerOrigin, "Connections that may exist at once to a single origin; +Inf is no limit."),
        setting(.maxIdleConnections, "Idle connections that are kept."),
        setting(.maxQueuedRequests, "Requests that may wait for a connection; +Inf is no limit."),
        setting(.keepaliveExpiry, "How long an idle connection is kept; +Inf is for ever."),
        setting(.maxConnectionLifetime, "How old a connection may grow; +Inf is no limit."),
        Family(
            "http_client_pool_timeout_seconds",
            .gauge,
            "How long each phase of a request may take; +Inf is no limit.",
            .pool(
                each(
                    "phase",
                    [
                        "connect": { $0.configuration.value(of: .connectTimeout).asDouble },
                        "acquire": { $0.configuration.value(of: .acquireTimeout).asDouble },
                        "read": { $0.configuration.value(of: .readTimeout).asDouble },
                        "write": { $0.configuration.value(of: .writeTimeout).asDouble },
                        "total": { $0.configuration.value(of: .totalTimeout).asDouble },
                    ]
                )
            )
        ),
        Family(
            "http_client_pool_config_source",
            .gauge,
            "Where the value of each setting comes from; always 1.",
            .pool(
                PoolSetting.all.flatMap { setting in
                    PoolSetting.Source.Kind.allCases.map { kind in
                        let labels = rendered([("setting", setting.name), ("source", kind.rawValue)])
                        return Sample(labels: labels) { $0.configuration.source(of: setting).kind == kind ? 1 : nil }
                    }
                }
            )
        ),
        Family(
            "http_client_pool_config_changes_total",
            .counter,
            "How often other limits and timeouts were put in force while the pool was running.",
            .pool(one { Double($0.configurationChanges) })
        ),
        Family(
            "http_client_pool_config_last_change_timestamp_seconds",
            .gauge,
            "When the limits and timeouts last changed, in seconds since 1970; when the pool was made, if never.",
            .pool(one { $0.configurationSince })
        ),
        Family(
            "http_client_pool_config_last_reload_successful",
            .gauge,
            "0 when the last reload of the settings failed: the values before it are in force. Absent if no file is followed.",
            .pool(one { $0.lastReloadSucceeded.map { $0 ? 1 : 0 } })
        ),
        Family(
            "http_client_pool_config_reload_failures_total",
            .counter,
            "Reloads of the settings that failed. Absent if no file is followed.",
            .pool(one { reading in reading.lastReloadSucceeded.map { _ in Double(reading.reloadFailures) } })
        ),
        Family(
            "http_client_pool_transport_info",
            .gauge,
            "How requests are sent; always 1.",
            .info { scrape in scrape.pools.map(transport(of:)) }
        ),
        Family(
            "http_client_pool_origin_info",
            .gauge,
            "Scheme, host and port of each origin by the names of OpenTelemetry, to join with other metrics; always 1.",
            .info { scrape in scrape.pools.flatMap { pool in pool.origins.compactMap { Family.origin($0, of: pool) } } }
        ),
        Family(
            "http_client_pool_backend_info",
            .gauge,
            "The client library of the pool and its TLS library; always 1.",
            .info { scrape in scrape.pools.map(backend(of:)) }
        ),
    ]

    /// Counters since the pool was created.
    private static let counters: [Family] = [
        Family(
            "http_client_pool_acquires_total",
            .counter,
            "Acquisitions that ended with a ready connection, by how it came.",
            .origin(each("kind", AcquireKind.self) { Double($0.acquires[$1]) })
        ),
        Family(
            "http_client_pool_acquire_failures_total",
            .counter,
            "Acquisitions that ended without a connection, by reason.",
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
            "Connections that became usable.",
            needs: .connections,
            .origin(one { Double($0.connectionsOpened) })
        ),
        Family(
            "http_client_pool_connect_failures_total",
            .counter,
            "Connections that never became usable, by reason.",
            needs: .connections,
            .origin(each("reason", ConnectFailure.self) { Double($0.connectFailures[$1]) })
        ),
        Family(
            "http_client_pool_connections_closed_total",
            .counter,
            "Usable connections that were closed, by reason.",
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
            "Requests that were sent again because a reused connection was dead.",
            needs: .retries,
            .origin(one { Double($0.staleRetries) })
        ),
        Family(
            "http_client_pool_connection_seconds_total",
            .counter,
            "Time integral of connections by state: its rate is the exact mean between two scrapes.",
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

    /// Histograms of durations.
    private static let histograms: [Family] = [
        Family(
            "http_client_pool_acquire_duration_seconds",
            .histogram,
            "From submission to a ready connection or to giving up, by outcome.",
            .histogram(
                each("outcome", ["acquired": { $0.durations.acquired }, "failed": { $0.durations.acquireFailed }])
            )
        ),
        Family(
            "http_client_pool_queue_wait_seconds",
            .histogram,
            "From submission to a slot, without DNS, TCP and TLS, by the outcome of the acquisition; to its end if there never was a slot.",
            needs: .slots,
            .histogram(
                each(
                    "outcome",
                    ["acquired": { $0.durations.queuedAcquired }, "failed": { $0.durations.queuedFailed }]
                )
            )
        ),
        Family(
            "http_client_pool_connect_duration_seconds",
            .histogram,
            "From the decision to open a connection to its end, by outcome.",
            needs: .connections,
            .histogram(
                each(
                    "outcome",
                    ["connected": { $0.durations.connected }, "failed": { $0.durations.connectFailed }]
                )
            )
        ),
        Family(
            "http_client_pool_lease_duration_seconds",
            .histogram,
            "How long a request held its connection.",
            .histogram(one { $0.durations.lease })
        ),
        Family(
            "http_client_pool_time_to_head_seconds",
            .histogram,
            "From acquiring a connection to the head of the final response: how fast the upstreams are.",
            needs: .responses,
            .histogram(one { $0.durations.timeToHead })
        ),
        Family(
            "http_client_pool_connection_lifetime_seconds",
            .histogram,
            "How long a usable connection lived.",
            needs: .connections,
            .histogram(one { $0.durations.connectionLifetime })
        ),
        Family(
            "http_client_pool_connection_requests",
            .histogram,
            "Requests that a connection had served when it was closed.",
            needs: .connections,
            .histogram(one { $0.durations.connectionRequests })
        ),
    ]

    /// The library and the process.
    private static let about: [Family] = [
        Family(
            "poolscope_build_info",
            .gauge,
            "Version of PoolScope, and of the compiler that built it; always 1.",
            .info { _ in [[("version", PoolScopeVersion.current), ("swift", PoolScopeVersion.compiler)]] }
        ),
        Family(
            "process_cpu_seconds_total",
            .counter,
            "Processor time used, user and system together.",
            .process { $0.process?.cpuSeconds }
        ),
        Family(
            "process_resident_memory_bytes",
            .gauge,
            "Resident memory.",
            .process { $0.process?.residentMemoryBytes }
        ),
        Family(
            "process_open_fds",
            .gauge,
            "File descriptors that are open.",
            .process { $0.process?.openDescriptors }
        ),
        Family(
            "process_max_fds",
            .gauge,
            "File descriptors that may be open.",
            .process { $0.process?.maxDescriptors }
        ),
        Family(
            "process_start_time_seconds",
            .gauge,
            "When the process started, in seconds since 1970.",
            .process { $0.process?.startTimeSeconds }
        ),
    ]

    /// A gauge with the value of one setting.
    private static func setting(_ setting: PoolSetting, _ help: String) -> Family {
        Family(
            "http_client_pool_\(setting.name)",
            .gauge,
            help,
            .pool(one { $0.configuration.value(of: setting).asDouble })
        )
    }
}
