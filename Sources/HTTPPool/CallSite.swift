private import Synchronization

/// The place in a service that a request comes from, such as `token exchange` or `catalog`.
///
/// A literal is one: `RequestOptions(site: "catalog")`. On a busy path make it once and keep it
/// (`static let catalog = CallSite("catalog")`): making it looks the name up in a table of the process, using it costs
/// nothing. Names are the author's own words and become labels, so they must not be taken from input.
public struct CallSite: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Where none was given: the name is `unattributed`.
    public static let unattributed = CallSite("unattributed")

    /// The call site of requests that this task sends with options that name none:
    /// `CallSite.$current.withValue("nightly import") { … }`.
    @TaskLocal public static var current = CallSite.unattributed

    /// A small number that is the same for the same name within the process.
    package let index: Int32

    /// Names a place. The same name gives the same call site.
    public init(_ name: String) { index = Self.names.withLock { $0.intern(name) } }

    /// Names a place.
    public init(stringLiteral name: String) { self.init(name) }

    /// The name that it was made with.
    public var name: String { Self.names.withLock { $0.list[Int(index)] } }

    /// The name.
    public var description: String { name }

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
