import HTTPPool

extension Family {
    /// Histograms of durations.
    static let histograms: [Family] = [
        Family(
            "http_client_pool_acquire_duration_seconds",
            .histogram,
            "From submission to a ready connection or to giving up, by outcome. Long beside a short queue_wait: connecting is slow.",
            .histogram(
                each("outcome", ["acquired": { $0.durations.acquired }, "failed": { $0.durations.acquireFailed }])
            )
        ),
        Family(
            "http_client_pool_queue_wait_seconds",
            .histogram,
            "From submission to a slot, without DNS, TCP and TLS, by the outcome of the acquisition; to its end if there never was a slot. Long: a limit is reached, see saturated.",
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
            "From the decision to open a connection until it was usable or failed, by outcome. Long: DNS, the network or TLS is slow.",
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
            "How long a request held its connection. Long with a short time_to_head: responses are large or read slowly.",
            .histogram(one { $0.durations.lease })
        ),
        Family(
            "http_client_pool_time_to_head_seconds",
            .histogram,
            "From acquiring a connection to the head of the final response. Long: the upstream is slow.",
            needs: .responses,
            .histogram(one { $0.durations.timeToHead })
        ),
        Family(
            "http_client_pool_connection_lifetime_seconds",
            .histogram,
            "How long a usable connection lived. Short: connections are not kept, see connections_closed_total.",
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
}
