import HTTPPool
import HTTPTypes

/// Finds the trace of a request among its header fields.
struct TraceField {
    /// The trace; `nil` without a valid and sampled one.
    private(set) var id: TraceID?
    private var isFound = false

    /// The length of `traceparent`, compared first: few names have it, and comparing a name costs more.
    private static let length = 11

    mutating func take(_ field: HTTPField) {
        guard field.name.rawName.utf8.count == Self.length, field.name == .traceparent else { return }
        // With several of them nobody knows which is meant.
        id = isFound ? nil : field.withUnsafeBytesOfValue { TraceID(traceparent: $0.span) }
        isFound = true
    }
}
