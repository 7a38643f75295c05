/// Why a request failed. It says which origin, in which phase, after how long, and which limit was in force.
///
/// Nothing secret is in it: no path, no query, no userinfo, no header. A request whose task was cancelled throws
/// `CancellationError` instead.
public struct PoolError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The cause. New causes may be added: switch over it with a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case acquireTimeout, queueFull, connectTimeout, connectFailed, dnsFailed, tlsFailed
            case readTimeout, writeTimeout, totalTimeout, connectionLost
            case invalidRequest, invalidResponse, responseTooLarge, proxyFailed, tooManyRedirects, redirectRefused,
                shutdown, observerRefused, outOfResources
        }
        private let value: Value

        /// No connection became free within the acquire timeout.
        public static let acquireTimeout = Code(value: .acquireTimeout)
        /// As many requests wait as may.
        public static let queueFull = Code(value: .queueFull)
        /// DNS, TCP and TLS took longer than the connect timeout.
        public static let connectTimeout = Code(value: .connectTimeout)
        /// The connection could not be opened.
        public static let connectFailed = Code(value: .connectFailed)
        /// The host's name did not resolve.
        public static let dnsFailed = Code(value: .dnsFailed)
        /// TLS was not agreed, or the certificate was not accepted.
        public static let tlsFailed = Code(value: .tlsFailed)
        /// The peer sent nothing for the read timeout.
        public static let readTimeout = Code(value: .readTimeout)
        /// The peer took nothing for the write timeout.
        public static let writeTimeout = Code(value: .writeTimeout)
        /// The exchange took longer than the total timeout.
        public static let totalTimeout = Code(value: .totalTimeout)
        /// The connection broke during the exchange. The request may or may not have been carried out.
        public static let connectionLost = Code(value: .connectionLost)
        /// The request cannot be sent as it is; nothing was sent.
        public static let invalidRequest = Code(value: .invalidRequest)
        /// The peer's answer was not HTTP, or contradicted itself.
        public static let invalidResponse = Code(value: .invalidResponse)
        /// The answer's body is larger than may be taken into memory, or unpacks to far more than came over the wire.
        public static let responseTooLarge = Code(value: .responseTooLarge)
        /// The proxy could not be reached, or did not open the tunnel.
        public static let proxyFailed = Code(value: .proxyFailed)
        /// As many redirects were followed as may be.
        public static let tooManyRedirects = Code(value: .tooManyRedirects)
        /// The answer points to where a redirect may not lead: from https to http, to no address, or it would repeat a body
        /// that is used up.
        public static let redirectRefused = Code(value: .redirectRefused)
        /// The pool is shut down, or shutting down.
        public static let shutdown = Code(value: .shutdown)
        /// The pool has an observer already, or has begun to work without one.
        public static let observerRefused = Code(value: .observerRefused)
        /// The system has no descriptor, thread or memory left for it.
        public static let outOfResources = Code(value: .outOfResources)

        /// The name, such as `acquireTimeout`.
        public var description: String { value.rawValue }
    }

    /// How far the request had come; the names of the timeouts.
    @nonexhaustive
    public enum Phase: String, Sendable, Hashable {
        /// Before the pool took it.
        case submit
        /// Waiting for a connection.
        case acquire
        /// Its connection was being opened.
        case connect
        /// On the connection.
        case exchange
    }

    /// The cause.
    public let code: Code
    /// Where the request was going; `nil` where that could not be read.
    public var origin: Origin?
    /// How far it had come.
    public var phase: Phase
    /// How long since its submission.
    public var elapsed: Duration?
    /// The setting that was in force and made it fail, where one did, with its value.
    public var limit: Limit?
    /// What happened, in words.
    public let reason: String

    /// A setting and the value that was in force.
    public struct Limit: Sendable, Hashable, CustomStringConvertible {
        /// Which setting.
        public let setting: PoolSetting
        /// The value in force.
        public let value: PoolSetting.Value
        /// What set it.
        public let source: PoolSetting.Source

        /// `max_connections = 2 (HTTP_CLIENT_MAX_CONNECTIONS)`, `max_connections = 2 (code)`.
        public var description: String { "\(setting) = \(value) (\(source))" }

        /// Names a setting, its value, and what set it.
        public init(setting: PoolSetting, value: PoolSetting.Value, source: PoolSetting.Source) {
            self.setting = setting
            self.value = value
            self.source = source
        }

        /// Names a setting as `configuration` has it.
        package init(_ setting: PoolSetting, in configuration: PoolConfiguration) {
            self.init(
                setting: setting,
                value: configuration.value(of: setting),
                source: configuration.source(of: setting)
            )
        }

        /// Names the timeout of one request: its own, which code set, or that of `configuration`.
        package init(_ setting: PoolSetting, _ value: Duration?, in configuration: PoolConfiguration) {
            let value = PoolSetting.Value.duration(value)
            let isOwn = configuration.value(of: setting) != value
            self.init(setting: setting, value: value, source: isOwn ? .code : configuration.source(of: setting))
        }
    }

    /// Describes a failure.
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

    /// One line: cause, origin, words, time, limit.
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
