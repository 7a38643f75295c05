extension PoolLedger {
    /// A report that contradicted an earlier one.
    public struct Violation: Sendable, Hashable, CustomStringConvertible {
        /// The name of the reporting function.
        public let report: String
        /// What it contradicts.
        public let reason: String
        /// The request that was reported; `nil` if a connection alone was.
        public let request: RequestNumber?
        /// The connection that was reported, if any.
        public let connection: ConnectionNumber?

        /// The report, what it is about, and the reason: `acquired(_:on:) of request 7 and connection 3: the connection is
        /// not open`.
        public var description: String {
            let subjects = [request.map { "request \($0.value)" }, connection.map { "connection \($0.value)" }]
            let subject = subjects.compactMap(\.self).joined(separator: " and ")
            return "\(report) of \(subject): \(reason)"
        }
    }
}
