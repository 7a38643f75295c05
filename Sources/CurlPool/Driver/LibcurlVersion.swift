import CLibcurl

/// A version of libcurl, in libcurl's own encoding.
struct LibcurlVersion: Comparable, CustomStringConvertible {
    let number: UInt32

    init(number: UInt32) { self.number = number }

    init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32 = 0) { number = major << 16 | minor << 8 | patch }

    /// The version of the loaded library, which may differ from that of the headers used at compile time.
    static let loaded = LibcurlVersion(number: poolscope_version()?.pointee.version_num ?? 0)

    /// The versions that the test suites have passed with.
    static let tested = LibcurlVersion(7, 88, 1)...LibcurlVersion(8, 21, 0)

    /// From this version on, an unset CA path means the path built into the library.
    static let caPathHasDefault = LibcurlVersion(8, 17)

    /// From this version on, a TLS connection that is closing stays open for a while after its last transfer.
    static let closesGracefully = LibcurlVersion(8, 9)

    /// Whether libcurl keeps waiting for the peer when an HTTP/1.1 response is complete before its request.
    var hidesWholeResponses: Bool { self >= LibcurlVersion(8, 5) && self < LibcurlVersion(8, 6) }

    /// A warning for users of a version that has not been tested; `nil` for tested ones.
    var caution: String? {
        guard !Self.tested.contains(self) else { return nil }
        return "libcurl \(self) was not tested; \(Self.tested.lowerBound) to \(Self.tested.upperBound) were"
    }

    static func < (a: LibcurlVersion, b: LibcurlVersion) -> Bool { a.number < b.number }

    var description: String { "\(number >> 16).\(number >> 8 & 0xff).\(number & 0xff)" }
}
