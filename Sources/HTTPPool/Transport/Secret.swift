/// A value that is redacted in logs, errors and dumps.
public struct Secret<Value: Sendable & Hashable>: Sendable, Hashable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// The secret value.
    public let value: Value

    /// Wraps a value.
    public init(_ value: Value) { self.value = value }

    /// Always `(hidden)`.
    public var description: String { "(hidden)" }
    /// Always `(hidden)`.
    public var debugDescription: String { description }
    /// Empty.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
