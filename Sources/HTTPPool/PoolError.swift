/// Why a request failed: the cause, the origin, the phase, the elapsed time and the limit in force.
///
/// It contains no path, query, userinfo or header field. Cancelling the task throws `CancellationError` instead.
public struct PoolError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The cause. New causes may be added, so switch over it with a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case acquireTimeout, queueFull, connectTimeout, connectFailed, dnsFailed, tlsFailed
            case readTimeout, writeTimeout, totalTimeout, connectionLost
            case invalidRequest, invalidResponse, responseTooLarge, proxyFailed, tooManyRedirects, redirectRefused,
                shutdown, observerRefused, outOfResources
        }
        private let value: Value

        /// No connection became available within the acquire timeout.
        public static let acquireTimeout = Code(value: .acquireTimeout)
        /// The wait queue is full.
        public static let queueFull = Code(value: .queueFull)
        /// DNS, TCP and TLS together exceeded the connect timeout.
        public static let connectTimeout = Code(value: .connectTimeout)
        /// The connection could not be opened.
        public static let connectFailed = Code(value: .connectFailed)
        /// The host name could not be resolved.
        public static let dnsFailed = Code(value: .dnsFailed)
        /// The TLS handshake failed, or the certificate was rejected.
        public static let tlsFailed = Code(value: .tlsFailed)
        /// The peer sent nothing for the read timeout.
        public static let readTimeout = Code(value: .readTimeout)
        /// The peer accepted no data for the write timeout.
        public static let writeTimeout = Code(value: .writeTimeout)
        /// The exchange exceeded the total timeout.
        public static let totalTimeout = Code(value: .totalTimeout)
        /// The connection broke during the exchange. The peer may or may not have processed the request.
        public static let connectionLost = Code(value: .connectionLost)
        /// The request is invalid, or its body does not have the announced length, or its response's body is already
        /// being read by another reader.
        public static let invalidRequest = Code(value: .invalidRequest)
        /// The response is not valid HTTP, or is inconsistent.
        public static let invalidResponse = Code(value: .invalidResponse)
        /// The response body exceeds the size limit or the decompression ratio.
        public static let responseTooLarge = Code(value: .responseTooLarge)
        /// The proxy could not be reached, or did not open the tunnel.
        public static let proxyFailed = Code(value: .proxyFailed)
        /// The redirect limit was reached.
        public static let tooManyRedirects = Code(value: .tooManyRedirects)
        /// A redirect was refused: from https to http, to an invalid URL, or with a body that cannot be replayed.
        public static let redirectRefused = Code(value: .redirectRefused)
        /// The pool is shut down or shutting down.
        public static let shutdown = Code(value: .shutdown)
        /// The pool already has an observer, or has already accepted a request.
        public static let observerRefused = Code(value: .observerRefused)
        /// The system has no file descriptor, thread or memory left.
        public static let outOfResources = Code(value: .outOfResources)

        /// The name, such as `acquireTimeout`.
        public var description: String { value.rawValue }
    }

    /// The phase that the request had reached; the timeouts have the same names.
    @nonexhaustive
    public enum Phase: String, Sendable, Hashable {
        /// Before the pool accepted it.
        case submit
        /// Waiting for a connection.
        case acquire
        /// Opening its connection.
        case connect
        /// Sending the request or receiving the response.
        case exchange
    }

    /// The cause.
    public let code: Code
    /// The origin of the request; `nil` if it could not be parsed.
    public var origin: Origin?
    /// The phase that the request had reached.
    public var phase: Phase
    /// The time since submission.
    public var elapsed: Duration?
    /// The setting that made the request fail, with the value in force; `nil` if none did.
    public var limit: Limit?
    /// What happened, in plain text.
    public let reason: String

    /// A setting and the value that was in force.
    public struct Limit: Sendable, Hashable, CustomStringConvertible {
        /// The setting.
        public let setting: PoolSetting
        /// The value in force.
        public let value: PoolSetting.Value
        /// The source of the value.
        public let source: PoolSetting.Source

        /// `max_connections = 2 (HTTP_CLIENT_MAX_CONNECTIONS)`, `max_connections = 2 (code)`.
        public var description: String { "\(setting) = \(value) (\(source))" }

        /// Creates a limit from a setting, its value and the source of the value.
        public init(setting: PoolSetting, value: PoolSetting.Value, source: PoolSetting.Source) {
            self.setting = setting
            self.value = value
            self.source = source
        }

        /// The value of a setting in `configuration`.
        package init(_ setting: PoolSetting, in configuration: PoolConfiguration) {
            self.init(
                setting: setting,
                value: configuration.value(of: setting),
                source: configuration.source(of: setting)
            )
        }

        /// The timeout of one request: the request's own, set in code, or that of `configuration`.
        package init(_ setting: PoolSetting, _ value: Duration?, in configuration: PoolConfiguration) {
            let value = PoolSetting.Value.duration(value)
            let isOwn = configuration.value(of: setting) != value
            self.init(setting: setting, value: value, source: isOwn ? .code : configuration.source(of: setting))
        }
    }

    /// Creates an error.
    public init(
        _ code: Code,
        _ reason: String,
        origin: Origin? = nil,
        phase: Phase,
        elapsed: Duration? = nil,
        limit: Limit? = nil
    ) {
        self.code = code
        self.reason = reason
        self.origin = origin
        self.phase = phase
        self.elapsed = elapsed
        self.limit = limit
    }

    static func invalidRequest(_ reason: String) -> PoolError { PoolError(.invalidRequest, reason, phase: .submit) }

    /// One line: cause, origin, reason, elapsed time in seconds, phase, limit.
    public var description: String {
        var text = "\(code)"
        if let origin { text += " \(origin)" }
        text += ": \(reason)"
        if let elapsed {
            let milliseconds = (elapsed.inSeconds * 1000).rounded() / 1000
            text += "; \(milliseconds) s after submission, phase \(phase.rawValue)"
        }
        if let limit { text += "; in force: \(limit)" }
        return text
    }
}
