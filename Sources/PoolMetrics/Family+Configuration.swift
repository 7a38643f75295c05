import HTTPPool

extension Family {
    /// The settings in force; `+Inf` for no limit.
    static let configuration: [Family] = [
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
            "Where the value of each setting comes from, so where to change it; always 1.",
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
            "How requests are sent: protocol, proxy, decompression, TLS; always 1.",
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
