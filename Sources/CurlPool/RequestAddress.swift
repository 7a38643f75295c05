import HTTPPool

/// The address of a request in libcurl's terms: a site (scheme and authority, as a URL) and the request target.
///
/// They are kept apart so that libcurl parses a URL only when the site changes. Parsing is a sixth of its work per
/// request; and no byte of a path or query can make it read the address differently from the pool.
struct RequestAddress: Sendable, Equatable {
    /// Site and target, each terminated by a zero, as libcurl needs them.
    private let text: [UInt8]
    private let targetStart: Int
    let isSecure: Bool

    /// - Parameters:
    ///   - authority: a validated authority.
    ///   - path: path and query; empty means `/`. A fragment is not sent (RFC 9110, 4.2.5), and bytes beyond ASCII
    ///     are percent-encoded.
    /// - Throws: ``PoolError`` with code `invalidRequest`.
    init(isSecure: Bool, authority: String, path: String) throws(PoolError) {
        let scheme = isSecure ? "https://" : "http://"
        let path = path.isEmpty ? "/" : path
        guard let target = TargetBytes(of: path.utf8.span) else {
            throw .refused("the path must begin with / and contain no spaces or control characters")
        }
        let targetStart = scheme.utf8.count + authority.utf8.count + 1
        let count = targetStart + target.count + 1
        text = [UInt8](unsafeUninitializedCapacity: count) { text, written in
            guard let start = text.baseAddress else { return }
            var writer = ByteWriter(at: start)
            writer.put(scheme)
            writer.put(authority)
            writer.put(0)
            target.write(path, to: &writer)
            writer.put(0)
            written = count
        }
        self.targetStart = targetStart
        self.isSecure = isSecure
    }

    func withSite<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result { Self.with(text[...], body) }

    func withTarget<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        Self.with(text[targetStart...], body)
    }

    /// Site and target as one URL, from which libcurl derives the absolute form for a proxy.
    func withURL<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        Self.with(text[..<(targetStart - 1)] + text[targetStart...], body)
    }

    private static func with<Result>(_ text: ArraySlice<UInt8>, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        // Sound: both types are one byte.
        text.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self)) }
    }

    func isAtSite(of other: RequestAddress) -> Bool {
        targetStart == other.targetStart && text[..<targetStart] == other.text[..<targetStart]
    }
}

/// The part of a path that is sent, and its encoded length.
private struct TargetBytes {
    private let end: Int
    private let beyondASCII: Int
    /// The encoded length, in bytes.
    var count: Int { end + 2 * beyondASCII }

    /// `nil` for a path that is not allowed.
    init?(of path: Span<UInt8>) {
        guard path[0] == UInt8(ascii: "/") else { return nil }
        var end = path.count
        var beyondASCII = 0
        for index in path.indices {
            let byte = path[index]
            if byte <= 0x20 || byte == 0x7f { return nil }
            if byte == UInt8(ascii: "#") { end = min(end, index) }
            if byte >= 0x80, index < end { beyondASCII += 1 }
        }
        self.end = end
        self.beyondASCII = beyondASCII
    }

    func write(_ path: String, to writer: inout ByteWriter) {
        var path = path
        path.withUTF8 { bytes in
            let sent = UnsafeBufferPointer(rebasing: bytes[..<end])
            if beyondASCII == 0 { return writer.put(sent) }
            for byte in sent {
                if byte < 0x80 {
                    writer.put(byte)
                } else {
                    writer.put(UInt8(ascii: "%"))
                    writer.put(Self.digit(byte >> 4))
                    writer.put(Self.digit(byte & 0xf))
                }
            }
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
    }
}
