import Foundation

/// The descriptors that this process has open.
package enum Descriptors {
    /// How many there are, but for the one that the question opens.
    package static func count() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count - 1
    }

    /// What they are, for the message of a test that finds too many: how many of each kind.
    package static func kinds() throws -> String {
        let folder = "/proc/self/fd"
        let targets = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        // `socket:[123]` and `pipe:[123]` say which; `anon_inode:[eventfd]` says what.
        let kinds = Dictionary(grouping: targets) { target in
            target.hasSuffix("]") && !target.hasPrefix("anon") ? String(target.prefix { $0 != ":" }) : target
        }
        return kinds.map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    }
}
