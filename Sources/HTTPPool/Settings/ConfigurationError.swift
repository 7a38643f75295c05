/// All problems of a configuration, in one error.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One invalid value, or one unknown setting.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The name of the setting as given: an environment variable, a key of a file or another provider, or a
        /// property set in code.
        public let name: String
        /// The value as given, or `(hidden)` if it may contain a secret; `nil` if `name` is not a setting.
        public let value: String?
        /// The allowed values. For an unknown setting, the most similar known one, or an empty string.
        public let allowed: String
        /// The provider that the value comes from, if it is neither the environment nor a file.
        public let provider: String?

        /// Why the object that holds the settings is invalid.
        private enum GroupFault: Sendable, Hashable {
            /// A file does not have it.
            case missing
            /// A value stands in its place.
            case notAnObject
        }
        private let groupFault: GroupFault?

        /// One line, such as `HTTP_CLIENT_TIMEOUT is "-3"; allowed: seconds, above 0 to 31536000, or none`.
        public var description: String {
            let place = name.onOneLine + (provider.map { " (\($0.onOneLine))" } ?? "")
            switch groupFault {
            case .missing: return "the settings file has no object \(place), so none of its values is a setting"
            case .notAnObject: return "\(place) must be an object that holds the settings, and not a value"
            case nil: break
            }
            guard let value else {
                return "\(place) is not a setting" + (allowed.isEmpty ? "" : "; did you mean \(allowed)?")
            }
            return "\(place) is \"\(value.onOneLine)\"; allowed: \(allowed)"
        }

        /// Creates a problem for an invalid value.
        public init(name: String, value: String, allowed: String, provider: String? = nil) {
            self.name = name
            self.value = value
            self.allowed = allowed
            self.provider = provider
            groupFault = nil
        }

        /// Creates a problem for an unknown setting.
        ///
        /// - Parameter nearest: the most similar known setting, or an empty string.
        init(unknown name: String, nearest: String, provider: String?) {
            // A URL with a password may be given by mistake for a key.
            let mayHoldSecret = name.contains { "@=/ ".contains($0) }
            self.name = mayHoldSecret ? "(hidden)" : name
            value = nil
            allowed = nearest
            self.provider = provider
            groupFault = nil
        }

        /// Creates a problem for a settings file without any setting.
        ///
        /// - Parameter group: the key of the object that holds settings.
        init(missing group: String) {
            name = group
            value = nil
            allowed = ""
            provider = nil
            groupFault = .missing
        }

        /// Creates a problem for a value in place of the object that holds the settings. The value is not shown: it may
        /// be anything.
        init(valueInPlaceOf group: String, provider: String?) {
            name = group
            value = nil
            allowed = ""
            self.provider = provider
            groupFault = .notAnObject
        }
    }

    /// All problems, in the order of the settings; never empty.
    public let problems: [Problem]

    /// Creates an error from its problems.
    public init(problems: [Problem]) { self.problems = problems }

    /// One line per problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension String {
    /// The text with control characters escaped, so that it stays on one line and cannot move a terminal's cursor.
    fileprivate var onOneLine: String { unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }
}
