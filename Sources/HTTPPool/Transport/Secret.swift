/// A value that does not show itself: not in a log, not in an error, not in a dump.
public struct Secret<Value: Sendable & Hashable>: Sendable, Hashable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// What is hidden.
    public let value: Value

    /// Hides a value.
    public init(_ value: Value) { self.value = value }

    /// Says nothing.
    public var description: String { "(hidden)" }
    /// Says nothing.
    public var debugDescription: String { description }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
