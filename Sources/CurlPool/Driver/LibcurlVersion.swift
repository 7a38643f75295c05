import CLibcurl

/// A version of libcurl, in its own numbers.
struct LibcurlVersion: Comparable, CustomStringConvertible {
    let number: UInt32

    init(number: UInt32) { self.number = number }

    init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32 = 0) { number = major << 16 | minor << 8 | patch }

    /// The library that this process has loaded, which may be another than the one whose headers were compiled.
    static let loaded = LibcurlVersion(number: poolscope_version()?.pointee.version_num ?? 0)

    /// The versions that the suites have passed with.
    static let tested = LibcurlVersion(7, 88, 1)...LibcurlVersion(8, 21, 0)

    /// From here on, no CA path means the path that the library was built with.
    static let caPathHasDefault = LibcurlVersion(8, 17)

    /// From here on, a connection over TLS that ends is still open for a while after its last transfer.
    static let closesGracefully = LibcurlVersion(8, 9)

    /// Whether it goes on waiting for the peer when an HTTP/1.1 response is whole and its request is not.
    var hidesWholeResponses: Bool { self >= LibcurlVersion(8, 5) && self < LibcurlVersion(8, 6) }

    /// What a person should know who meets this version.
    var caution: String? {
        guard !Self.tested.contains(self) else { return nil }
        return "libcurl \(self) was not tested; \(Self.tested.lowerBound) to \(Self.tested.upperBound) were"
    }

    static func < (a: LibcurlVersion, b: LibcurlVersion) -> Bool { a.number < b.number }

    var description: String { "\(number >> 16).\(number >> 8 & 0xff).\(number & 0xff)" }
}
