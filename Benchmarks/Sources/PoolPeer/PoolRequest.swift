public import HTTPTypes

/// A GET, taken from a URL of the form `scheme://authority/path`.
public struct PoolRequest: Sendable {
    /// The request.
    public let http: HTTPRequest

    /// Takes the URL apart.
    ///
    /// - Throws: ``InvalidURL`` where a part is missing.
    public init(_ url: String) throws {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].hasSuffix(":"), parts[1].isEmpty else { throw InvalidURL() }
        http = HTTPRequest(
            method: .get,
            scheme: String(parts[0].dropLast()),
            authority: String(parts[2]),
            path: "/" + parts[3]
        )
    }
}

/// The URL is not of the form `scheme://authority/path`.
public struct InvalidURL: Error, CustomStringConvertible {
    /// Such a one.
    public init() {}

    /// What would have been right.
    public var description: String { "the URL must be scheme://authority/path" }
}
