public import HTTPPool

/// One counter per case of an enum: `counts[.reused]`.
///
/// The counters are stored inline, so counting neither hashes nor allocates, and copying is a memory copy.
public struct Counts<Key: CountedCase>: Sendable, CustomReflectable {
    // One size for all enums: with the size as a generic parameter, the compiler crashes on key paths through the
    // type.
    private var values = InlineArray<16, UInt64>(repeating: 0)

    /// Creates counters at zero.
    init() {}

    /// The count of `key`.
    public internal(set) subscript(key: Key) -> UInt64 {
        get { values[key.position] }
        set { values[key.position] = newValue }
    }

    /// Adds the counts of another.
    mutating func add(_ other: Self) { for index in values.indices { values[index] &+= other.values[index] } }

    /// The sum over all cases.
    public var total: UInt64 { values.indices.reduce(0) { $0 &+ values[$1] } }

    /// The cases with their counts. Required, because Swift 6.3 crashes when it reflects on an `InlineArray`, so
    /// printing a reading would crash.
    public var customMirror: Mirror {
        Mirror(self, children: Key.allCases.map { ($0.rawValue, self[$0]) }, displayStyle: .dictionary)
    }
}

/// An enum whose cases are counted. The position is a requirement, because looking it up in `allCases` would be a
/// linear search.
public protocol CountedCase: Sendable, CaseIterable, RawRepresentable<String> {
    /// The index of the case in `allCases`.
    var position: Int { get }
}

extension AcquireKind: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .new: 0
        case .reused: 1
        case .multiplexed: 2
        }
    }
}

extension AcquireFailure: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .timeout: 0
        case .cancelled: 1
        case .rejected: 2
        case .connectFailed: 3
        case .lost: 4
        case .shutdown: 5
        }
    }
}

extension ConnectFailure: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .dns: 0
        case .refused: 1
        case .timeout: 2
        case .tls: 3
        case .noDescriptor: 4
        case .cancelled: 5
        case .other: 6
        }
    }
}

extension CloseReason: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .idleExpired: 0
        case .idleSurplus: 1
        case .evicted: 2
        case .maxLifetime: 3
        case .maxRequests: 4
        case .peerClosed: 5
        case .goAway: 6
        case .unexpectedData: 7
        case .unresponsive: 8
        case .superseded: 9
        case .responseClose: 10
        case .requestCancelled: 11
        case .requestTimeout: 12
        case .error: 13
        case .shutdown: 14
        }
    }
}

extension PoolLimit: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .connections: 0
        case .connectionsPerOrigin: 1
        case .streams: 2
        }
    }
}

extension LeaseOutcome: CountedCase {
    /// The index of the case in `allCases`.
    public var position: Int {
        switch self {
        case .success: 0
        case .redirection: 1
        case .clientError: 2
        case .serverError: 3
        case .retried: 4
        case .cancelled: 5
        case .timeout: 6
        case .connectionLost: 7
        case .invalidResponse: 8
        case .callerFailed: 9
        case .shutdown: 10
        }
    }
}
