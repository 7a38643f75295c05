/// Why a pool cannot have its name.
public struct PoolNameError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The two things that can be wrong.
    @nonexhaustive
    public enum Problem: Sendable, Hashable {
        /// It is empty, longer than 64 bytes, or holds a control character.
        case invalid
        /// A pool that is alive has it.
        case taken
    }

    /// The name that was asked for.
    public let name: String
    /// What is wrong with it.
    public let problem: Problem

    /// The name, what is wrong, and what would be right.
    public var description: String {
        switch problem {
        case .invalid:
            "the pool name \"\(shown)\" is invalid; "
                + "allowed: 1 to \(Self.mostBytes) bytes of UTF-8 without control characters"
        case .taken:
            "a pool named \"\(shown)\" is alive already; share that one, "
                + "shut it down first, or give this one another name"
        }
    }

    /// The beginning of the name, with everything escaped that a log could stumble over.
    private var shown: String {
        name.unicodeScalars.prefix(Self.mostBytes).map { $0.escaped(asASCII: true) }.joined()
    }

    private static let mostBytes = 64

    /// Checks a name by itself.
    static func check(_ name: String) throws(PoolNameError) {
        let isValid =
            !name.isEmpty && name.utf8.count <= mostBytes
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isValid else { throw PoolNameError(name: name, problem: .invalid) }
    }
}
