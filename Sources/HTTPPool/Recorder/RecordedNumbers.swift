/// The number of a request in its pool: later submissions have higher ones.
public struct RequestNumber: Sendable, Hashable, Comparable {
    /// From 1.
    public let value: UInt64

    /// Wraps a number.
    public init(_ value: UInt64) { self.value = value }

    /// Submitted earlier than.
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

/// The number of a connection in its pool: later ones have higher numbers.
public struct ConnectionNumber: Sendable, Hashable, Comparable {
    /// From 1.
    public let value: UInt64

    /// Wraps a number.
    public init(_ value: UInt64) { self.value = value }

    /// Opened earlier than.
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
