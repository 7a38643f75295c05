/// The timeouts of one request. Those not set are inherited from the client.
///
/// ```swift
/// var options = RequestOptions()
/// options.timeouts.total = .seconds(5)
/// options.timeouts.read = .none
/// ```
public struct RequestTimeouts: Sendable, Hashable {
    /// Opening a connection: DNS, TCP and TLS together.
    public var connect: RequestTimeout {
        get { self[.connect] }
        set { self[.connect] = newValue }
    }
    /// Waiting for a connection, from submission. Zero fails the request if none is available at once.
    public var acquire: RequestTimeout {
        get { self[.acquire] }
        set { self[.acquire] = newValue }
    }
    /// Between two bytes of the response, and from the end of the request to the first byte of the response.
    public var read: RequestTimeout {
        get { self[.read] }
        set { self[.read] = newValue }
    }
    /// Between two bytes of the request body.
    public var write: RequestTimeout {
        get { self[.write] }
        set { self[.write] = newValue }
    }
    /// From submission to the last byte of the response.
    public var total: RequestTimeout {
        get { self[.total] }
        set { self[.total] = newValue }
    }

    private enum Phase {
        case connect, acquire, read, write, total
    }
    private struct Override: Hashable {
        let phase: Phase
        let timeout: Duration?
    }
    /// Usually empty, which keeps options cheap to copy.
    private var overrides: [Override] = []

    /// Inherits all timeouts from the client.
    public init() {}

    /// Overrides all timeouts of the client.
    public init(_ timeouts: PoolTimeouts) {
        self[.connect] = RequestTimeout(timeouts.connect)
        self[.acquire] = RequestTimeout(timeouts.acquire)
        self[.read] = RequestTimeout(timeouts.read)
        self[.write] = RequestTimeout(timeouts.write)
        self[.total] = RequestTimeout(timeouts.total)
    }

    private subscript(phase: Phase) -> RequestTimeout {
        get { overrides.first { $0.phase == phase }.map { RequestTimeout($0.timeout) } ?? .inherited }
        set {
            overrides.removeAll { $0.phase == phase }
            switch newValue {
            case .inherited: break
            case .none: overrides.append(Override(phase: phase, timeout: nil))
            case .after(let timeout): overrides.append(Override(phase: phase, timeout: timeout))
            }
        }
    }

    /// Whether all timeouts are inherited.
    package var areInherited: Bool { overrides.isEmpty }

    /// The effective timeouts of a request sent by a client with `defaults`.
    package func over(_ defaults: PoolTimeouts) -> PoolTimeouts {
        var timeouts = defaults
        for override in overrides {
            switch override.phase {
            case .connect: timeouts.connect = override.timeout
            case .acquire: timeouts.acquire = override.timeout
            case .read: timeouts.read = override.timeout
            case .write: timeouts.write = override.timeout
            case .total: timeouts.total = override.timeout
            }
        }
        return timeouts
    }

    /// Whether the same timeouts are set, in any order.
    public static func == (a: Self, b: Self) -> Bool { Set(a.overrides) == Set(b.overrides) }

    /// Hashes the timeouts that are set, regardless of order.
    public func hash(into hasher: inout Hasher) { hasher.combine(Set(overrides)) }
}

/// One timeout of one request.
public enum RequestTimeout: Sendable, Hashable {
    /// Inherited from the client.
    case inherited
    /// No limit, even where the client has one.
    case none
    /// Expires after the given duration.
    case after(Duration)

    /// A timeout in seconds.
    public static func seconds(_ seconds: some BinaryInteger) -> RequestTimeout { .after(.seconds(seconds)) }
    /// A timeout in seconds.
    public static func seconds(_ seconds: Double) -> RequestTimeout { .after(.seconds(seconds)) }
    /// A timeout in milliseconds.
    public static func milliseconds(_ milliseconds: some BinaryInteger) -> RequestTimeout {
        .after(.milliseconds(milliseconds))
    }
    /// A timeout in microseconds.
    public static func microseconds(_ microseconds: some BinaryInteger) -> RequestTimeout {
        .after(.microseconds(microseconds))
    }
    /// Fails at once unless no waiting is needed.
    public static let zero = RequestTimeout.after(.zero)

    init(_ timeout: Duration?) { self = timeout.map(RequestTimeout.after) ?? .none }
}
