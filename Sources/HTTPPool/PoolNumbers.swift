/// The number of a request in its pool; later submissions have higher numbers.
public struct RequestNumber: Sendable, Hashable, Comparable {
    /// The number, starting at 1.
    public let value: UInt64

    /// Creates a number.
    public init(_ value: UInt64) { self.value = value }

    /// Whether `a` was submitted before `b`.
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

/// The number of a connection in its pool; connections opened later have higher numbers.
public struct ConnectionNumber: Sendable, Hashable, Comparable {
    /// The number, starting at 1.
    public let value: UInt64

    /// Creates a number.
    public init(_ value: UInt64) { self.value = value }

    /// Whether `a` was opened before `b`.
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

/// Identifies a request that is not finished.
public struct RequestKey: Sendable, Hashable {
    /// Its number in the pool.
    public let number: RequestNumber
    /// Its place among the pool's requests: small, and reused for another request once this one is finished.
    public let index: Int32

    /// Identifies a request by its number and its place.
    public init(number: RequestNumber, index: Int32) {
        self.number = number
        self.index = index
    }
}
