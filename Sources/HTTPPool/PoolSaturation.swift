/// The limits that keep at least one request waiting.
public struct PoolSaturation: OptionSet, Sendable, Hashable {
    /// One bit per limit.
    public let rawValue: UInt8

    /// Creates a set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ``PoolLimit/connections``: all connections are in use, and no idle one could be closed for another.
    public static let connections = PoolSaturation(rawValue: 1 << 0)
    /// ``PoolLimit/connectionsPerOrigin``
    public static let connectionsPerOrigin = PoolSaturation(rawValue: 1 << 1)
    /// ``PoolLimit/streams``
    public static let streams = PoolSaturation(rawValue: 1 << 2)

    /// Whether the limit keeps a request waiting.
    public func contains(_ limit: PoolLimit) -> Bool { contains(PoolSaturation(limit)) }

    /// The set of one limit.
    public init(_ limit: PoolLimit) {
        self =
            switch limit {
            case .connections: .connections
            case .connectionsPerOrigin: .connectionsPerOrigin
            case .streams: .streams
            }
    }
}
