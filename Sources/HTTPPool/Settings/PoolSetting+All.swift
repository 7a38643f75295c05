/// The settings of limits, timeouts and series, and the table of all. To add a setting, declare it here or beside those of its group, and
/// add it to `table`.
extension PoolSetting {
    /// All settings, in the order in which they are read and shown. A setting that provides values for others
    /// precedes them.
    static let table: [PoolSetting] = [
        maxConnections, maxConnectionsPerOrigin, maxIdleConnections, maxQueuedRequests, queueOrder, keepaliveExpiry,
        maxConnectionLifetime, timeout, connectTimeout, acquireTimeout, readTimeout, writeTimeout, totalTimeout, http2,
        caFile, minimumTLSVersion, proxy, proxyExceptions, decompression, dnsCache, tcpKeepAlive,
        maxOriginSeries, maxSiteSeries, seriesRetention, overdueLease, metricsHost, metricsPort,
        metricsSocket, metricsProcess, metricsCredentialsFile, metricsTLSCertificateFile, metricsTLSKeyFile,
    ]

    /// The settings of a pool that have a value of their own: limits, timeouts, transport and series.
    public static let all = table.filter { $0.group != .endpoint && $0.spreads.isEmpty }

    /// The settings that can change while the pool runs: ``PoolLimits`` and ``PoolTimeouts``.
    public static let reloadable = all.filter(\.isReloadable)

    /// The settings that cannot change at run time: transport, series and endpoint.
    static let fixed = table.filter { !$0.isReloadable }

    /// The settings of the endpoint.
    public static let endpoint = table.filter { $0.group == .endpoint }

    // MARK: Limits

    /// ``PoolLimits/maxConnections``.
    public static let maxConnections = PoolSetting(
        "max_connections",
        key: "maxConnections",
        label: "connections",
        property: "limits.maxConnections",
        .limits,
        \.pool.values.limits.maxConnections,
        .count(from: 1),
        "connections at once over all origins: connecting, active and idle together"
    )
    /// ``PoolLimits/maxConnectionsPerOrigin``.
    public static let maxConnectionsPerOrigin = PoolSetting(
        "max_connections_per_origin",
        key: "maxConnectionsPerOrigin",
        label: "per origin",
        property: "limits.maxConnectionsPerOrigin",
        .limits,
        \.pool.values.limits.maxConnectionsPerOrigin,
        .limit(from: 1),
        "connections at once to one origin"
    )
    /// ``PoolLimits/maxIdleConnections``.
    public static let maxIdleConnections = PoolSetting(
        "max_idle_connections",
        key: "maxKeepalive",
        label: "idle connections",
        property: "limits.maxIdleConnections",
        .limits,
        \.pool.values.limits.maxIdleConnections,
        .count(from: 0),
        default: "100, or `HTTP_CLIENT_MAX_CONNECTIONS` where that is less",
        "idle connections that are kept; at most `HTTP_CLIENT_MAX_CONNECTIONS`"
    )
    /// ``PoolLimits/maxQueuedRequests``.
    public static let maxQueuedRequests = PoolSetting(
        "max_queued_requests",
        key: "maxQueued",
        label: "queued requests",
        property: "limits.maxQueuedRequests",
        .limits,
        \.pool.values.limits.maxQueuedRequests,
        .limit(from: 0),
        "requests waiting for a connection; further ones fail at once"
    )
    /// ``PoolLimits/queueOrder``.
    public static let queueOrder = PoolSetting(
        "queue_order",
        key: "queueOrder",
        label: "queue order",
        property: "limits.queueOrder",
        .limits,
        \.pool.values.limits.queueOrder,
        .word,
        "which request gets a connection that becomes free: one of the origin with the fewest connections, or the "
            + "oldest over all origins"
    )
    /// ``PoolLimits/keepaliveExpiry``.
    public static let keepaliveExpiry = PoolSetting(
        "keepalive_expiry_seconds",
        key: "keepaliveExpiry",
        label: "keepalive expiry",
        property: "limits.keepaliveExpiry",
        .limits,
        \.pool.values.limits.keepaliveExpiry,
        .seconds(zeroAllowed: true),
        "how long an idle connection is kept; 0 keeps none"
    )
    /// ``PoolLimits/maxConnectionLifetime``.
    public static let maxConnectionLifetime = PoolSetting(
        "max_connection_lifetime_seconds",
        key: "maxConnectionLifetime",
        label: "max lifetime",
        property: "limits.maxConnectionLifetime",
        .limits,
        \.pool.values.limits.maxConnectionLifetime,
        .seconds(zeroAllowed: false),
        "the maximum age of a connection; an older one is closed as soon as it is idle"
    )

