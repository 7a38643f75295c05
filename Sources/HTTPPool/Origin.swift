/// The destination of a connection: scheme, host and port. Connections are pooled by origin.
///
/// An origin never contains userinfo, a request path or a query, so it is safe in labels, logs and pages.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`; `http+unix` or `https+unix` for a Unix domain socket.
    public let scheme: String
    /// The host, lower-case and in ASCII (`xn--bcher-kva.example` for `bücher.example`). An IPv6 address keeps its
    /// brackets. For a Unix domain socket, the percent-encoded path (`%2Frun%2Fdocker.sock`), case preserved.
    public let host: String
    /// The TCP port. The scheme's default (80 or 443) if the request has none, and for Unix domain sockets.
    public let port: UInt16

    /// Creates an origin from valid parts. `host` is converted to lower case and ASCII, except for a Unix domain
    /// socket.
    public init(scheme: String, host: String, port: UInt16) {
        self.scheme = scheme.lowercased()
        self.host = Scheme(self.scheme)?.isUnix == true ? host : Self.ascii(host) ?? host.lowercased()
        self.port = port
    }

    /// Parses a request's scheme and authority (`host` or `host:port`).
    ///
    /// - Throws: ``PoolError`` with code ``PoolError/Code/invalidRequest``. The error text never repeats the
    ///   authority, which may contain a password.
    public init(scheme: String?, authority: String?) throws(PoolError) {
        guard let scheme, let scheme = Scheme(scheme) else {
            throw .invalidRequest("the scheme must be http or https, optionally with +unix")
        }
        guard let authority, !authority.isEmpty else {
            throw .invalidRequest("the request has no host")
        }
        self.scheme = scheme.rawValue
        if scheme.isUnix {
            host = try Self.unixHost(authority, ownPort: scheme.port)
            port = scheme.port
        } else {
            (host, port) = try Self.hostAndPort(authority, ownPort: scheme.port)
        }
    }

    /// `scheme://host:port`, always with the port: the value of the `origin` label.
    public var description: String { "\(scheme)://\(host):\(port)" }
}

/// The supported schemes.
enum Scheme: String {
    case http
    case https
    case httpUnix = "http+unix"
    case httpsUnix = "https+unix"

    /// Parses a scheme, ignoring case.
    init?(_ text: String) {
        if let scheme = Scheme(inLowerCase: text) ?? Scheme(inLowerCase: text.lowercased()) {
            self = scheme
        } else {
            return nil
        }
    }

    /// Matches by length first; the synthesized `init(rawValue:)` compares with every raw value.
    private init?(inLowerCase text: String) {
        switch text.utf8.count {
        case 4 where text == "http": self = .http
        case 5 where text == "https": self = .https
        case 9 where text == "http+unix": self = .httpUnix
        case 10 where text == "https+unix": self = .httpsUnix
        default: return nil
        }
    }

    var isUnix: Bool { self == .httpUnix || self == .httpsUnix }

    /// The default port.
    var port: UInt16 { self == .https || self == .httpsUnix ? 443 : 80 }
}

// MARK: - Reading an authority

extension Origin {
    private static func hostAndPort(_ authority: String, ownPort: UInt16) throws(PoolError) -> (String, UInt16) {
        let bytes = authority.utf8.span
        let (hostEnd, isCanonical) = try hostEnd(of: bytes)
        guard hostEnd > 0 else { throw refusal(of: bytes, "the request has no host") }
        var port: UInt16? = ownPort
        if hostEnd < bytes.count {
            guard bytes[hostEnd] == UInt8(ascii: ":") else {
                throw refusal(of: bytes, "the host contains an invalid character")
            }
            port = Self.port(bytes.extracting((hostEnd + 1)...))
        }
        guard let port else { throw refusal(of: bytes, "the port must be a number from 1 to 65535") }
        let host = hostEnd == bytes.count ? authority : String(Substring(authority.utf8.prefix(hostEnd)))
        if isCanonical { return (host, port) }
        guard let host = ascii(host) else {
            throw refusal(of: bytes, "the host is not a valid internationalized domain name")
        }
        return (host, port)
    }

    /// The canonical form of a host, so that different spellings of a name give one origin.
    ///
    /// - Returns: `nil` if a non-ASCII host is not a valid name, or maps to a character that is not allowed in a
    ///   host.
    private static func ascii(_ host: String) -> String? {
        guard host.utf8.contains(where: { $0 >= 0x80 }) else { return host.lowercased() }
        guard let name = InternationalName.ascii(host), !name.isEmpty, name.utf8.allSatisfy(mayStandInHost),
            name.utf8.allSatisfy({ $0 < 0x80 })
        else { return nil }
        return name
    }

    /// A request's authority in ASCII, keeping an explicit port, so that the `Host` sent matches the origin pooled.
    package func inASCII(_ authority: String) -> String {
        // A non-ASCII character takes more UTF-8 than UTF-16 units, and both counts are O(1) for an ASCII string.
        guard authority.utf8.count != authority.utf16.count else { return authority }
        let port = authority.utf8.lastIndex(of: UInt8(ascii: ":")).map { authority[$0...] } ?? ""
        return host + port
    }

    /// The end of the host, and whether the host is lower-case ASCII.
    private static func hostEnd(of bytes: Span<UInt8>) throws(PoolError) -> (end: Int, isCanonical: Bool) {
        var end = 0
        var isCanonical = true
        guard bytes[0] == UInt8(ascii: "[") else {
            while end < bytes.count, mayStandInHost(bytes[end]) {
                isCanonical = isCanonical && !isUpperCaseOrBeyondASCII(bytes[end])
                end += 1
            }
            return (end, isCanonical)
        }
        end = 1
        var isAddress = true
        while end < bytes.count, bytes[end] != UInt8(ascii: "]") {
            isAddress = isAddress && mayStandInIPv6(bytes[end])
            isCanonical = isCanonical && !isUpperCaseOrBeyondASCII(bytes[end])
            end += 1
        }
        guard end < bytes.count else { throw refusal(of: bytes, "the IPv6 address has no closing bracket") }
        guard end > 1 else { throw refusal(of: bytes, "the request has no host") }
        guard isAddress else {
            throw refusal(of: bytes, "the IPv6 address contains an invalid character")
        }
        return (end + 1, isCanonical)
    }

    private static func port(_ digits: Span<UInt8>) -> UInt16? {
        var port = 0
        for index in digits.indices {
            let digit = digits[index]
            guard digit >= 0x30, digit <= 0x39, port <= UInt16.max else { return nil }
            port = port * 10 + Int(digit - 0x30)
        }
        return port > 0 ? UInt16(exactly: port) : nil
    }

    /// An authority with userinfo gets an error of its own, wherever parsing failed.
    static func refusal(of authority: Span<UInt8>, _ reason: String) -> PoolError {
        for index in authority.indices where authority[index] == UInt8(ascii: "@") {
            return .invalidRequest("the URL must not contain a user name or password; send an Authorization header")
        }
        return .invalidRequest(reason)
    }

    private static func isUpperCaseOrBeyondASCII(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
    }

    /// A character of a registered name or an IPv4 address (RFC 3986, 3.2.2), without percent escapes. Non-ASCII
    /// bytes pass here and are checked as an internationalized name.
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
