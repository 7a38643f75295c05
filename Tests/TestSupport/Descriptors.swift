import Foundation

/// The descriptors that this process has open.
package enum Descriptors {
    /// How many there are. Pipes do not count: nothing of ours opens any, but a sanitizer does when it looks up a name.
    package static func count() throws -> Int { try targets().count { !$0.hasPrefix("pipe:") } }

    /// What they are, for the message of a test that finds too many: how many of each kind.
    package static func kinds() throws -> String {
        // `socket:[123]` and `pipe:[123]` say which; `anon_inode:[eventfd]` says what.
        let kinds = Dictionary(grouping: try targets()) { target in
            target.hasSuffix("]") && !target.hasPrefix("anon") ? String(target.prefix { $0 != ":" }) : target
        }
        return kinds.map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    }

    /// Where each leads, but for the one that the question opens: that is closed before it is looked at.
    private static func targets() throws -> [String] {
        let folder = "/proc/self/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
    }
}