    // MARK: Timeouts

    /// Provides the acquire, read and write timeouts that are not set individually.
    public static let timeout = PoolSetting(
        "timeout_seconds",
        key: "timeout",
        label: "timeout",
        property: "timeouts",
        .timeouts,
        \.pool.values.timeouts.acquireReadAndWrite,
        .seconds(zeroAllowed: false),
        spreads: [acquireTimeout, readTimeout, writeTimeout],
        "acquire, read and write timeout, where these are not set individually"
    )
    /// ``PoolTimeouts/connect``.
    public static let connectTimeout = PoolSetting(
        "connect_timeout_seconds",
        key: "connectTimeout",
        label: "connect timeout",
        property: "timeouts.connect",
        .timeouts,
        \.pool.values.timeouts.connect,
        .seconds(zeroAllowed: false),
        "opening a connection: DNS, TCP and TLS together"
    )
    /// ``PoolTimeouts/acquire``.
    public static let acquireTimeout = PoolSetting(
        "acquire_timeout_seconds",
        key: "poolTimeout",
        label: "acquire timeout",
        property: "timeouts.acquire",
        .timeouts,
        \.pool.values.timeouts.acquire,
        .seconds(zeroAllowed: true),
        default: "as `HTTP_CLIENT_TIMEOUT`",
        "how long a request may wait for a connection; with 0 it fails unless one is available at once"
    )
    /// ``PoolTimeouts/read``.
    public static let readTimeout = PoolSetting(
        "read_timeout_seconds",
        key: "readTimeout",
        label: "read timeout",
        property: "timeouts.read",
        .timeouts,
        \.pool.values.timeouts.read,
        .seconds(zeroAllowed: false),
        default: "as `HTTP_CLIENT_TIMEOUT`",
        "between two bytes of the response"
    )
    /// ``PoolTimeouts/write``.
    public static let writeTimeout = PoolSetting(
        "write_timeout_seconds",
        key: "writeTimeout",
        label: "write timeout",
        property: "timeouts.write",
        .timeouts,
        \.pool.values.timeouts.write,
        .seconds(zeroAllowed: false),
        default: "as `HTTP_CLIENT_TIMEOUT`",
        "between two bytes of the request body"
    )
    /// ``PoolTimeouts/total``.
    public static let totalTimeout = PoolSetting(
        "total_timeout_seconds",
        key: "totalTimeout",
        label: "total timeout",
        property: "timeouts.total",
        .timeouts,
        \.pool.values.timeouts.total,
        .seconds(zeroAllowed: false),
        "from submission to the last byte of the response"
    )

    // MARK: Series

    /// ``PoolSeries/maxOrigins``.
    public static let maxOriginSeries = PoolSetting(
        "max_origin_series",
        key: "maxOriginSeries",
        label: "origin series",
        property: "series.maxOrigins",
        .series,
        \.pool.values.series.maxOrigins,
        .count(from: 1),
        "origins with metrics of their own; the rest share `other`"
    )
    /// ``PoolSeries/maxCallSites``.
    public static let maxSiteSeries = PoolSetting(
        "max_site_series",
        key: "maxSiteSeries",
        label: "site series",
        property: "series.maxCallSites",
        .series,
        \.pool.values.series.maxCallSites,
        .count(from: 1),
        "call sites with metrics of their own; the rest share `other`"
    )
    /// ``PoolSeries/retention``.
    public static let seriesRetention = PoolSetting(
        "series_retention_seconds",
        key: "seriesRetention",
        label: "series kept",
        property: "series.retention",
        .series,
        \.pool.values.series.retention,
        .seconds,
        "how long an origin or call site must have been unused before its metrics may be given up for another's"
    )
    /// ``PoolSeries/overdueLease``.
    public static let overdueLease = PoolSetting(
        "overdue_lease_seconds",
        key: "overdueLease",
        label: "lease overdue",
        property: "series.overdueLease",
        .series,
        \.pool.values.series.overdueLease,
        .seconds,
        "how long no byte of a request that holds a connection must have moved for it to be overdue"
    )
}

extension PoolTimeouts {
    /// The three timeouts that `timeout` sets.
    fileprivate var acquireReadAndWrite: Duration? {
        get { read }
        set { (acquire, read, write) = (newValue, newValue, newValue) }
    }
}
