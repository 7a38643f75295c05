private import Synchronization

/// The place in a service that sends a request, such as `token exchange` or `catalog`.
///
/// It can be written as a literal: `RequestOptions(site: "catalog")`. On a hot path create it once:
/// `static let catalog = CallSite("catalog")`. Creating one looks the name up in a process-wide table, using it is
/// free. Names become metric labels and are never removed, so do not take them from input.
///
/// A name is one line of at most 128 bytes: control characters become spaces, and a longer name is cut. A name without
/// any visible character is ``unattributed``.
public struct CallSite: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The call site of requests that set none, named `unattributed`.
    public static let unattributed = CallSite("unattributed")

    /// The default call site of requests sent by this task: `CallSite.$current.withValue("nightly import") { … }`.
    @TaskLocal public static var current = CallSite.unattributed

    /// A small number, the same for equal names within the process.
    package let index: Int32

    /// Creates a call site. Equal names give equal call sites.
    public init(_ name: String) { index = Self.names.withLock { $0.indices[name] ?? $0.intern(Self.label(name)) } }

    /// Creates a call site from a literal.
    public init(stringLiteral name: String) { self.init(name) }

    /// The name it was created with, as one line of at most 128 bytes.
    public var name: String { Self.names.withLock { $0.list[Int(index)] } }

    /// The name.
    public var description: String { name }

    private static let mostBytes = 128

    /// The name as a label: it ends no line of a page or a log, and is short enough for both.
    private static func label(_ name: String) -> String {
        guard name.unicodeScalars.contains(where: { !$0.properties.isWhitespace && !$0.isControl }) else {
            return "unattributed"
        }
        var label = String.UnicodeScalarView()
        var bytes = 0
        for scalar in name.unicodeScalars {
            bytes += scalar.isControl ? 1 : UTF8.width(scalar)
            guard bytes <= mostBytes else { break }
            label.append(scalar.isControl ? " " : scalar)
        }
        return String(label)
    }

    private struct Names {
        var list: [String] = []
        var indices: [String: Int32] = [:]

        mutating func intern(_ name: String) -> Int32 {
            if let index = indices[name] { return index }
            let index = Int32(list.count)
            list.append(name)
            indices[name] = index
            return index
        }
    }

    private static let names = Mutex(Names())
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { properties.generalCategory == .control }
}
