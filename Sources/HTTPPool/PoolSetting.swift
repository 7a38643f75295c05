/// One setting of a pool: its name in metrics, its environment variable, and the values it allows.
public enum PoolSetting: String, Sendable, Hashable, CaseIterable {
    /// ``PoolLimits/maxConnections``.
    case maxConnections = "max_connections"
    /// ``PoolLimits/maxConnectionsPerOrigin``.
    case maxConnectionsPerOrigin = "max_connections_per_origin"
    /// ``PoolLimits/maxIdleConnections``.
    case maxIdleConnections = "max_idle_connections"
    /// ``PoolLimits/maxQueuedRequests``.
    case maxQueuedRequests = "max_queued_requests"
    /// ``PoolLimits/queueOrder``.
    case queueOrder = "queue_order"
    /// ``PoolLimits/keepaliveExpiry``.
    case keepaliveExpiry = "keepalive_expiry_seconds"
    /// ``PoolLimits/maxConnectionLifetime``.
    case maxConnectionLifetime = "max_connection_lifetime_seconds"
    /// ``PoolTimeouts/connect``.
    case connectTimeout = "connect_timeout_seconds"
    /// ``PoolTimeouts/acquire``.
    case acquireTimeout = "acquire_timeout_seconds"
    /// ``PoolTimeouts/read``.
    case readTimeout = "read_timeout_seconds"
    /// ``PoolTimeouts/write``.
    case writeTimeout = "write_timeout_seconds"
    /// ``PoolTimeouts/total``.
    case totalTimeout = "total_timeout_seconds"

    /// The environment variable that sets it.
    public var variable: String {
        switch self {
        case .maxConnections: "HTTP_CLIENT_MAX_CONNECTIONS"
        case .maxConnectionsPerOrigin: "HTTP_CLIENT_MAX_CONNECTIONS_PER_ORIGIN"
        case .maxIdleConnections: "HTTP_CLIENT_MAX_KEEPALIVE"
        case .maxQueuedRequests: "HTTP_CLIENT_MAX_QUEUED"
        case .queueOrder: "HTTP_CLIENT_QUEUE_ORDER"
        case .keepaliveExpiry: "HTTP_CLIENT_KEEPALIVE_EXPIRY"
        case .maxConnectionLifetime: "HTTP_CLIENT_MAX_CONNECTION_LIFETIME"
        case .connectTimeout: "HTTP_CLIENT_CONNECT_TIMEOUT"
        case .acquireTimeout: "HTTP_CLIENT_POOL_TIMEOUT"
        case .readTimeout: "HTTP_CLIENT_READ_TIMEOUT"
        case .writeTimeout: "HTTP_CLIENT_WRITE_TIMEOUT"
        case .totalTimeout: "HTTP_CLIENT_TOTAL_TIMEOUT"
        }
    }

    /// Sets read, write and acquire timeouts at once, where they are not set by their own variables.
    public static let timeoutVariable = "HTTP_CLIENT_TIMEOUT"

    /// The allowed values of a setting.
    enum Domain {
        case count(least: Int, optional: Bool)
        case seconds(zeroAllowed: Bool)
        case order
    }

    var domain: Domain {
        switch self {
        case .maxConnections: .count(least: 1, optional: false)
        case .maxConnectionsPerOrigin: .count(least: 1, optional: true)
        case .maxIdleConnections: .count(least: 0, optional: false)
        case .maxQueuedRequests: .count(least: 0, optional: true)
        case .queueOrder: .order
        case .keepaliveExpiry, .acquireTimeout: .seconds(zeroAllowed: true)
        case .maxConnectionLifetime, .connectTimeout, .readTimeout, .writeTimeout, .totalTimeout:
            .seconds(zeroAllowed: false)
        }
    }
}

extension PoolSetting {
    /// The value of a setting.
    public enum Value: Sendable, Hashable, CustomStringConvertible {
        /// So many connections or requests; `nil` is no limit.
        case count(Int?)
        /// So long; `nil` is no limit.
        case duration(Duration?)
        /// One of the orders of the queue.
        case order(QueueOrder)

        /// As a metric shows it: a count, or seconds; infinity where there is no limit, NaN for what is not a number.
        public var asDouble: Double {
            switch self {
            case .count(let count): count.map { Double($0) } ?? .infinity
            case .duration(let duration): duration.map(\.inSeconds) ?? .infinity
            case .order: .nan
            }
        }

        /// As a person reads it: `200`, `30.0 s`, `none`, `fair`.
        public var description: String {
            switch self {
            case .count(let count): count.map { String($0) } ?? "none"
            case .duration(let duration): duration.map { "\($0.inSeconds) s" } ?? "none"
            case .order(let order): order.rawValue
            }
        }
    }

    /// Where the value of a setting comes from.
    public struct Source: Sendable, Hashable, CustomStringConvertible {
        /// The four sources there are; the `source` label of the configuration metrics.
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            /// Nobody set it.
            case `default`
            /// A variable of the environment, or another provider of the configuration reader.
            case environment
            /// The program set it.
            case code
            /// It was changed while the pool was running.
            case reload
        }

        /// Which of the four.
        public let kind: Kind
        /// What set it, where something did: a variable, or the key of a file such as `httpClient.maxConnections`.
        public let variable: String?

        /// Nobody set it.
        public static let `default` = Source(kind: .default, variable: nil)
        /// The program set it.
        public static let code = Source(kind: .code, variable: nil)
        /// The named variable set it.
        public static func environment(_ variable: String) -> Source {
            Source(kind: .environment, variable: variable)
        }

        /// The named variable or key was read anew while the pool was running, and its value was another.
        public static func reload(_ variable: String) -> Source { Source(kind: .reload, variable: variable) }

        /// `default`, `code`, or `environment (HTTP_CLIENT_TIMEOUT)`.
        public var description: String { variable.map { "\(kind.rawValue) (\($0))" } ?? kind.rawValue }
    }
}
