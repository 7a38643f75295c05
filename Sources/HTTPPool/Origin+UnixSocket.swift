/// Unix domain sockets as origins: the authority is the percent-encoded path.
extension Origin {
    /// The maximum path length in bytes: the size of `sun_path` without the terminating zero.
    private static let maxUnixPathBytes = 107

    /// The path of the socket; `nil` for a TCP origin.
    package var unixSocketPath: String? {
        guard Scheme(scheme)?.isUnix == true else { return nil }
        return Self.decoded(host.utf8.span).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The canonical form of a socket's authority, so that different spellings of a path give one origin.
    ///
    /// A socket has no port. The scheme's default port is accepted and ignored, because ``description`` writes it.
    static func unixHost(_ authority: String, ownPort: UInt16) throws(PoolError) -> String {
        let bytes = authority.utf8.span
        let port = Array(":\(ownPort)".utf8)
        let hasPort = authority.utf8.suffix(port.count).elementsEqual(port)
        guard let path = decoded(bytes.extracting(first: bytes.count - (hasPort ? port.count : 0))),
            String(validating: path, as: UTF8.self) != nil
        else {
            throw refusal(of: bytes, "the socket path must be percent-encoded, with / as %2F")
        }
        guard path.first == UInt8(ascii: "/"), path.count > 1 else {
            throw refusal(of: bytes, "the socket path must begin with /, encoded as %2F")
        }
        guard !path.contains(0) else { throw refusal(of: bytes, "the socket path contains a zero byte") }
        guard path.count <= maxUnixPathBytes else {
            throw refusal(of: bytes, "the socket path is longer than \(maxUnixPathBytes) bytes")
        }
        return encoded(path)
    }

    /// Percent-decodes a text; `nil` if it contains an invalid escape or a character that must be escaped.
    private static func decoded(_ text: Span<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%") {
                guard index + 2 < text.count, let high = nibble(text[index + 1]), let low = nibble(text[index + 2])
                else {
                    return nil
                }
                bytes.append(high << 4 | low)
                index += 3
            } else {
                guard isUnreserved(text[index]) || isSubDelimiter(text[index]) else { return nil }
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    private static func encoded(_ path: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in path {
            if isUnreserved(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// An unreserved character (RFC 3986, 2.3).
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// A sub-delimiter (RFC 3986, 2.2), which a host may also contain unescaped.
    private static func isSubDelimiter(_ byte: UInt8) -> Bool { "!$&'()*+,;=".utf8.contains(byte) }
}
