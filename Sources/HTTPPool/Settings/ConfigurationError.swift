/// Everything that is wrong with a configuration, in one error.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One wrong value, or one name that is not a setting.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// What holds the value: a variable, the key of a file or of another provider, or the property that the program set.
        public let name: String
        /// The value as it was given, or `(hidden)` where it may hold a secret; `nil` where `name` is not a setting.
        public let value: String?
        /// What would have been right; for a name that is not a setting the nearest one, or nothing.
        public let allowed: String
        /// The provider of the configuration reader that has it, where it is neither the environment nor a file.
        public let provider: String?

        /// `HTTP_CLIENT_TIMEOUT is "-3"; allowed: seconds, above 0 to 31536000, or none`, always on one line.
        public var description: String {
            let place = name.onOneLine + (provider.map { " (\($0.onOneLine))" } ?? "")
            guard let value else {
                return "\(place) is not a setting" + (allowed.isEmpty ? "" : "; did you mean \(allowed)?")
            }
            return "\(place) is \"\(value.onOneLine)\"; allowed: \(allowed)"
        }

        /// Names one wrong value.
        public init(name: String, value: String, allowed: String, provider: String? = nil) {
            self.name = name
            self.value = value
            self.allowed = allowed
            self.provider = provider
        }

        /// Names what is not a setting.
        ///
        /// - Parameter nearest: the setting that may have been meant; nothing where none is near.
        init(unknown name: String, nearest: String, provider: String?) {
            self.name = name
            value = nil
            allowed = nearest
            self.provider = provider
        }
    }

    /// All of them, in the order of the settings; never empty.
    public let problems: [Problem]

    /// Collects wrong values into an error.
    public init(problems: [Problem]) { self.problems = problems }

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension String {
    /// Without what would end a line or move a terminal's cursor.
    fileprivate var onOneLine: String { unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }
}
