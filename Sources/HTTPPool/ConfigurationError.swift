/// Everything that is wrong with a configuration, in one error.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One wrong value.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The variable that holds it.
        public let name: String
        /// The value as it was given.
        public let value: String
        /// What would have been right.
        public let allowed: String

        /// `HTTP_CLIENT_TIMEOUT is "-3"; allowed: seconds, above 0 to 31536000, or none`, always on one line.
        public var description: String {
            let shown = value.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
            return "\(name) is \"\(shown)\"; allowed: \(allowed)"
        }

        /// Names one wrong value.
        public init(name: String, value: String, allowed: String) {
            self.name = name
            self.value = value
            self.allowed = allowed
        }
    }

    /// All of them, in the order of the settings; never empty.
    public let problems: [Problem]

    /// Collects wrong values into an error.
    public init(problems: [Problem]) { self.problems = problems }

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
