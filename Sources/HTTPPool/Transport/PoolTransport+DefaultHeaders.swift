import HTTPTypes

extension PoolTransport {
    /// What is wrong with ``defaultHeaders``. A value is not shown: it may be a secret.
    var headerProblems: [ConfigurationError.Problem] {
        defaultHeaders.compactMap { field in
            let allowed: String? =
                switch field.name {
                case .contentLength, .transferEncoding, .expect, Self.host: "a field that is not of one request alone"
                default: field.valueKind == .forbidden ? "a value without control characters" : nil
                }
            return allowed.map { allowed in
                ConfigurationError.Problem(
                    name: "transport.defaultHeaders[\(field.name.rawName)]",
                    value: "(hidden)",
                    allowed: allowed
                )
            }
        }
    }

    private static let host = HTTPField.Name("Host")
}
