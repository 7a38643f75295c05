import HTTPPool
import HTTPTypes

/// An address given with `--target`.
struct Target: Sendable, Hashable {
    let scheme: String
    let authority: String
    let path: String

    /// Reads several addresses.
    ///
    /// - Throws: ``TargetError`` for the first bad one, named by its number.
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

    /// Reads an address.
    ///
    /// - Throws: ``TargetError``, whose text does not repeat the address: it may hold a password or a token.
    init(_ text: String) throws(TargetError) {
        guard let parts = URIReference(Array(text.utf8)) else { throw TargetError("it is not a URL") }
        guard let authority = parts.authority, !authority.isEmpty else {
            throw TargetError("it must begin with http:// or https:// and a host")
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

/// What is wrong with an address.
struct TargetError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
