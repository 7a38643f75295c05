/// Where a connection leads: scheme, host and port. Connections are pooled by exactly this.
///
/// An origin never holds userinfo, a path or a query, so it is safe to show in a label, a log or a page.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// The host in lower case; an IPv6 address in its brackets.
    public let host: String
    /// The TCP port; the scheme's own (80 or 443) where the request names none.
    public let port: UInt16

    /// Makes an origin from parts that are known to be valid. `host` is put in lower case.
    public init(scheme: String, host: String, port: UInt16) {
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        self.port = port
    }

    /// Reads an origin from a request's scheme and authority (`host` or `host:port`).
    ///
    /// - Throws: ``PoolError`` with code ``PoolError/Code/invalidRequest``. Its text never repeats the authority,
    ///   which may hold a password.
    public init(scheme: String?, authority: String?) throws(PoolError) {
        guard let scheme = scheme.map({ $0.lowercased() }), scheme == "http" || scheme == "https" else {
            throw .invalidRequest("the scheme must be http or https")
        }
        guard let authority, !authority.isEmpty else {
            throw .invalidRequest("the request names no host")
        }
        let bytes = authority.utf8
        let hostEnd: String.Index
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else {
                throw Self.refusal(of: bytes, "the IPv6 address is not closed by a bracket")
            }
            hostEnd = bytes.index(after: bracket)
            let address = bytes[..<hostEnd].dropFirst().dropLast()
            guard !address.isEmpty else { throw Self.refusal(of: bytes, "the request names no host") }
            guard address.allSatisfy(Self.mayStandInIPv6) else {
                throw Self.refusal(of: bytes, "the IPv6 address holds a character that may not stand there")
            }
        } else {
            hostEnd = bytes.firstIndex { !Self.mayStandInHost($0) } ?? bytes.endIndex
        }
        guard hostEnd > bytes.startIndex else { throw Self.refusal(of: bytes, "the request names no host") }
        if hostEnd == bytes.endIndex {
            port = scheme == "https" ? 443 : 80
        } else {
            guard bytes[hostEnd] == UInt8(ascii: ":") else {
                throw Self.refusal(of: bytes, "the host holds a character that may not stand there")
            }
            guard let port = Self.port(bytes[hostEnd...].dropFirst()) else {
                throw Self.refusal(of: bytes, "the port must be a number from 1 to 65535")
            }
            self.port = port
        }
        self.scheme = scheme
        host = String(authority[..<hostEnd]).lowercased()
    }

    /// Userinfo is named as what it is, wherever the reading stopped.
    private static func refusal(of authority: String.UTF8View, _ reason: String) -> PoolError {
        authority.contains(UInt8(ascii: "@"))
            ? .invalidRequest("user and password do not belong in the address; send an Authorization header")
            : .invalidRequest(reason)
    }

    private static func port(_ digits: Substring.UTF8View) -> UInt16? {
        var port = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39, port <= UInt16.max else { return nil }
            port = port * 10 + Int(digit - 0x30)
        }
        return port > 0 ? UInt16(exactly: port) : nil
    }

    /// `scheme://host:port`, the port always written: the form of the `origin` label.
    public var description: String { "\(scheme)://\(host):\(port)" }

    /// The characters of a registered name or an IPv4 address (RFC 3986, 3.2.2), without percent escapes;
    /// bytes above ASCII pass, libcurl turns them into IDNA.
    private static func mayStandInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func mayStandInIPv6(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
