import HTTPPool
import HTTPTypes

/// A URL given with `--target`.
struct Target: Sendable, Hashable {
    let scheme: String
    let authority: String
    let path: String

    /// Parses several URLs.
    ///
    /// - Throws: ``TargetError`` for the first invalid one, identified by its position.
    static func all(_ texts: [String]) throws(TargetError) -> [Target] {
        var targets: [Target] = []
        for text in texts {
            do {
                targets.append(try Target(text))
            } catch {
                throw TargetError("--target number \(targets.count + 1): \(error)")
            }
        }
        return targets
    }

    /// Parses a URL.
    ///
    /// - Throws: ``TargetError``. Its text does not repeat the URL, which may contain a password or a token.
    init(_ text: String) throws(TargetError) {
        guard let parts = URIReference(Array(text.utf8)) else { throw TargetError("not a valid URL") }
        guard let authority = parts.authority, !authority.isEmpty else {
            throw TargetError("the URL must begin with http:// or https:// and a host")
        }
        do {
            scheme = try Origin(scheme: parts.scheme, authority: authority).scheme
        } catch {
            throw TargetError(error.reason)
        }
        self.authority = authority
        path = parts.target
    }
}

/// Why a URL is invalid.
struct TargetError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
