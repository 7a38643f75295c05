/// Why a pool name was refused.
public struct PoolNameError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problem of the name.
    @nonexhaustive
    public enum Problem: Sendable, Hashable {
        /// The name is empty, longer than 64 bytes, or contains a control character.
        case invalid
        /// A live pool has the name.
        case taken
    }

    /// The requested name.
    public let name: String
    /// The problem of the name.
    public let problem: Problem

    /// The name, the problem, and how to fix it.
    public var description: String {
        switch problem {
        case .invalid:
            "the pool name \"\(shown)\" is invalid; "
                + "allowed: 1 to \(Self.mostBytes) bytes of UTF-8 without control characters"
        case .taken:
            "a pool named \"\(shown)\" already exists; share it, "
                + "shut it down first, or use another name"
        }
    }

    /// The first characters of the name, escaped for logs.
    private var shown: String {
        name.unicodeScalars.prefix(Self.mostBytes).map { $0.escaped(asASCII: true) }.joined()
    }

    private static let mostBytes = 64

    /// Validates a name, without regard to other pools.
    static func check(_ name: String) throws(PoolNameError) {
        let isValid =
            !name.isEmpty && name.utf8.count <= mostBytes
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isValid else { throw PoolNameError(name: name, problem: .invalid) }
    }
}
