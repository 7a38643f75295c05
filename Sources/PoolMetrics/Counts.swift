public import HTTPPool

/// One counter for each case of an enum: `counts[.reused]`.
///
/// The counters lie inline, so counting neither hashes nor allocates, and a copy is a copy of memory.
public struct Counts<Key: CountedCase>: Sendable, CustomReflectable {
    // One size for all enums: a size in the type makes the compiler crash on key paths through it.
    private var values = InlineArray<16, UInt64>(repeating: 0)

    /// All at zero.
    init() {}

    /// How often `key` was counted.
    public internal(set) subscript(key: Key) -> UInt64 {
        get { values[key.position] }
        set { values[key.position] = newValue }
    }

    /// All cases together.
    public var total: UInt64 { values.indices.reduce(0) { $0 &+ values[$1] } }

    /// The cases with their counts. Without it, whoever prints a reading crashes: Swift 6.3 cannot reflect on the
    /// inside of an `InlineArray`.
    public var customMirror: Mirror {
        Mirror(self, children: Key.allCases.map { ($0.rawValue, self[$0]) }, displayStyle: .dictionary)
    }
}

/// An enum whose cases are counted. The position is spelled out, because asking `allCases` for it would be a search.
public protocol CountedCase: Sendable, CaseIterable, RawRepresentable<String> {
    /// The place of the case in `allCases`.
    var position: Int { get }
}

extension AcquireKind: CountedCase {
    /// The place of the case in `allCases`.
    public var position: Int {
        switch self {
        case .new: 0
        case .reused: 1
        case .multiplexed: 2
        }
    }
}

extension AcquireFailure: CountedCase {
    /// The place of the case in `allCases`.
    public var position: Int {
        switch self {
        case .timeout: 0
        case .cancelled: 1
        case .rejected: 2
        case .connectFailed: 3
        case .shutdown: 4
        }
    }
}

extension ConnectFailure: CountedCase {
    /// The place of the case in `allCases`.
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
    /// The place of the case in `allCases`.
    public var position: Int {
        switch self {
        case .idleExpired: 0
        case .idleSurplus: 1
        case .evicted: 2
        case .maxLifetime: 3
        case .peerClosed: 4
        case .unexpectedData: 5
        case .unresponsive: 6
        case .responseClose: 7
        case .requestCancelled: 8
        case .requestTimeout: 9
        case .error: 10
        case .shutdown: 11
        }
    }
}

extension PoolLimit: CountedCase {
    /// The place of the case in `allCases`.
    public var position: Int {
        switch self {
        case .connections: 0
        case .connectionsPerOrigin: 1
        }
    }
}
